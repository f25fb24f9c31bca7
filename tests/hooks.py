"""Repositories with the hook installed by the real pre-commit or prek, and a watch on what it leaves behind."""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from conftest import Project, settings

TOOLS = Path(sys.executable).parent

HOOKS = """\
default_install_hook_types: [pre-commit, pre-merge-commit, pre-push]
default_stages: [pre-commit, pre-merge-commit, pre-push]
repos:
  - repo: local
    hooks: [{before}]
  - repo: {tool}
    rev: v1
    hooks:
      - id: restore-guard
        verbose: true
        args: {args}
  - repo: local
    hooks: [{after}]
"""
WATCH = (
    "{{id: {name}, name: {name}, language: system, always_run: true, pass_filenames: false, require_serial: true, "
    "entry: {python} {script} {folder}/{name}.json}}"
)

# Runs inside the hook, just before and just after restore-guard: what it finds then differs by nothing else.
WATCHER = """\
import hashlib, json, os, pathlib, subprocess, sys

root = pathlib.Path(subprocess.check_output(["git", "rev-parse", "--show-toplevel"], text=True).strip())
common = pathlib.Path(
    subprocess.check_output(["git", "rev-parse", "--path-format=absolute", "--git-common-dir"], text=True).strip()
)
seen = {}
for folder in (root, common):
    for path in folder.rglob("*"):
        if path.is_file() and "objects" not in path.parts:
            seen[str(path)] = [hashlib.sha256(path.read_bytes()).hexdigest(), path.lstat().st_mode]
for words in ("worktree list --porcelain", "stash list", "for-each-ref", "ls-files --stage"):
    seen[words] = subprocess.check_output(["git", "--no-optional-locks", *words.split()], text=True)
seen["temporary"] = sorted(os.listdir(os.environ["TMPDIR"]))
pathlib.Path(sys.argv[1]).write_text(json.dumps(seen))
"""

NET = """\
import tensorflow as tf
from blocks import width


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = tf.keras.layers.Dense(width())
        self.head = tf.keras.layers.Dense(2)

    def call(self, x):
        return self.head(self.hidden(x))


def build():
    return Net()
"""
BLOCKS = "def width():\n    return 8\n"
NET_MODEL = 'builder = "net:build"\ninputs = [{ shape = [4] }]'

# A model whose configuration goes while its manifest stays: a break that git alone tells.
OLD_MODEL = 'builder = "old:build"'
RETIRED = "restore-guard.models.old"
BROKEN = "old is no longer configured"


@dataclass
class Attempt:
    """How a git command ended, and what it and the hook printed."""

    code: int
    log: str


class Guarded(Project):
    """A repository in which `runner` (pre-commit or prek) runs the hook.

    Attributes:
        store: the runner's cache: the hook's environment is installed into it once a session.
    """

    def __init__(self, root, home, store, runner="pre-commit"):
        super().__init__(root, home)
        self.store, self.runner, self.watch = store, runner, Path(home) / "watch"
        self.watch.mkdir(exist_ok=True)
        (self.watch / "watch.py").write_text(WATCHER)

    def hooks(self, tool, args=()):
        names = {
            name: WATCH.format(name=name, python=sys.executable, script=self.watch / "watch.py", folder=self.watch)
            for name in ("before", "after")
        }
        return HOOKS.format(tool=tool, args=json.dumps(list(args)), **names)

    def install(self):
        done = subprocess.run(
            [self.hook_command, "install"], cwd=self.root, env=self.hook_environ, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def hook_command(self):
        return str(TOOLS / self.runner)

    @property
    def hook_environ(self):
        # The user's own settings of pip stay: where packages come from.
        return self.environ | {
            "HOME": str(Path.home()),
            "PRE_COMMIT_HOME": str(self.store),
            "PREK_HOME": str(self.store),
            "GIT_EDITOR": "true",
        }

    def begin(self, *command, **environ):
        """Starts a command in a process group of its own, as a shell does."""
        return subprocess.Popen(
            [str(word) for word in command],
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            cwd=self.root,
            env=self.hook_environ | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def attempt(self, *command, folder=None):
        """A git command that runs the hook; asserts that the hook left everything as it was."""
        for name in ("before", "after"):
            (self.watch / f"{name}.json").unlink(missing_ok=True)
        root, self.root = self.root, folder or self.root
        try:
            process = self.begin("git", *command)
            log = process.communicate()[0]
        finally:
            self.root = root
        assert (self.watch / "after.json").exists(), log
        before, after = ((self.watch / f"{name}.json").read_text() for name in ("before", "after"))
        assert json.loads(before) == json.loads(after), "the hook changed the repository, or left something behind"
        assert json.loads(after)["temporary"] == []
        return Attempt(process.returncode, log)

    def refused(self, *command, **options):
        """The git command is refused because the change breaks; returns what was printed."""
        head = self.git("for-each-ref")
        attempt = self.attempt(*command, **options)
        assert attempt.code == 1, attempt.log
        assert "exit code: 1" in attempt.log, attempt.log
        assert self.git("for-each-ref") == head
        return attempt.log

    def passed(self, *command, **options):
        attempt = self.attempt(*command, **options)
        assert attempt.code == 0, attempt.log
        return attempt.log

    def retire(self):
        """The configuration on disk without the old model: breaks, and no model needs to be built for it."""
        self.edit("pyproject.toml", f"[tool.{RETIRED}]\n{OLD_MODEL}\n", "")

    def break_net(self):
        """Another attribute; returns the line that a finding must name."""
        self.edit("net.py", "self.hidden = ", "self.hidden1 = ")
        self.edit("net.py", "self.hidden(x)", "self.hidden1(x)")
        return self.line("net.py", "self.hidden1 =")


def configuration(python):
    return settings(python, {"net": NET_MODEL, "old": OLD_MODEL}, timeout=120)


def copy(source, root, home, store, runner="pre-commit"):
    shutil.copytree(source, root, symlinks=True)
    return Guarded(root, home, store, runner)
