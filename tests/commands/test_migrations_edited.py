"""A migration that is edited after it was committed: values of old checkpoints go where they went before the change."""

import json

import pytest
from conftest import Project, settings, warm_python
from in_process import migrate

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import update as updating
from restore_guard.commands.check import check

pytestmark = pytest.mark.tensorflow

NET = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.{first} = keras.layers.Dense(4)
        self.{second} = keras.layers.Dense(4)

    def call(self, x):
        return self.{first}(x) - self.{second}(x)


def build():
    model = Net()
    model(tf.zeros((1, 4)))
    return model
"""
FILE = "restore-manifest/net.migrations.toml"
MIGRATIONS = """\
[[migration]]
from = 1
to = 2
reason = "names follow the paper"
rename = [
    { from = "query/**", to = "one/**" },
    { from = "key/**", to = "two/**" },
]
"""


EXCHANGED = MIGRATIONS.replace("query", "_").replace("key", "query").replace("_", "key")

SAVE = """\
import json, sys
import numpy as np
import net

model, random = net.build(), np.random.default_rng(0)
for variable in model.variables:
    variable.assign(random.normal(size=variable.shape))
model.save_weights(sys.argv[1])
print(json.dumps({"query": model.query.kernel.numpy().tolist(), "key": model.key.kernel.numpy().tolist()}))
"""
LOAD = """\
import json, sys
import net

model = net.build()
model.load_weights(sys.argv[1])
print(json.dumps(model.one.kernel.numpy().tolist()))
"""


class Warm:
    """The repository at epoch 2, and the commands in this process."""

    def __init__(self, project):
        self.project = project

    def check(self, witness="auto"):
        with Repository(self.project.root) as repository:
            sides = Sides(repository.head(), repository.worktree())
            result = check(Run(repository, self.project.environ), sides, witness=witness)
        return result.exit_code, result.models[0]

    def migrate(self, checkpoint, out):
        return migrate(self.project, checkpoint, out)

    def script(self, python, text, *arguments):
        return json.loads(self.project.script(python, text, *arguments).splitlines()[-1])


@pytest.fixture(scope="module")
def base(keras3, tmp_path_factory):
    folder = tmp_path_factory.mktemp("edited")
    project = Project(folder / "project", folder / "home")
    promised = 'builder = "net:build"\nrestores = ["tf-checkpoint", "keras-weights"]'
    with warm_python(keras3):
        project.write({"pyproject.toml": settings(keras3, {"net": promised}, timeout=120)})
        for first, second, reason in (("query", "key", None), ("one", "two", "names follow the paper")):
            project.write({"net.py": NET.format(first=first, second=second)})
            with Repository(project.root) as repository:
                (done,) = updating.update(Run(repository, project.environ), names=[], reason=reason)
            assert done.state == "written", done.message
            project.commit({FILE: MIGRATIONS} if reason else {}, message=f"{first} and {second}")
        yield project.root


@pytest.fixture
def warm(base, make_repository):
    return Warm(make_repository(copy_of=base))


def told(model):
    return [(f.line, f.message) for f in model.findings if f.rule == "migration-invalid"]


@pytest.mark.parametrize("witness", ["never", "auto", "always"])
def test_an_edit_that_exchanges_two_variables_of_one_shape_fails(warm, witness):
    warm.project.write({FILE: EXCHANGED})
    code, model = warm.check(witness)
    assert (code, model.verdict) == (1, "breaks")
    first = warm.project.git("rev-parse", "HEAD~1")[:8]
    ((line, said), (other, _)) = told(model)
    assert (line, other) == (6, 7)
    assert said.startswith(f"Checkpoints of epoch 1 (since {first}, ")
    assert "one/kernel got the value of query/kernel, and now gets that of key/kernel (and 1 more). Take" in said


def test_what_is_said_of_an_edit_is_what_really_migrating_does(warm, keras3, tmp_path):
    """A checkpoint that the code of epoch 1 has saved, migrated by either migration."""
    old = tmp_path / "old.weights.h5"
    warm.project.git("checkout", "-q", "HEAD~1", "--", "net.py")
    saved = warm.script(keras3, SAVE, old)
    warm.project.git("checkout", "-q", "HEAD", "--", "net.py")
    for text, out, came_from in ((MIGRATIONS, "as_committed", "query"), (EXCHANGED, "as_edited", "key")):
        warm.project.write({FILE: text})
        new = tmp_path / f"{out}.weights.h5"
        done = warm.migrate(old, new)
        assert done.exit_code == 0, done.ways[0].error
        assert warm.script(keras3, LOAD, new) == saved[came_from]


OPEN = (
    MIGRATIONS.partition("rename")[0]
    + """\
open = [
    { saved = "query/kernel", choose = "rename it" },
]
"""
)


@pytest.mark.parametrize("is_released", [False, True], ids=["history", "release"])
@pytest.mark.parametrize(("witness", "is_tried"), [("auto", True), ("always", True), ("never", False)])
def test_what_is_decided_later_is_tried_on_a_checkpoint_of_the_older_commit(warm, witness, is_tried, is_released):
    warm.project.commit({FILE: OPEN})
    if is_released:
        warm.project.edit("pyproject.toml", "[tool.restore-guard]", '[tool.restore-guard]\nreleases = ["v*"]')
        warm.project.commit(message="releases")
        warm.project.git("tag", "v1", "HEAD~3")
    warm.project.write({FILE: MIGRATIONS})
    code, model = warm.check(witness)
    assert (code, told(model)) == (0, []), model.notes
    assert any("was not tried on a real checkpoint" in note for note in model.notes) is not is_tried, model.notes


def test_an_edit_after_which_nothing_gets_across_fails(warm):
    warm.project.write({FILE: MIGRATIONS.replace("rename", "renames")})
    code, model = warm.check("never")
    ((_, said),) = told(model)
    assert code == 1 and "The migrations cannot be read: " in said and "unknown field `renames`" in said
    (warm.project.root / FILE).unlink()
    code, model = warm.check("never")
    ((_, said),) = told(model)
    assert code == 1 and said.endswith("and no longer do: a migration on their way is gone.")


@pytest.mark.parametrize(
    "text",
    [
        MIGRATIONS.replace("names follow the paper", "as the paper has it"),
        "# reviewed\n" + MIGRATIONS.replace('"one/**" },', '"one/**" }, # section 3'),
        MIGRATIONS.replace('{ from = "query/**"', '{ from = "query/kernel", to = "one/kernel" }, { from = "query/**"'),
    ],
    ids=["reason", "comments", "no effect"],
)
def test_an_edit_that_changes_no_value_is_green(warm, text):
    warm.project.write({FILE: text})
    code, model = warm.check()
    assert (code, model.verdict, told(model)) == (0, "restores", [])


def test_a_correction_is_let_through_by_name_and_only_there(warm):
    warm.project.write({FILE: EXCHANGED})
    ignored = '\n[[tool.restore-guard.ignore]]\nmodel = "net"\nrule = "migration-invalid"\nreason = "it was wrong"\n'
    pyproject = warm.project.root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + ignored)
    code, model = warm.check("never")
    assert (code, {f.status for f in model.findings if f.rule == "migration-invalid"}) == (0, {"ignored"})


def test_where_the_older_manifest_is_not_in_the_clone_nothing_is_green(warm, make_repository):
    shallow = make_repository("shallow")
    for command in (("fetch", "-q", "--depth=1", warm.project.root.as_uri(), "HEAD"), ("reset", "-q", "--hard")):
        shallow.git(*command, *(["FETCH_HEAD"] if command[0] == "reset" else []))
    shallow.write({FILE: EXCHANGED})
    code, model = Warm(shallow).check("never")
    assert (code, model.verdict, told(model)) == (3, "unchecked", [])
    assert any("is edited and cannot be judged" in note and "--unshallow" in note for note in model.notes)
