"""`audit` and `migrate` with the formats of today, made by real Keras: told as they restore, and carried across."""

import json
import shutil
import subprocess

import pytest
from conftest import Project, settings, warm_python

from restore_guard.build import Build, Job
from restore_guard.building import checkpoint
from restore_guard.building.probing import Probe
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.commands import audit as auditing
from restore_guard.commands import migrate as migrating
from restore_guard.commands import update as updating
from restore_guard.commands.migrate import Request
from restore_guard.config import Config, Model
from restore_guard.errors import UsageError
from restore_guard.reports import audit_text, migrate_text

pytestmark = pytest.mark.tensorflow

NET = """\
import tensorflow as tf
import keras


@keras.saving.register_keras_serializable("net")
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words = keras.layers.Embedding({words}, 4)
        self.{norm} = keras.layers.BatchNormalization()
        self.top = keras.layers.Dense({units})

    def call(self, x):
        return self.top(self.{norm}(tf.reduce_mean(self.words(x), 1)))

    def build_from_config(self, config):
        self(tf.zeros((1, 4), tf.int32))


def build():
    model = Net()
    model(tf.zeros((1, 4), tf.int32))
    model.compile(optimizer=keras.optimizers.Adam(), loss="mse")
    return model
"""
OLD = NET.format(words=10, norm="norm", units=2)
NEW = NET.format(words=12, norm="scale", units=2)
WIDER = NET.format(words=10, norm="norm", units=3)
MIGRATIONS = """\
[[migration]]
from = 1
to = 2
reason = "names follow the paper"
rename = [{ from = "norm/**", to = "scale/**" }]
grow = [{ variable = "words/embeddings", axis = 0 }]
"""
# Saves in every format that a training script leaves.
SAVE = """\
import json, os, sys
import keras
import numpy as np
import tensorflow as tf
import net

folder, size = sys.argv[1], 3e-7
model = net.build()
x, y = np.random.randint(0, 9, (8, 4)), np.random.rand(8, 2)
backup = keras.callbacks.BackupAndRestore(f"{folder}/backup", delete_checkpoint=False, double_checkpoint=True)
every = keras.callbacks.ModelCheckpoint(folder + "/many/w.{epoch:02d}.weights.h5", save_weights_only=True)
model.fit(x, y, epochs=2, verbose=0, callbacks=[backup, every])
os.mkdir(f"{folder}/sharded")
model.save_weights(f"{folder}/sharded/net.weights.json", max_shard_size=size)
model.save(f"{folder}/unzipped", zipped=False)
tf.saved_model.save(model, f"{folder}/saved")
model.export(f"{folder}/exported", verbose=False)
variables = [*model.variables, *model.optimizer.variables]
print(json.dumps([variable.numpy().tolist() for variable in variables]))
for variable in variables:
    variable.assign(variable + 1)
os.mkdir(f"{folder}/later")
model.save_weights(f"{folder}/later/net.weights.json", max_shard_size=size * 2)
"""
LOAD = """\
import json, sys
import keras
import tensorflow as tf
import net

found = {}
for name, file in json.loads(sys.argv[1]).items():
    model = net.build()
    model.optimizer.build(model.trainable_variables)
    try:
        if file.endswith(("unzipped", ".keras")):
            model = keras.saving.load_model(file)
        elif file.endswith((".h5", ".json")):
            model.load_weights(file)
        else:
            tf.train.Checkpoint(model).restore(file).assert_nontrivial_match()
        variables = [*model.variables, *model.optimizer.variables]
        found[name] = [variable.numpy().tolist() for variable in variables]
    except Exception as error:
        found[name] = type(error).__name__
print(json.dumps(found))
"""


class Warm:
    """A project with two epochs, what the first one saved, and the commands in this process."""

    def __init__(self, project, python, folder):
        self.project, self.python, self.folder = project, python, folder

    def script(self, text, *arguments):
        return json.loads(self.project.script(self.python, text, *arguments).splitlines()[-1])

    def load(self, files):
        return self.script(LOAD, json.dumps({name: str(file) for name, file in files.items()}))

    def audit(self, checkpoint, code=NEW):
        self.project.write({"net.py": code})
        with Repository(self.project.root) as repository:
            return auditing.audit(Run(repository, self.project.environ), str(checkpoint), name=None)

    def migrate(self, checkpoint, out, **options):
        self.project.write({"net.py": NEW})
        with Repository(self.project.root) as repository:
            run = Run(repository, self.project.environ)
            return migrating.migrate(run, Request(str(checkpoint), str(out), **options), confirm=lambda _: False)

    def copy(self, sample, to):
        return shutil.copytree(self.folder / sample, to)


@pytest.fixture(scope="module")
def warm(keras3, tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    project = Project(folder / "project", folder / "home")
    promised = 'builder = "net:build"\nrestores = ["tf-checkpoint", "keras-weights", "keras-archive"]'
    with warm_python(keras3):
        found = Warm(project, keras3, folder)
        project.write({"pyproject.toml": settings(keras3, {"net": promised}, timeout=120), "net.py": OLD})
        found.saved = found.script(SAVE, folder)
        for code, reason in ((OLD, None), (NEW, "names")):
            project.write({"net.py": code})
            with Repository(project.root) as repository:
                (done,) = updating.update(Run(repository, project.environ), names=[], reason=reason)
            assert done.state == "written", done.message
            project.commit(message=reason or "the first")
        project.commit({"restore-manifest/net.migrations.toml": MIGRATIONS}, "migrations")
        yield found


FORMATS = {
    "sharded/net.weights.json": "sharded Keras weights",
    "sharded": "sharded Keras weights",
    "sharded/net_00001.weights.h5": "sharded Keras weights",
    "unzipped": "unzipped Keras archive",
    "backup": "Keras weights file",
    "saved": "SavedModel",
}


def test_every_format_is_named_and_restores_into_the_code_that_wrote_it(warm):
    for sample, name in FORMATS.items():
        found = warm.audit(warm.folder / sample, OLD)
        text = audit_text.render(found, color=False, width=120)
        assert (found.checkpoint.format, found.exit_code) == (name, 0), text
        if sample == "backup":
            assert "BackupAndRestore, which says epoch 2; the checkpoint in it is latest.weights.h5" in text
        if sample.endswith("00001.weights.h5"):
            assert "net_00001.weights.h5 is a shard: the whole is net.weights.json" in text
    with pytest.raises(UsageError, match="several checkpoints and no state file: name one of w.01.weights.h5"):
        warm.audit(warm.folder / "many", OLD)


def test_what_export_writes_is_named_and_restores_into_no_code(warm):
    found = warm.audit(warm.folder / "exported", OLD)
    assert found.checkpoint.format == "SavedModel" and "written by model.export()" in found.checkpoint.notes[0]
    assert found.exit_code == 1
    assert warm.load({"exported": warm.folder / "exported/variables/variables"}) == {"exported": "AssertionError"}


def test_what_changed_is_found_in_every_format(warm):
    """The truth of all of them, by the same load calls: a wider layer raises, an other name keeps initial values."""
    files = {
        "sharded": warm.folder / "sharded/net.weights.json",
        "unzipped": warm.folder / "unzipped",
        "backup": warm.folder / "backup/latest.weights.h5",
    }
    for sample in files:
        assert warm.audit(warm.folder / sample, WIDER).verdict == "breaks", sample
    wider = warm.load({name: file for name, file in files.items() if name != "unzipped"})
    assert wider == {"sharded": "ValueError", "backup": "ValueError"}


def test_damage_between_an_index_and_its_shards_is_told(warm, tmp_path):
    """Each as real Keras takes it: it raises, or loads values of two saves in silence."""
    files = {}
    for name in ("missing", "cut", "renamed", "foreign", "index"):
        files[name] = warm.copy("sharded", tmp_path / name) / "net.weights.json"
    (tmp_path / "missing/net_00001.weights.h5").unlink()
    shard = tmp_path / "cut/net_00001.weights.h5"
    shard.write_bytes(shard.read_bytes()[:900])
    files["renamed"] = files["renamed"].rename(tmp_path / "renamed/other.weights.json")
    shutil.copy(warm.folder / "later/net_00000.weights.h5", tmp_path / "foreign/net_00000.weights.h5")
    files["index"].write_text(files["index"].read_text()[:-20])
    said = {
        "missing": "net_00001.weights.h5 is missing: the index places variables of 1 objects in it",
        "cut": "net_00001.weights.h5: HDF5 cannot read it",
        "renamed": "Keras opens other_00000.weights.h5 first",
        "foreign": "is of another save",
        "index": "it is no index of sharded weights",
    }
    for name, file in files.items():
        found = warm.audit(file, OLD).checkpoint
        assert found.state == "damaged" and any(said[name] in damage for damage in found.damage), (name, found.damage)
    loaded = warm.load(files)
    assert all(isinstance(loaded[name], str) for name in files if name != "foreign")
    folder = warm.copy("unzipped", tmp_path / "folder")
    (folder / "metadata.json").unlink()
    assert warm.audit(folder, OLD).checkpoint.damage == ("metadata.json is missing",)


def test_an_orbax_folder_is_named_and_what_can_be_done_is_said(warm, tmp_path):
    """The names are those that Keras 3.15.1 writes with Orbax 0.12.8."""
    for file in ("_CHECKPOINT_METADATA", "commit_success.txt", "pytree/_METADATA", "pytree/manifest.ocdbt"):
        (tmp_path / "orbax/1" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "orbax/1" / file).write_text("{}")
    for folder in ("orbax", "orbax/1"):
        found = warm.audit(tmp_path / folder, OLD)
        text = audit_text.render(found, color=False, width=120)
        assert (found.exit_code, found.checkpoint.format) == (3, "Orbax checkpoint")
        assert "could not be read: it is an Orbax checkpoint" in text and "model.save_weights(" in text
    done = warm.migrate(tmp_path / "orbax", tmp_path / "out")
    assert done.exit_code == 1 and "it is an Orbax checkpoint" in done.ways[0].error


def test_every_format_gets_across_and_restores_by_the_plain_call(warm, tmp_path):
    asked = {
        "sharded/net.weights.json": ("new.weights.json", "new.weights.json"),
        "sharded": ("sharded", "sharded/net.weights.json"),
        "sharded/net_00001.weights.h5": ("one.weights.h5", "one.weights.h5"),
        "unzipped": ("unzipped", "unzipped"),
        "backup": ("backup", "backup/latest.weights.h5"),
        "many": ("many", "many/w.02.weights.h5"),
        "saved": ("saved", "saved"),
    }
    before = {path: path.read_bytes() for path in warm.folder.glob("*/**/*") if path.is_file()}
    for sample, (out, _) in asked.items():
        done = warm.migrate(warm.folder / sample, tmp_path / out)
        assert done.exit_code == 0, (sample, [way.error for way in done.ways])
        assert "all right" in migrate_text.render(done), sample
    assert len(list(tmp_path.glob("new_0000?.weights.h5"))) > 1
    assert (tmp_path / "backup/training_metadata.json").read_bytes() == before[
        warm.folder / "backup/training_metadata.json"
    ]
    found = warm.load({sample: tmp_path / file for sample, (_, file) in asked.items()})
    for sample, values in found.items():
        assert len(values[0]) == 12
        for value, old in zip(values, warm.saved, strict=True):
            assert old == (value[: len(old)] if isinstance(old, list) else value), sample
    assert {path: path.read_bytes() for path in before} == before
    with pytest.raises(UsageError, match="exists already"):
        warm.migrate(warm.folder / "sharded", tmp_path / "new.weights.json")
    with pytest.raises(UsageError, match="ends in .weights.h5, or .weights.json for several"):
        warm.migrate(warm.folder / "many/w.01.weights.h5", tmp_path / "new.h5")


SAVE_2 = """\
import sys
import keras
import numpy as np
import net2

folder = sys.argv[1]
model = net2.build()
backup = keras.callbacks.BackupAndRestore(f"{folder}/backup", delete_checkpoint=False)
every = keras.callbacks.ModelCheckpoint(f"{folder}/many/w", save_weights_only=True)
model.fit(np.ones((8, 3)), np.ones((8, 2)), epochs=2, verbose=0, callbacks=[backup, every])
model.save(f"{folder}/whole")
"""
NET_2 = """\
import keras


def build():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])
    model.compile(optimizer="adam", loss="mse")
    return model
"""


def test_what_callbacks_of_keras_2_leave_is_named_and_restores(keras2, tmp_path):
    (tmp_path / "net2.py").write_text(NET_2)
    done = subprocess.run([keras2, "-c", SAVE_2, tmp_path], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    names = ("backup", "many", "whole")
    config = Config(models={"net": Model(builder="net2:build", restores=("tf-checkpoint",))})
    with Probe(keras2) as probe:
        jobs = [checkpoint.job(name, str(tmp_path / name), 60) for name in names]
        found = probe.run([*jobs, Job("build", tmp_path, "net2:build")])
    build = Build(found["build"].signature)
    for name in names:
        read = checkpoint.read(found[name], str(tmp_path / name))
        judged = auditing.judge(read, "net", build, config, {})
        result = judged.restores["tf-checkpoint"]
        assert (read.damage, result.restored, result.initial) == ((), judged.variables, ()), (name, judged.notes)
        assert read.format == ("SavedModel" if name == "whole" else "TensorFlow checkpoint")
        assert any("BackupAndRestore" in note for note in read.notes) == (name == "backup")
