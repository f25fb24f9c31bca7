"""`migrate` with files that it cannot carry across: one message that says why and what to do, and nothing written."""

import pytest
from conftest import Project, settings, warm_python
from in_process import migrate

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.commands import update as updating
from restore_guard.reports import migrate_text

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

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
# The third epoch has the names of the first one, and other roles for them.
EPOCHS = [("query", "key"), ("one", "two"), ("key", "query")]
MIGRATIONS = """\
[[migration]]
from = 1
to = 2
reason = "names follow the paper"
rename = [{ from = "query/**", to = "one/**" }, { from = "key/**", to = "two/**" }]

[[migration]]
from = 2
to = 3
reason = "names that say more"
rename = [{ from = "one/**", to = "key/**" }, { from = "two/**", to = "query/**" }]
"""
SAVE = """\
import sys
import h5py
import tensorflow as tf
from keras.src.legacy.saving import legacy_h5_format
import net

model, folder = net.build(), sys.argv[1]
model.save_weights(f"{folder}/old.weights.h5")
with h5py.File(f"{folder}/old.h5", "w") as file:
    legacy_h5_format.save_weights_to_hdf5_group(file, model)
tf.train.Checkpoint(model).write(f"{folder}/plain")
"""
SPOIL = """\
import shutil, sys
import h5py

folder = sys.argv[1]
for name, group in (("old.weights.h5", "layers/dense"), ("old.h5", "dense/net/dense")):
    open(f"{folder}/empty-{name}", "w").close()
    h5py.File(f"{folder}/nothing-{name}", "w").close()
    shutil.copy(f"{folder}/{name}", f"{folder}/holes-{name}")
    with h5py.File(f"{folder}/holes-{name}", "r+") as file:
        del file[group]
"""


class Warm:
    """A repository, and the command in this process."""

    def __init__(self, project, folder):
        self.project, self.folder = project, folder

    def migrate(self, checkpoint, out, **options):
        return migrate(self.project, checkpoint, out, **options)


@pytest.fixture(scope="module")
def base(keras3, tmp_path_factory):
    folder = tmp_path_factory.mktemp("strange")
    project = Project(folder / "project", folder / "home")
    promised = 'builder = "net:build"\nrestores = ["tf-checkpoint", "keras-weights", "h5"]'
    with warm_python(keras3):
        project.write({"pyproject.toml": settings(keras3, {"net": promised}, timeout=120)})
        for number, (first, second) in enumerate(EPOCHS, 1):
            project.write({"net.py": NET.format(first=first, second=second)})
            with Repository(project.root) as repository:
                reason = f"names {number}" if number > 1 else None
                (done,) = updating.update(Run(repository, project.environ), names=[], reason=reason)
            assert done.state == "written", done.message
            project.commit(message=f"epoch {number}")
            (folder / f"old{number}").mkdir()
            project.script(keras3, SAVE, folder / f"old{number}")
        project.commit({"restore-manifest/net.migrations.toml": MIGRATIONS}, "migrations")
        project.script(keras3, SPOIL, folder / "old1")
        yield Warm(project, folder)


@pytest.fixture
def warm(base, make_repository):
    return Warm(make_repository(copy_of=base.project.root), base.folder)


@pytest.fixture
def refused(warm, tmp_path):
    """Why a file is refused; nothing was written."""

    def ask(file, name="out", **options):
        out = tmp_path / "made"
        out.mkdir(exist_ok=True)
        done = warm.migrate(file, out / name, **options)
        assert done.exit_code == 1
        assert migrate_text.render(done).endswith("\nnothing was written: 1 of 1 file cannot get across\n")
        assert list(out.iterdir()) == []
        return done.ways[0].error

    return ask


@pytest.mark.parametrize("step", ["", "0"])
def test_an_orbax_folder_is_named_with_what_to_do(refused, tmp_path, step):
    orbax = tmp_path / "orbax"
    (orbax / "0" / "state").mkdir(parents=True)
    (orbax / "0" / "_CHECKPOINT_METADATA").write_text("{}")
    said = refused(orbax / step, "out.weights.h5")
    assert "it is an Orbax checkpoint, whose format restore-guard does not read. Load it by the Keras" in said
    assert 'model.save_weights("x.weights.h5")' in said


@pytest.mark.parametrize("name", ["old.weights.h5", "old.h5"])
def test_a_file_with_nothing_in_it_is_told_from_a_damaged_one(warm, refused, name):
    assert refused(warm.folder / "old1" / f"empty-{name}", name) == "it is damaged: it is not an HDF5 file"
    said = refused(warm.folder / "old1" / f"nothing-{name}", name)
    assert said == "it holds no value of any variable, so that nothing of it can be carried across"


def test_a_group_that_is_missing_is_named(warm, refused):
    said = refused(warm.folder / "old1/holes-old.weights.h5", "out.weights.h5")
    assert said.startswith("it is of no model that a manifest promises. Nearest is epoch ")
    assert "cannot load it: Layer 'dense' expected 2 variables, but received 0 variables" in said
    said = refused(warm.folder / "old1/holes-old.h5", "out.h5")
    assert said == "it is damaged: dense/net/dense/kernel is missing, though dense lists it"


@pytest.mark.parametrize("options", [{}, {"epoch": 2}], ids=["found", "named"])
def test_a_file_of_a_later_epoch_than_what_is_checked_out_is_no_guess(warm, refused, options):
    second = warm.project.git("rev-parse", "HEAD~2")[:8]
    warm.project.git("checkout", "-q", "HEAD~3")
    said = refused(warm.folder / "old2/plain", **options)
    assert said.startswith(f"it is of epoch 2 (since {second}, ")
    assert said.endswith("is not in the history of the code on disk (epoch 1): check out that commit or a later one")


def test_a_file_that_fits_two_epochs_needs_a_persons_word(warm, refused, tmp_path):
    file = warm.folder / "old1/plain"
    said = refused(file)
    assert said.startswith("it fits the model of epoch 1 (since ") and " and of epoch 3 (the code on disk)" in said
    assert said.endswith("its values belong elsewhere in each: say which one the file is of: --epoch NUMBER.")
    assert warm.migrate(file, tmp_path / "said", epoch=1).exit_code == 0
    assert (tmp_path / "said.index").exists()


def test_a_file_that_fits_two_epochs_is_told_which_migration_is_not_decided(warm, refused):
    undecided = MIGRATIONS.rpartition("rename = ")[0] + 'open = [\n    { saved = "one/kernel", choose = "drop" },\n]\n'
    warm.project.write({"restore-manifest/net.migrations.toml": undecided})
    said = refused(warm.folder / "old1/plain")
    assert "and from epoch 1 it cannot be migrated yet: restore-manifest/net.migrations.toml:12: " in said
    assert "the saved value one/kernel is open: decide (drop)" in said and "elsewhere" not in said
