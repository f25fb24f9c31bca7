"""Shows what restore-guard does: three models in a small git repository, their history, and a check of each commit.

The models and their changes are those of a page on why a restore fails: a renamed layer, another layer type, a custom
layer. See scripts/demo.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo_story import CLASSIFIER, CONFIGURATION, DIGITS, README, RESTORES, SCORER, SERVE, SILENT, STEPS, TRAIN, Step
from environments import FOLDER, ROOT, SetupError, command, create

# What pre-commit needs of this checkout to install the hook.
HOOK_FILES = (".pre-commit-hooks.yaml", "LICENSE", "README.md", "pyproject.toml")
MARK = ".restore-guard-demo"


class DemoError(Exception):
    """The demo cannot go on."""


Cells = tuple[str, ...]
"""Exit code, verdict, and an outcome for each restore path: what the table at the end shows of a check."""


@dataclass(frozen=True)
class Row:
    commit: str
    title: str
    found: Cells
    expected: Cells


class Demo:
    def __init__(self, folder: Path, python: Path) -> None:
        self.repository, self.hook, self.python = folder / "repository", folder / "hook", python
        self.guard = command(python, "restore-guard")
        self.environ = _environment(python)
        self.old, self.new = folder / "old.weights.h5", folder / "new.weights.h5"
        self.trained = folder / "trained.npy"
        self.rows: list[Row] = []

    def run(self) -> bool:
        """Returns whether every verdict is the expected one."""
        self.first_commit()
        for step in STEPS:
            self.step(step)
        self.refused_commit()
        return self.table()

    def first_commit(self) -> None:
        title = "Three models"
        self.heading(title, "Each promises that its checkpoints keep restoring: pyproject.toml names them, `update`")
        print("writes what they promise to restore-manifest/. Before the first commit, the staged files are checked.")
        self.repository.mkdir(parents=True)
        self.write("pyproject.toml", CONFIGURATION)
        self.write(".gitignore", "/.venv\n__pycache__/\n")
        self.write("README.md", README)
        self.write("models/__init__.py", "")
        self.write("models/classifier.py", CLASSIFIER)
        self.write("models/digits.py", DIGITS)
        self.write("models/scorer.py", SCORER)
        (self.repository / ".venv").symlink_to(self.python.parent.parent)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("config", "user.name", "Demo")
        self.git("config", "user.email", "demo@example.invalid")
        self.guarded("update")
        self.git("add", "--all")
        code, report = self.guarded("check", "--staged")
        models = dict.fromkeys(("classifier", "digits", "scorer"), "restores")
        self.git("commit", "--quiet", "--message", title)
        self.judge(title, code, report, (0, {**models, **RESTORES}), self.head())
        self.script(TRAIN, self.old, self.trained)

    def step(self, step: Step) -> None:
        self.heading(step.title, step.story)
        self.edit(step.edits)
        self.show_change()
        if step.update is not None:
            self.guarded("update", *step.update)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", step.title)
        code, report = self.guarded("check", "--base", f"HEAD~{step.since}", "--head", "HEAD", whole=step.whole)
        self.judge(step.title, code, report, step.expected, self.head())
        if step.serves:
            self.serve()

    def serve(self) -> None:
        """Migrates the checkpoint of before the rename and serves it with the code of today."""
        code, _ = self.guarded("migrate", str(self.old), str(self.new), whole=True)
        if code:
            raise DemoError("the old checkpoint was not migrated")
        print(self.script(SERVE, self.new, self.trained))

    def script(self, text: str, *arguments: Path) -> str:
        """Runs a program of the team's; returns what it prints."""
        done = subprocess.run(
            [self.python, "-c", text, *map(str, arguments)],
            cwd=self.repository,
            env={**self.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        if done.returncode:
            raise DemoError(done.stderr.strip())
        return done.stdout.strip()

    def refused_commit(self) -> None:
        title = "Rename another layer"
        self.heading(title, "From here on pre-commit runs restore-guard: the break does not become a commit.")
        revision = self.hook_repository()
        self.write(
            ".pre-commit-config.yaml",
            f"repos:\n  - repo: {self.hook}\n    rev: {revision}\n    hooks:\n      - id: restore-guard\n",
        )
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Check every commit with restore-guard")
        self.show("pre-commit", "install", "--install-hooks")
        self.edit({"models/classifier.py": {"dense_2": "logits"}})
        self.show_change()
        self.git("add", "--all")
        before = self.git("rev-parse", "HEAD")
        code, report = self.show("git", "commit", "--message", title)
        commit = "refused" if self.git("rev-parse", "HEAD") == before else self.git("rev-parse", "--short", "HEAD")
        self.judge(title, code, report, (1, {"classifier": "breaks", **SILENT}), commit)
        if commit != "refused":
            raise DemoError(f"the hook let {commit} pass")

    def table(self) -> bool:
        self.heading("Summary", f"The repository is {_short(self.repository)}.")
        lines = [("commit", "title", "exit", "verdict", *RESTORES, "")]
        for row in self.rows:
            remark = "as expected" if row.found == row.expected else f"EXPECTED {' '.join(row.expected)}"
            lines.append((row.commit, row.title, *row.found, remark))
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            print("  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
        wrong = sum(row.found != row.expected for row in self.rows)
        print(f"\n{len(self.rows)} verdicts, {wrong or 'none'} unexpected")
        return not wrong

    def judge(self, title: str, code: int, report: str, expected: tuple[int, Mapping[str, str]], commit: str) -> None:
        """Reads the verdicts out of what the user sees."""
        said = dict(re.findall(r"^(?:  )?[^\w\s] ([\w-]+)(?:: | +)(\w+)", report, re.MULTILINE))
        for rule in ("break-accepted", "break-migrated"):
            if rule in report:
                what = rule.replace("-", " ")
                said |= {name: f"{word}, {what}" for name, word in said.items() if name not in RESTORES}
        found = {name: said.get(name, "not told") for name in expected[1]}
        self.rows.append(Row(commit, title, _cells(code, found), _cells(*expected)))

    def hook_repository(self) -> str:
        """A git repository of this checkout's files, the same commit for the same files; returns its sha.

        pre-commit installs hooks from a commit, and the checkout itself may have changes that are in none.
        """
        missing = [name for name in HOOK_FILES if not (ROOT / name).is_file()]
        if missing:
            raise DemoError(f"{', '.join(missing)} is missing in {ROOT}, so there is no hook to install.")
        shutil.copytree(ROOT / "hook", self.hook / "hook", ignore=shutil.ignore_patterns("__pycache__"))
        for name in HOOK_FILES:
            shutil.copy(ROOT / name, self.hook / name)
        environ = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in IDENTITY.items()}
        for arguments in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "This checkout")):
            self.git(*arguments, folder=self.hook, environ=environ)
        return self.git("rev-parse", "HEAD", folder=self.hook)

    def head(self) -> str:
        return self.git("rev-parse", "--short", "HEAD")

    def heading(self, title: str, story: str) -> None:
        number = len(self.rows) + 1
        print(f"\n=== {number}. {title}\n{story}", flush=True)

    def write(self, name: str, content: str) -> None:
        path = self.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def edit(self, edits: Mapping[str, Mapping[str, str]]) -> None:
        for name, replacements in edits.items():
            content = (self.repository / name).read_text(encoding="utf-8")
            for old, new in replacements.items():
                if old not in content:
                    raise DemoError(f"{name} has no {old!r}")
                content = content.replace(old, new)
            self.write(name, content)

    def show_change(self) -> None:
        """The lines that differ, without git's headers."""
        for line in self.git("diff", "--unified=0").splitlines():
            if line.startswith("+++ b/"):
                print(f"\n    {line.removeprefix('+++ b/')}")
            elif line.startswith(("+", "-")) and not line.startswith("---") and line[1:].strip():
                print(f"    {line[0]} {line[1:].strip()}")

    def guarded(self, *arguments: str, whole: bool = False) -> tuple[int, str]:
        return self.show(self.guard, *arguments, whole=whole)

    def show(self, program: str, *arguments: str, whole: bool = False) -> tuple[int, str]:
        """Runs a command as a person would and passes its output on; returns its exit code and output.

        Args:
            whole: passes on every line; otherwise only the headlines of a report.
        """
        print("\n$ " + " ".join([Path(program).name, *map(_quoted, arguments)]), flush=True)
        begin, output, hidden = time.monotonic(), [], 0
        with subprocess.Popen(
            [shutil.which(program, path=self.environ["PATH"]) or program, *arguments],
            cwd=self.repository,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=None if sys.stderr.isatty() else subprocess.STDOUT,  # on a terminal, progress is one moving line
            encoding="utf-8",
            errors="replace",
        ) as process:
            for line in process.stdout:
                output.append(line)
                if whole or _headline(line):
                    print(line, end="", flush=True)
                elif line.startswith("    "):
                    hidden += 1
        remark = f"; {hidden} more lines" if hidden else ""
        print(f"(exit {process.returncode}, {time.monotonic() - begin:.1f} s{remark})", flush=True)
        return process.returncode, "".join(output)

    def git(self, *arguments: str, folder: Path | None = None, environ: Mapping[str, str] | None = None) -> str:
        result = subprocess.run(
            ["git", *arguments],
            cwd=folder or self.repository,
            env={**self.environ, **(environ or {})},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        if result.returncode:
            raise DemoError(f"git {' '.join(arguments)} failed: {result.stderr.strip()}")
        return result.stdout.rstrip("\n")


IDENTITY = {"NAME": "Demo", "EMAIL": "demo@example.invalid", "DATE": "2026-01-01T00:00:00Z"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description="Shows what restore-guard does.")
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=ROOT / "scripts" / ".demo",
        help="where the demo's repository is made; made anew at each run (default: scripts/.demo)",
    )
    folder = parser.parse_args().folder.resolve()
    try:
        print("=== restore-guard and TensorFlow", flush=True)
        _clear(folder)
        python = create("demo", ">=3.11,<3.14", ["demo"], project=True)
        print(f"They are in {_short(python.parent.parent)}.")
        return 0 if Demo(folder, python).run() else 1
    except (DemoError, SetupError) as error:
        print(f"scripts/demo: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130


def _clear(folder: Path) -> None:
    """Empties the folder of an earlier demo; anything else stays as it is."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not (folder / MARK).is_file():
        raise DemoError(f"{folder} is not empty and not from an earlier demo: name another folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


def _environment(python: Path) -> dict[str, str]:
    """The demo's own: no settings of a git hook, of the user's git or of another environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
    kept.pop("VIRTUAL_ENV", None)
    return kept | {
        "PATH": os.pathsep.join([str(python.parent), kept.get("PATH", os.defpath)]),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PRE_COMMIT_HOME": str(FOLDER / "pre-commit"),
        "PYTHONUTF8": "1",
    }


def _headline(line: str) -> bool:
    """Whether a line of a report is one of those that the others explain."""
    return bool(re.match(r" {0,2}\S", line)) and not line.startswith("restore-guard: built ")


def _cells(code: int, words: Mapping[str, str]) -> Cells:
    models: dict[str, list[str]] = {}
    for name, word in words.items():
        if name not in RESTORES:
            models.setdefault(word, []).append(name)
    verdict = "; ".join(f"{', '.join(names)}: {word}" for word, names in models.items())
    return str(code), verdict or "no model touched", *(words.get(name, "-") for name in RESTORES)


def _quoted(argument: str) -> str:
    return f'"{argument}"' if " " in argument else argument


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    sys.exit(main())
