"""Manifests follow the code without stopping anybody: `check --fix`, real merges, rebases and cherry-picks."""

import json
import subprocess
from functools import partial

import pytest
from conftest import COMMAND, Project, settings, warm_python

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import fixing
from restore_guard.commands import update as updating
from restore_guard.commands.check import check
from restore_guard.commands.merge_driver import set_up
from restore_guard.commands.migrate import Request, migrate
from restore_guard.errors import UsageError
from restore_guard.promise.migrations import parse

pytestmark = pytest.mark.tensorflow

NET = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(4)
        # one

        # two
        self.last = keras.layers.Dense(4)

    def call(self, x):
        for layer in (self.first, getattr(self, "one", None), getattr(self, "two", None), self.last):
            x = layer(x) if layer is not None else x
        return x


def build():
    model = Net()
    model(tf.zeros((1, 4)))
    return model
"""
FILE = "restore-manifest/net.json"
ONE = ("        # one\n", "        self.one = keras.layers.Dense(4)\n")
TWO = ("        # two\n", "        self.two = keras.layers.Dense(4)\n")
FIRST = "self.first = keras.layers.Dense(4)"
LAST = "self.last = keras.layers.Dense(4)"
SHOWN = ("        # one\n", "        self.again = self.first\n")
"""Compatible, and the description of the model is another."""


class Warm:
    """A repository, and the commands in this process with a Python that is warm already."""

    def __init__(self, project):
        self.project, self.file = project, project.root / FILE

    def update(self, reason=None, migrate=False):
        with Repository(self.project.root) as repository:
            run = Run(repository, self.project.environ)
            (done,) = updating.update(run, names=[], reason=reason, migrate=migrate)
        return done

    def migrate(self, checkpoint, out):
        with Repository(self.project.root) as repository:
            return migrate(Run(repository, self.project.environ), Request(checkpoint, out), confirm=lambda _: False)

    def check(self, staged=False, fix=False, base=None):
        with Repository(self.project.root) as repository:
            run = Run(repository, self.project.environ)
            head = repository.index() if staged else repository.worktree()
            sides = Sides(repository.commit(base) if base else repository.head(), head)
            result = check(run, sides, witness="never")
            return fixing.with_fixes(run, sides, result) if fix else result

    def branch(self, name, *edits, reason=None, start="main", migrate=False):
        self.project.git("checkout", "--quiet", "-b", name, start)
        for edit in edits:
            self.project.edit("net.py", *edit)
        done = self.update(reason, migrate)
        assert done.state == "written", done
        self.project.commit(message=name)

    def git(self, *arguments):
        """A git command that may stop with a conflict."""
        self.done = done = subprocess.run(
            ["git", *arguments], cwd=self.project.root, env=self.project.environ, capture_output=True, text=True
        )
        return done.returncode

    def take_code(self, *edits):
        """Resolves the model's own file."""
        text = NET
        for old, new in edits:
            text = text.replace(old, new)
        self.project.write({"net.py": text})

    @property
    def manifest(self):
        return json.loads(self.file.read_text())

    @property
    def reasons(self):
        return [(entry["epoch"], entry["reason"]) for entry in self.manifest["history"]]

    @property
    def variables(self):
        return [variable["path"] for variable in self.manifest["variables"]]


@pytest.fixture(scope="module")
def base(keras3, tmp_path_factory):
    folder = tmp_path_factory.mktemp("joined")
    project = Project(folder / "project", folder / "home")
    with warm_python(keras3):
        promised = 'builder = "net:build"\nrestores = ["tf-checkpoint", "keras-weights"]'
        project.write({"net.py": NET, "pyproject.toml": settings(keras3, {"net": promised}, timeout=120)})
        Warm(project).update()
        project.commit(message="first")
        yield project.root


@pytest.fixture
def warm(base, make_repository):
    warm = Warm(make_repository(copy_of=base))
    warm.project.environ["PATH"] = f"{COMMAND.parent}:{warm.project.environ['PATH']}"
    return warm


def failing(result):
    return {finding.rule for model in result.models for finding in model.findings if finding.fails}


def test_a_stale_manifest_is_written_and_fails_once(warm):
    warm.project.edit("net.py", *SHOWN)
    assert failing(warm.check()) == {"manifest-stale"}
    before = warm.file.read_bytes()
    result = warm.check(fix=True)
    assert result.exit_code == 1 and failing(result) == {"manifest-stale"}
    assert f"{FILE} was written: look at it, git add it, and commit again." in result.notes
    assert warm.file.read_bytes() != before
    assert warm.check(fix=True).exit_code == 0


def test_what_is_staged_is_what_is_written(warm):
    """In a hook: the manifest is that of the index, whatever the files on disk say besides."""
    warm.project.edit("net.py", *SHOWN)
    warm.project.git("add", "net.py")
    warm.project.edit("net.py", *TWO)
    warm.check(staged=True, fix=True)
    assert warm.variables == ["first/kernel", "first/bias", "last/kernel", "last/bias"]
    warm.project.git("add", FILE)
    assert warm.check(staged=True, fix=True).exit_code == 0


def test_a_manifest_with_changes_that_are_not_staged_is_left_alone(warm):
    warm.project.edit("net.py", *SHOWN)
    warm.project.git("add", "net.py")
    edited = warm.file.read_text() + "\n"
    warm.file.write_text(edited)
    result = warm.check(staged=True, fix=True)
    assert any("not staged" in note for note in result.notes)
    assert warm.file.read_text() == edited


@pytest.mark.parametrize("level", ["error", "warning"])
def test_a_break_is_never_absorbed(warm, level):
    with (warm.project.root / "pyproject.toml").open("a") as file:
        file.write(f'[tool.restore-guard.rules]\nvariable-added = "{level}"\nvariable-misplaced = "{level}"\n')
    warm.project.edit("net.py", *TWO)
    before = warm.file.read_bytes()
    result = warm.check(fix=True)
    assert result.exit_code == 1
    assert warm.file.read_bytes() == before


def test_a_commit_cannot_be_fixed(warm):
    with Repository(warm.project.root) as repository:
        run = Run(repository, warm.project.environ)
        sides = Sides(None, repository.head())
        result = check(run, sides, witness="never")
        with pytest.raises(UsageError, match="leave --head away"):
            fixing.with_fixes(run, sides, result)
        pushed = Run(repository, {**warm.project.environ, "PRE_COMMIT_FROM_REF": "a", "PRE_COMMIT_TO_REF": "b"})
        assert fixing.with_fixes(pushed, sides, result) is result


def test_a_file_that_is_newly_imported_makes_no_manifest_stale(warm):
    warm.project.write({"sizes.py": "WIDTH = 4\n", "data/width.txt": "4"})
    warm.project.edit(
        "net.py", "from tensorflow import keras\n", "from sizes import WIDTH\nfrom tensorflow import keras\n"
    )
    assert failing(warm.check()) == set()
    warm.project.edit("net.py", "def build():\n", 'def build():\n    open("data/width.txt").read()\n')
    assert failing(warm.check()) == {"manifest-stale"}
    warm.project.edit("pyproject.toml", 'builder = "net:build"', 'builder = "net:build"\npaths = ["data/*.txt"]')
    assert failing(warm.check()) == set()


def test_update_joins_both_sides_of_a_merge(warm):
    warm.branch("one", ONE, reason="one is new")
    warm.branch("two", TWO, reason="two is new")
    assert warm.git("merge", "--no-edit", "one") != 0
    warm.take_code(ONE, TWO)
    assert "<<<<<<<" in warm.file.read_text()
    done = warm.update()
    assert done.state == "written" and "both sides of the merge" in done.message
    assert warm.reasons == [(2, "two is new"), (3, "one is new")]
    assert warm.manifest["epoch"] == 3
    assert [path for path in warm.variables if path.endswith("kernel")] == [
        *("first/kernel", "one/kernel", "two/kernel", "last/kernel"),
    ]
    written = warm.file.read_bytes()
    warm.project.git("add", "--all")
    # Also when the conflict is marked as resolved, and again.
    assert warm.update().state == "unchanged" and warm.file.read_bytes() == written
    assert warm.check(staged=True).exit_code == 0
    warm.project.git("commit", "--quiet", "--no-edit")
    for side in ("HEAD^1", "HEAD^2"):
        assert failing(warm.check(base=side)) == set(), side


def test_what_a_merge_breaks_of_either_side_is_refused(warm):
    warm.branch("one", ONE, reason="one is new")
    warm.branch("two", SHOWN)
    assert warm.git("merge", "--no-edit", "one") != 0
    before = warm.file.read_text()
    # The merge loses what one side has added and accepted: its checkpoints do not restore.
    warm.take_code(SHOWN)
    done = warm.update()
    assert done.state == "refused" and warm.file.read_text() == before
    assert {name for finding in done.findings for name in finding.variables} & {"one/kernel"}
    done = warm.update(reason="one is gone again")
    assert done.state == "written"
    assert warm.reasons == [(2, "one is new"), (3, "one is gone again")]


def test_a_conflict_that_was_committed_is_joined_too(warm):
    warm.branch("one", ONE, reason="one is new")
    warm.branch("two", TWO, reason="two is new")
    warm.git("merge", "--no-edit", "one")
    warm.take_code(ONE, TWO)
    warm.project.commit(message="merged in a hurry")
    assert "manifest-invalid" in failing(warm.check(base="HEAD^1"))
    assert warm.update().state == "written"
    assert warm.reasons == [(2, "two is new"), (3, "one is new")]


def test_update_joins_a_rebase(warm):
    warm.branch("one", ONE, reason="one is new")
    warm.branch("two", TWO, reason="two is new")
    assert warm.git("rebase", "one") != 0
    warm.take_code(ONE, TWO)
    assert warm.update().state == "written"
    assert warm.reasons == [(2, "one is new"), (3, "two is new")]
    warm.project.git("add", "--all")
    warm.project.git("-c", "core.editor=true", "rebase", "--continue")
    assert failing(warm.check(base="one")) == set()


def test_a_cherry_pick_brings_its_own_change_alone(warm):
    """What the other branch has besides was never promised here."""
    warm.branch("one", ONE, reason="one is new")
    warm.branch("two", TWO, reason="two is new", start="one")
    warm.project.git("checkout", "--quiet", "-b", "three", "main")
    assert warm.git("cherry-pick", "two") != 0
    warm.take_code(TWO)
    done = warm.update()
    assert done.state == "written", done.message
    assert warm.reasons == [(2, "two is new")]
    assert "one/kernel" not in warm.variables
    assert failing(warm.check()) == set()


def test_the_driver_merges_in_git(warm):
    with Repository(warm.project.root) as repository:
        assert "Commit .gitattributes" in set_up(repository)[-1]
        before = (warm.project.root / ".gitattributes").read_text()
        set_up(repository)
    assert before == "restore-manifest/*.json merge=restore-guard\n"
    assert (warm.project.root / ".gitattributes").read_text() == before
    warm.project.commit(message="driver")
    warm.branch("one", (LAST, "self.one = keras.layers.Dense(4)\n        " + LAST), reason="one is new")
    # Another class: what Keras numbers by class stays as it is.
    warm.branch(
        "two", ("        # one\n", "        self.two = keras.layers.LayerNormalization()\n"), reason="two is new"
    )
    code = warm.git("merge", "--no-edit", "one")
    assert code == 0, warm.done.stdout + warm.done.stderr
    assert warm.reasons == [(2, "two is new"), (3, "one is new")]
    # It describes what a build of the merged code makes.
    for side in ("HEAD^1", "HEAD^2"):
        assert failing(warm.check(base=side)) == set(), side


def test_what_the_driver_cannot_know_is_a_conflict_for_update(warm):
    with Repository(warm.project.root) as repository:
        set_up(repository)
    warm.project.commit(message="driver")
    warm.branch("one", (LAST, LAST.replace("4", "5")), reason="five")
    warm.branch("two", (LAST, LAST.replace("4", "6")), reason="six")
    assert warm.git("merge", "--no-edit", "one") != 0
    assert "<<<<<<<" in warm.file.read_text()
    warm.take_code((LAST, LAST.replace("4", "6")))
    assert warm.update().state == "written"
    assert warm.reasons == [(2, "six"), (3, "five")]


RENAMED = {
    "one": (("self.first = ", "self.stem = "), ("(self.first, ", "(self.stem, ")),
    "two": (("self.last = ", "self.top = "), ("self.last):", "self.top):")),
}
SAVE = """\
import sys
import tensorflow as tf
import net

model = net.build()
for number, variable in enumerate(model.variables):
    variable.assign(tf.fill(variable.shape, number + 1.0))
tf.train.Checkpoint(model).write(sys.argv[1])
"""
LOAD = """\
import sys
import tensorflow as tf
import net

for file in sys.argv[1:]:
    model = net.build()
    tf.train.Checkpoint(model).read(file).assert_consumed()
    assert [float(tf.reduce_max(variable)) for variable in model.variables] == [1.0, 2.0, 3.0, 4.0], file
"""


def test_migrations_of_both_sides_lead_to_the_merged_model(warm, keras3, tmp_path):
    """Checkpoints of where the branches parted and of either branch get across, each by what it lacks."""
    script = partial(warm.project.script, keras3)
    script(SAVE, tmp_path / "main")
    for name, edits in RENAMED.items():
        warm.branch(name, *edits, reason=f"{name} is renamed", migrate=True)
        script(SAVE, tmp_path / name)
    assert warm.git("merge", "--no-edit", "one") != 0
    warm.take_code(*RENAMED["one"], *RENAMED["two"])
    migrations = warm.project.root / "restore-manifest/net.migrations.toml"
    assert "<<<<<<<" in migrations.read_text()
    done = warm.update()
    assert done.state == "written" and "the migrations of both sides, renumbered" in done.message
    assert warm.reasons == [(2, "two is renamed"), (3, "one is renamed")]
    found = [(table.old, table.new, table.reason) for table in parse(migrations.read_bytes(), "m").tables]
    assert found == [(1, 2, "two is renamed"), (2, 3, "one is renamed")]
    written = migrations.read_bytes()
    warm.project.git("add", "--all")
    assert warm.update().state == "unchanged" and migrations.read_bytes() == written
    warm.project.git("commit", "--quiet", "--no-edit")
    for side in ("HEAD^1", "HEAD^2", "main"):
        assert failing(warm.check(base=side)) == set(), side
    for name in ("main", "one", "two"):
        done = warm.migrate(str(tmp_path / name), str(tmp_path / f"new-{name}"))
        assert done.exit_code == 0, [way.error for way in done.ways]
    script(LOAD, *(tmp_path / f"new-{name}" for name in ("main", "one", "two")))
