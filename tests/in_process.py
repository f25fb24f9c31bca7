"""Commands that are run in the tests' own process, by a Python with TensorFlow that is warm already."""

from conftest import settings

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import migrate as migrating
from restore_guard.commands import update as updating
from restore_guard.commands.check import check
from restore_guard.commands.migrate import Request


def migrate(project, checkpoint, out, answer=False, **options):
    """`answer` is what a person says where nothing in the repository tells how."""
    request = Request(str(checkpoint), str(out), **options)
    with Repository(project.root) as repository:
        return migrating.migrate(Run(repository, project.environ), request, confirm=lambda _: answer)


class InProcess:
    """A repository with the model `net`, built by net.py."""

    def __init__(self, project, python):
        self.project, self.python = project, python

    def configure(self, restores, **load):
        """Promises these restore paths, loaded by a call with these options."""
        lines = ['builder = "net:build"', f"restores = {list(restores)}"]
        lines += [f"load.{key} = {value}" for key, value in load.items()]
        self.project.write({"pyproject.toml": settings(self.python, {"net": "\n".join(lines)}, timeout=120)})

    def update(self, reason=None, **options):
        with Repository(self.project.root) as repository:
            return updating.update(Run(repository, self.project.environ), names=[], reason=reason, **options)[0]

    def check(self, witness="always"):
        """The verdict on the files on disk; a witness must never contradict the simulation."""
        with Repository(self.project.root) as repository:
            sides = Sides(repository.head(), repository.worktree())
            result = check(Run(repository, self.project.environ), sides, witness=witness)
        (model,) = result.models
        assert not [note for note in model.notes if "please report it" in note], model.notes
        return model
