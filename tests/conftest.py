"""Interpreters with TensorFlow, and git repositories in which the real command runs."""

import ast
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import hypothesis
import pytest
from differential.frameworks import FRAMEWORKS, Oracle

from restore_guard.building import isolation, probing, processors, warm, workshop
from restore_guard.errors import UncheckedError, UsageError

# How long an example takes depends on what else the machine does, and on whether lines are counted.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")


def pytest_collection_modifyitems(items):
    """Files of few tests that are slow go first, then those of most tests: at the end no worker waits for another.

    Lines are not counted in a property test: it runs the same ones hundreds of times, at twice the cost.
    """
    counts = Counter(item.path for item in items)
    items.sort(key=lambda item: ("e2e" not in item.path.parts, -counts[item.path], item.path))
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.no_cover)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One worker more than processors: a tenth of the time is waiting."""
    return processors.count() + 1


COMMAND = Path(sys.executable).with_name("restore-guard")

GIT_SETTINGS = """\
[user]
name = T
email = t@example.org
[init]
defaultBranch = main
[protocol "file"]
allow = always
[advice]
detachedHead = false
[commit]
gpgSign = false
"""


def interpreter(variable):
    path = os.environ.get(variable)
    if not path:
        pytest.skip(f"{variable} is not set; scripts/test sets it")
    assert Path(path).is_file(), f"{variable}={path}: no such Python"
    return Path(path)


@pytest.fixture(scope="session")
def keras3():
    """A Python with TensorFlow 2.21 and Keras 3."""
    return interpreter("RESTORE_GUARD_TEST_KERAS3")


@pytest.fixture(scope="session")
def keras2():
    """A Python with TensorFlow 2.15 and Keras 2."""
    return interpreter("RESTORE_GUARD_TEST_KERAS2")


@pytest.fixture(scope="session")
def tensorflow218():
    """A Python with TensorFlow 2.18, Keras 3.6 and tf-keras."""
    return interpreter("RESTORE_GUARD_TEST_TENSORFLOW218")


@pytest.fixture(scope="session")
def oracles(request, tmp_path_factory):
    """{framework: its oracle}: one process each, for all tests."""
    folder = tmp_path_factory.mktemp("oracles")
    with contextlib.ExitStack() as stack:
        found = {}
        for name, framework in FRAMEWORKS.items():
            log = stack.enter_context((folder / f"{name}.log").open("w"))
            found[name] = Oracle(name, request.getfixturevalue(framework.environment), log)
            stack.callback(found[name].close)
        yield found


@dataclass
class Run:
    """How the command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def report(self):
        return json.loads(self.stdout)

    def model(self, name):
        return next(model for model in self.report["models"] if model["name"] == name)

    def findings(self, name=None):
        """(rule, level, file, line, status) of all findings, or of one model's."""
        return [
            tuple(finding[key] for key in ("rule", "level", "file", "line", "status"))
            for model in self.report["models"]
            if name in (None, model["name"])
            for finding in model["findings"]
        ]


class Project:
    """A git repository of its own, and the command run in it; `temporary` is where the command puts temporaries."""

    shared: ClassVar[dict[str, str]] = {}
    """Environment variables of all: see `kept_warm`."""

    def __init__(self, root, home):
        self.root, self.temporary = Path(root), Path(home) / "tmp"
        self.temporary.mkdir(parents=True, exist_ok=True)
        settings = Path(home) / "gitconfig"
        settings.write_text(GIT_SETTINGS)
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GIT_", "GITHUB_", "PRE_COMMIT", "RESTORE_GUARD_", "VIRTUAL_ENV", "COVERAGE"))
            and name != "CI"
        }
        self.environ = kept | {
            "HOME": str(home),
            "TMPDIR": str(self.temporary),
            "GIT_CONFIG_GLOBAL": str(settings),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "200",
            **({"RESTORE_GUARD_CACHE": str(Path(home) / "cache"), **self.shared} if self.shared else {}),
        }
        if not (self.root / ".git").exists():
            self.root.mkdir(parents=True, exist_ok=True)
            self.git("init", "--quiet")

    def git(self, *arguments):
        done = subprocess.run(["git", *arguments], cwd=self.root, env=self.environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, files):
        for path, content in files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)

    def edit(self, path, old, new):
        content = (self.root / path).read_text()
        assert content.count(old) == 1, f"{path} has {content.count(old)} times {old!r}"
        (self.root / path).write_text(content.replace(old, new))

    def commit(self, files=(), message="change"):
        self.write(dict(files))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def line(self, path, text):
        """The number of the only line with `text`."""
        (number,) = [n for n, line in enumerate((self.root / path).read_text().splitlines(), 1) if text in line]
        return number

    def start(self, *arguments, **environ):
        return subprocess.Popen(
            [str(COMMAND), *arguments],
            # A shell's background job ignores SIGINT, and so would all that it starts.
            preexec_fn=None if os.name == "nt" else lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            cwd=self.root,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments, **environ):
        process = self.start(*arguments, **environ)
        stdout, stderr = process.communicate()
        assert "Traceback" not in stderr, stderr
        return Run(process.returncode, stdout, stderr)

    def script(self, python, text, *arguments):
        """Runs a program of the team's by `python`, where the code is; gives what it prints."""
        done = subprocess.run(
            [str(python), "-c", text, *map(str, arguments)],
            cwd=self.root,
            env=self.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def check(self, *arguments, **environ):
        """`restore-guard check --format json`."""
        return self.run("check", "--format", "json", *arguments, **environ)

    def snapshot(self):
        """All that a check may not change: index, refs, worktree list, stash, git's own files and the work tree."""
        files = {
            str(path.relative_to(self.root)): (path.read_bytes(), path.stat().st_mode)
            for path in self.root.rglob("*")
            if path.is_file() and "objects" not in path.parts
        }
        words = ("worktree list", "stash list", "for-each-ref", "status --porcelain=v2 --ignored")
        return files | {command: self.git("--no-optional-locks", *command.split()) for command in words}


@pytest.fixture
def make_repository(tmp_path):
    """`make_repository(name="project", files=None, copy_of=None)`: a `Project`, with a first commit of `files`."""

    def make(name="project", files=None, copy_of=None):
        root = tmp_path / name
        if copy_of is not None:
            shutil.copytree(copy_of, root)
        project = Project(root, tmp_path / f"home-{name}")
        if files is not None:
            project.commit(files, "first")
        return project

    return make


PAGE = """\
import tensorflow as tf
from tensorflow.keras import layers


class Subclassed(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense_1 = layers.Dense(64, activation="relu")
        self.dense_2 = layers.Dense(10)

    def call(self, x):
        return self.dense_2(self.dense_1(x))


class Convolutional(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(32, (3, 3))
        self.flatten = layers.Flatten()
        self.dense = layers.Dense(10)

    def call(self, x):
        return self.dense(self.flatten(self.conv(x)))


class CustomELU(layers.Layer):
    def call(self, x):
        return tf.where(x > 0, x, tf.exp(x) - 1)


class Activated(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(8)
        self.custom = CustomELU()

    def call(self, x):
        return self.custom(self.dense(x))


def subclassed():
    model = Subclassed()
    model(tf.zeros([1, 16]))
    return model


def convolutional():
    return Convolutional()


def activated():
    return Activated()
"""
"""The three models of the page that the project starts from: 4, 4 and 2 variables."""

SMALL = """\
import tensorflow as tf


def build():
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3)])
"""
SMALL_MODELS = ("raising", "syntax", "invalid", "merged", "missing", "removed", "dropped", "rotten", "healed", "kept")


def settings(python, models, **options):
    """A pyproject.toml; `models` is {name: further lines}."""
    lines = ["[tool.restore-guard]", f'python = "{python}"']
    lines += [f"{key} = {json.dumps(value)}" for key, value in options.items()]
    for name, further in models.items():
        lines += [f"[tool.restore-guard.models.{name}]", further]
    return "\n".join(lines) + "\n"


PAGE_MODELS = {
    "subclassed": 'builder = "page:subclassed"',
    "convolutional": 'builder = "page:convolutional"\ninputs = [{ shape = [8, 8, 1] }]',
    "activated": 'builder = "page:activated"\ninputs = [{ shape = [4] }]',
}
ALL_MODELS = PAGE_MODELS | {name: f'builder = "small.{name}:build"' for name in SMALL_MODELS}


@contextlib.contextmanager
def warm_python(python):
    """One Python, warm, builds for all commands that run in this process meanwhile; gives its probe."""
    with probing.Probe(python) as probe, pytest.MonkeyPatch.context() as patch:
        patch.setattr(workshop, "Probe", lambda *_: contextlib.nullcontext(probe))
        yield probe


@pytest.fixture(scope="session")
def warm_environ(keras3, keras2, tmp_path_factory):
    """The environment variables with which commands find Pythons that are kept warm, as `restore-guard warm` does."""
    folder = tmp_path_factory.mktemp("warm")
    for name in ("home", "run"):
        (folder / name).mkdir(mode=0o700)
    environ = {
        "HOME": str(folder / "home"),
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "TFHUB_CACHE_DIR": str(folder / "hub"),
    }
    project = Project(folder / "project", folder / "home")
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setenv("XDG_RUNTIME_DIR", environ["XDG_RUNTIME_DIR"])
        patch.delenv("CI", raising=False)
        for python in (keras3, keras2):
            # Where none can be kept, the commands start one of their own, as a user's do.
            with contextlib.suppress(UncheckedError, UsageError):
                kept = warm.keep(python, isolation.environment(project.environ | environ), seconds=3600)
                stack.callback(warm.stop, kept)
        yield environ


@contextlib.contextmanager
def sharing(environ):
    """Repositories that are made meanwhile have these environment variables, and a cache of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Project, "shared", environ)
        yield


@pytest.fixture
def kept_warm(warm_environ):
    """Commands in the test's repositories build by a Python that is warm already: the same verdict, much sooner."""
    with sharing(warm_environ):
        yield


@pytest.fixture(scope="session")
def library(keras3, tmp_path_factory):
    """A committed repository with the page's models and small ones, and the manifests of all: to be copied."""
    folder = tmp_path_factory.mktemp("library")
    project = Project(folder / "project", folder / "home")
    project.write({"page.py": PAGE, "README.md": "models\n", ".gitignore": "*.log\n"})
    project.write({f"small/{name}.py": SMALL for name in SMALL_MODELS})
    project.write({"pyproject.toml": settings(keras3, ALL_MODELS, timeout=60)})
    done = project.run("update")
    assert done.code == 0, done.stdout + done.stderr
    manifests = sorted(path.stem for path in (project.root / "restore-manifest").iterdir())
    assert manifests == sorted(ALL_MODELS)
    project.commit(message="the good commit")
    return project.root


def rename(project):
    """The page's first example; returns the line that a finding must name."""
    project.edit(
        "page.py",
        'self.dense_1 = layers.Dense(64, activation="relu")',
        'self.denselayer1 = layers.Dense(64, activation="relu")',
    )
    project.edit("page.py", "self.dense_1(x)", "self.denselayer1(x)")
    return project.line("page.py", "self.denselayer1 =")


@pytest.fixture(scope="session")
def tool(tmp_path_factory):
    """restore-guard as a user gets it: a git repository of what is here now, committed or not."""
    here = Path(__file__).resolve().parents[1]
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    files = subprocess.run(listed, cwd=here, capture_output=True, check=True).stdout.decode().split("\0")
    folder = tmp_path_factory.mktemp("tool")
    project = Project(folder / "restore-guard", folder / "home")
    for name in filter(None, files):
        if not name.startswith("tests/") and (here / name).is_file():
            target = project.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(here / name, target)
    project.commit(message="v1")
    project.git("tag", "v1")
    return project.root


@pytest.fixture(scope="session")
def managers():
    """The folder of the commands uv, poetry, pdm and pipenv."""
    return interpreter("RESTORE_GUARD_TEST_MANAGERS").parent


@pytest.fixture(scope="session")
def index_settings():
    """Where uv finds packages is the user's business: here what pip is told, as scripts/test does."""
    scripts = Path(__file__).resolve().parents[1] / "scripts"
    script = "import environments; print(environments.index_settings())"
    done = subprocess.run([sys.executable, "-c", script], cwd=scripts, capture_output=True, text=True, check=True)
    return ast.literal_eval(done.stdout)


@pytest.fixture(scope="session")
def stores(tmp_path_factory):
    """The caches of pre-commit and prek: each installs the hook's environment once."""
    return {name: tmp_path_factory.mktemp(name) for name in ("pre-commit", "prek")}


@pytest.fixture(scope="session")
def guarded_project(keras3, tool, stores, tmp_path_factory):
    """A committed repository with a model, its manifest and the hook's configuration: to be copied."""
    import hooks

    folder = tmp_path_factory.mktemp("guarded")
    project = hooks.Guarded(folder / "project", folder / "home", stores["pre-commit"])
    project.write({"net.py": hooks.NET, "blocks.py": hooks.BLOCKS, "old.py": SMALL, "README.md": "models\n"})
    project.write({"pyproject.toml": hooks.configuration(keras3), ".gitignore": ".venv\n__pycache__/\n"})
    done = project.run("update")
    assert done.code == 0, done.stdout + done.stderr
    project.commit(message="the good commit")
    return project.root


@pytest.fixture
def guarded(guarded_project, stores, managers, tool, tmp_path):
    """`guarded(runner="pre-commit", name="project", args=())`: a copy of it with the hook installed."""
    import hooks

    def make(runner="pre-commit", name="project", args=()):
        project = hooks.copy(guarded_project, tmp_path / name, tmp_path / f"home-{runner}", stores[runner], runner)
        project.environ["PATH"] += f":{managers}"  # prek installs with uv
        project.commit({".pre-commit-config.yaml": project.hooks(tool, args)}, "hook")
        project.install()
        return project

    return make
