"""Sets the repositories of this folder up as `init --yes` does, in this process, with one warm Python for all."""

import contextlib
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from restore_guard.change.repository import Repository
from restore_guard.commands import init
from restore_guard.environments import interpreters
from restore_guard.environments.interpreters import Interpreter
from restore_guard.errors import UsageError

SECONDS = 120
"""More than a person waits, for the machine may be busy."""


@dataclass
class Outcome:
    """What became of one repository.

    Attributes:
        found: {target: the model that was found}.
        guarded: the marked targets that are built as the repository itself builds them.
        false: targets that nobody has marked, and that are none of the optional ones.
        carry: files that were proposed to be carried.
        plan: what `init` would write.
    """

    repository: object
    found: dict = field(default_factory=dict)
    guarded: list = field(default_factory=list)
    false: list = field(default_factory=list)
    carry: tuple = ()
    plan: object = None
    survey: object = None

    @property
    def missed(self):
        return [mark.target for mark in self.repository.marks if mark.target not in self.found]

    @property
    def left(self):
        """Found, and not guarded without a line by hand: {target: why}."""
        marked = {mark.target for mark in self.repository.marks}
        return {
            target: model.build.failure or "built with other arguments"
            for target, model in self.found.items()
            if target in marked and target not in self.guarded
        }


def write(repository, root):
    """The files of a repository, committed but for those that its .gitignore names."""
    for path, content in repository.files.items():
        (Path(root) / path).parent.mkdir(parents=True, exist_ok=True)
        (Path(root) / path).write_text(content)
    git = ["git", "-C", str(root), "-c", "user.name=T", "-c", "user.email=t@example.org"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "first"]):
        subprocess.run([*git, *words], check=True, capture_output=True)


def set_up(repository, root, probe, seconds=SECONDS):
    """`init` in a repository that `write` has written; returns the `Outcome`."""
    with Repository(root) as opened, python(probe.python):
        try:
            survey = init.look(opened, Path(root), os.environ)
        except UsageError:
            return Outcome(repository)
        survey = init.build(opened, survey, probe, seconds=seconds)
        plan = None
        with contextlib.suppress(UsageError):
            plan = init.plan(opened, survey)
    models = {model.candidate.target: model for model in [*survey.usable, *survey.unusable]}
    known = {*(mark.target for mark in repository.marks), *repository.optional}
    guarded = [
        mark.target for mark in repository.marks if mark.target in models and _is_like(models[mark.target], mark)
    ]
    false = [target for target in models if target not in known]
    return Outcome(repository, models, guarded, false, survey.carry, plan, survey)


@contextlib.contextmanager
def python(path):
    """The Python that is warm already, whatever else is installed."""
    before = interpreters.choose
    interpreters.choose = lambda *_: Interpreter(path, "warm")
    try:
        yield
    finally:
        interpreters.choose = before


def _is_like(model, mark):
    """Whether it was built, with a variable of the marked shape."""
    signature = model.build.signature
    return signature is not None and any(list(variable.shape or ()) == mark.shape for variable in signature.variables)


def lines(files):
    """How many lines somebody has written, blank ones aside."""
    return sum(bool(line.strip()) for content in files.values() for line in content.splitlines())


def by_hand(repository, root, probe):
    """Whether the lines that somebody writes are enough for `init`; they are added to what `write` has written."""
    for path, content in repository.by_hand.items():
        (Path(root) / path).write_text(content)
    outcome = set_up(repository, root, probe)
    built = [model for model in outcome.found.values() if model.candidate.file in repository.by_hand]
    return all(any(_is_like(model, mark) for model in built) for mark in repository.marks)
