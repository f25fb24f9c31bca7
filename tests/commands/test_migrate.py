"""`migrate` with real checkpoints of two older epochs: what it writes restores, and old files stay as they are."""

import json
import signal
import time
from pathlib import Path

import pytest
from conftest import Project, settings, warm_python
from in_process import migrate

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.commands import finding
from restore_guard.commands import update as updating
from restore_guard.errors import UsageError
from restore_guard.reports import finding_json, finding_text, migrate_text

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

# Three epochs of a model with an optimizer, a layer in a list, an embedding that grows and layers that are alike.
NET = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.words = keras.layers.Embedding({words}, 4)
        self.{first} = keras.layers.Dense(3)
        self.{second} = keras.layers.Dense(3)
        self.{extra} = keras.layers.Dense({units})
        self.heads = [keras.layers.Dense(2)]

    def call(self, x):
        x = tf.reduce_mean(self.words(x), 1)
        self.{extra}(x)
        return self.heads[0](self.{second}(self.{first}(x)))


def build():
    model = Net()
    model(tf.zeros((1, 4), tf.int32))
    model.compile(optimizer=keras.optimizers.Adam(), loss="mse")
    return model
"""
EPOCHS = [
    NET.format(words=10, first="a", second="b", extra="aux", units=7),
    NET.format(words=12, first="first", second="b", extra="fresh", units=5),
    NET.format(words=12, first="first", second="last", extra="fresh", units=5),
]
MIGRATIONS = """\
[[migration]]
from = 1
to = 2
reason = "names follow the paper"
rename = [
    { from = "a/**", to = "first/**" },
]
drop = ["aux/**"]
initial = ["fresh/**"]
grow = [{ variable = "words/embeddings", axis = 0 }]

[[migration]]
from = 2
to = 3
reason = "the last is called so"
rename = [{ from = "b/**", to = "last/**" }]
"""
SAVE = """\
import json, sys
import numpy as np
import tensorflow as tf
import net

model, step = net.build(), tf.Variable(7, dtype=tf.int64)
model.optimizer.build(model.trainable_variables)
random = np.random.default_rng(0)
for variable in [*model.variables, *model.optimizer.variables]:
    if variable.dtype != "int64":
        variable.assign(random.normal(size=variable.shape))
folder = sys.argv[1]
model.save_weights(f"{folder}/old.weights.h5")
tf.train.Checkpoint(model).write(f"{folder}/plain")
manager = tf.train.CheckpointManager(tf.train.Checkpoint(model=model, step=step), f"{folder}/manager", 3)
for number in range(2):
    step.assign_add(1)
    manager.save()
table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
table.insert(["word"], [7])
tf.train.Checkpoint(model=model, words=table).write(f"{folder}/table")
momentum = model.optimizer._momentums[1 if hasattr(model, "a") else 3]
layer = model.a if hasattr(model, "a") else model.b
print(json.dumps({"words": model.words.embeddings.numpy().tolist(), "layer": layer.kernel.numpy().tolist(),
                  "head": model.heads[0].kernel.numpy().tolist(), "momentum": momentum.numpy().tolist()}))
"""
LOAD = """\
import json, sys
import tensorflow as tf
import net

found = {}
for name, file, kind in json.loads(sys.argv[1]):
    model, step = net.build(), tf.Variable(0, dtype=tf.int64)
    model.optimizer.build(model.trainable_variables)
    if kind == "weights":
        model.load_weights(file)
    elif kind == "plain":
        tf.train.Checkpoint(model).read(file).assert_existing_objects_matched()
    elif kind == "table":
        table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
        tf.train.Checkpoint(model=model, words=table).read(file).assert_consumed()
        step.assign(int(table.lookup("word")))
    elif kind == "saved":
        tf.train.Checkpoint(model).restore(file).assert_consumed()
    else:
        checkpoint = tf.train.Checkpoint(model=model, step=step)
        manager = tf.train.CheckpointManager(checkpoint, file, 3)
        checkpoint.restore(manager.latest_checkpoint).assert_consumed()
    found[name] = {"words": model.words.embeddings.numpy()[:10].tolist(), "first": model.first.kernel.numpy().tolist(),
                   "last": model.last.kernel.numpy().tolist(), "head": model.heads[0].kernel.numpy().tolist(),
                   "momentum": [value.numpy().tolist() for value in model.optimizer._momentums],
                   "step": int(step), "rows": model.words.embeddings.shape[0]}
print(json.dumps(found))
"""


class Warm:
    """The repository with its three epochs, its old files, and the command in this process."""

    def __init__(self, project, probe, python, folder):
        self.project, self.probe, self.python, self.folder = project, probe, python, folder
        self.saved = {}

    def script(self, text, *arguments):
        return json.loads(self.project.script(self.python, text, *arguments).splitlines()[-1])

    def migrate(self, checkpoint, out, answer=False, **options):
        return migrate(self.project, checkpoint, out, answer, **options)


@pytest.fixture(scope="module")
def warm(keras3, tmp_path_factory):
    folder = tmp_path_factory.mktemp("migrate")
    project = Project(folder / "project", folder / "home")
    promised = 'builder = "net:build"\nrestores = ["tf-checkpoint", "keras-weights"]'
    with warm_python(keras3) as probe:
        found = Warm(project, probe, keras3, folder)
        project.write({"pyproject.toml": settings(keras3, {"net": promised}, timeout=120)})
        for number, text in enumerate(EPOCHS, 1):
            project.write({"net.py": text})
            with Repository(project.root) as repository:
                reason = "names" if number > 1 else None
                (done,) = updating.update(Run(repository, project.environ), names=[], reason=reason)
            assert done.state == "written", done.message
            project.commit(message=f"epoch {number}")
            if number < 3:
                (folder / f"old{number}").mkdir()
                found.saved[number] = found.script(SAVE, folder / f"old{number}")
        project.commit({"restore-manifest/net.migrations.toml": MIGRATIONS}, "migrations")
        yield found


def test_old_checkpoints_of_every_kind_restore_by_the_plain_call(warm, tmp_path):
    before = {path: path.read_bytes() for path in warm.folder.glob("old*/**/*") if path.is_file()}
    asked = [
        ("weights", "old1/old.weights.h5", "new.weights.h5", "weights", {}),
        ("plain", "old1/plain", "plain", "plain", {}),
        ("manager", "old1/manager", "manager", "manager", {}),
        ("table", "old1/table", "table", "table", {}),
        ("crossed", "old1/manager/ckpt-1", "crossed.weights.h5", "weights", {"to": "keras-weights"}),
        ("back", "old1/old.weights.h5", "back", "saved", {"to": "tf-checkpoint"}),
        ("later", "old2/old.weights.h5", "later.weights.h5", "weights", {}),
    ]
    for name, old, new, _, options in asked:
        done = warm.migrate(warm.folder / old, tmp_path / new, **options)
        assert done.exit_code == 0, [way.error for way in done.ways]
        assert "all right" in migrate_text.render(done), name
    found = warm.script(LOAD, json.dumps([[name, str(tmp_path / new), kind] for name, _, new, kind, _ in asked]))
    for name, values in found.items():
        saved = warm.saved[2 if name == "later" else 1]
        assert values["rows"] == 12
        assert values["words"] == saved["words"][:10], name
        assert values["head"] == saved["head"], name
        assert values["last" if name == "later" else "first"] == saved["layer"], name
        assert saved["momentum"] in values["momentum"], name
        assert values["step"] == {"manager": 9, "table": 7}.get(name, 0)
    assert {path: path.read_bytes() for path in before} == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_dry_run_shows_what_would_become_of_each_value_and_writes_nothing(warm, tmp_path):
    done = warm.migrate(warm.folder / "old1/old.weights.h5", tmp_path / "new.weights.h5", dry_run=True)
    text = migrate_text.render(done, dry_run=True)
    assert "layers/embedding/vars/0 (10, 4)" in text and "words/embeddings (12, 4)" in text
    assert "grows along axis 0, initial" in text
    assert "1 → 2 (names follow the paper), 2 → 3 (the last is called so)" in text
    assert "aux/vars/0 (4, 7)" in text and "(dropped)" in text and "this was a dry run" in text
    assert list(tmp_path.iterdir()) == []


def test_what_is_of_today_needs_nothing(warm, tmp_path):
    """The list of the optimizer still leads to a renamed layer in a checkpoint of a trained model."""
    done = warm.migrate(warm.folder / "old2/plain", tmp_path / "new")
    assert done.exit_code == 0 and "nothing to do" in migrate_text.render(done)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_get_across_says_why_and_leaves_nothing(warm, tmp_path):
    file, out = warm.folder / "old1/old.weights.h5", tmp_path / "out.weights.h5"

    def refused(checkpoint=file, text=MIGRATIONS, **options):
        warm.project.write({"restore-manifest/net.migrations.toml": text})
        done = warm.migrate(checkpoint, options.pop("out", out), **options)
        assert done.exit_code == 1
        assert "nothing was written" in migrate_text.render(done)
        return done.ways[0].error

    try:
        damaged = tmp_path / "cut.weights.h5"
        damaged.write_bytes(file.read_bytes()[:5000])
        assert "it is damaged" in refused(damaged)
        stranger = tmp_path / "stranger.weights.h5"
        warm.script(
            "import sys; from tensorflow import keras; "
            "m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(9)]); m.save_weights(sys.argv[1]); print(1)",
            stranger,
        )
        assert "of no model that a manifest promises. Nearest is epoch" in refused(stranger)
        tables = refused(warm.folder / "old1/table", to="keras-weights")
        assert "keras-weights never writes hash tables (words), whose contents would be lost" in tables
        line = "restore-manifest/net.migrations.toml:"
        assert f"{line}6: a/kernel (now frist/kernel) goes to no variable" in refused(
            text=MIGRATIONS.replace('"first/**"', '"frist/**"')
        )
        assert "fresh/kernel is open: no saved value" in refused(
            text=MIGRATIONS.replace('initial = ["fresh/**"]\n', "")
        )
        assert f"{line}8: it is not valid TOML" in refused(text=MIGRATIONS.replace("drop = [", "drop ["))
        assert "no migration leads from epoch 2 to 3" in refused(
            text=MIGRATIONS.partition("\n[[migration]]\nfrom = 2")[0]
        )
        assert "tf1-saver" in refused(to="tf1-saver", out=tmp_path / "ckpt")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.weights.h5", "stranger.weights.h5"]
    finally:
        warm.project.write({"restore-manifest/net.migrations.toml": MIGRATIONS})


def test_a_file_is_found_in_history_without_a_build(warm, tmp_path):
    warm.project.git("tag", "v1", "HEAD~3")

    def find(checkpoint):
        with Repository(warm.project.root) as repository:
            return finding.look_up(Run(repository, warm.project.environ), str(checkpoint), name=None)

    (place,) = find(warm.folder / "old1/old.weights.h5").places
    first, second = (warm.project.git("rev-parse", ref)[:8] for ref in ("HEAD~3", "HEAD~2"))
    assert (place.model, place.epoch, place.today) == ("net", 1, 3)
    assert (place.since[0], place.until[0]) == (first, second)
    assert [tag for tag, _ in place.releases] == ["v1"] and place.framework["keras"] == "3.15.1"
    found = find(warm.folder / "old2/old.weights.h5")
    text = finding_text.render(found)
    assert f"✓ net, epoch 2: since {second}" in text and "releases" not in text
    assert f"restore-guard migrate {found.checkpoint.file} OUT --model net" in text
    assert json.loads(finding_json.render(found))["places"][0]["epoch"] == 2
    configured = (warm.project.root / "pyproject.toml").read_text()
    warm.project.edit("pyproject.toml", "models.net]", "models.other]")
    (place,) = find(warm.folder / "old1/old.weights.h5").places
    assert (place.model, place.epoch, place.today) == ("net", 1, None)
    (warm.project.root / "pyproject.toml").write_text(configured)
    stranger = tmp_path / "stranger.weights.h5"
    warm.script(
        "import sys; from tensorflow import keras; "
        "m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(9)]); m.save_weights(sys.argv[1]); print(1)",
        stranger,
    )
    found = find(stranger)
    assert found.exit_code == 1 and "fits no promise of this repository. Nearest is epoch" in finding_text.render(found)


def test_wrong_usage_is_told_before_anything_is_built(warm, tmp_path):
    file = warm.folder / "old1/old.weights.h5"
    (tmp_path / "there.weights.h5").write_text("mine")
    for checkpoint, out, options, said in (
        (file, "there.weights.h5", {}, "exists already"),
        (file, "new.keras", {"to": "keras-weights"}, "ends in .weights.h5"),
        (file, "new.weights.h5", {"name": "nobody"}, "not a configured model"),
        (file, "new.weights.h5", {"mapping": "nowhere.toml"}, "nowhere.toml cannot be read"),
        (tmp_path / "gone.h5", "new.h5", {}, "no such checkpoint"),
        (file, "new", {}, "ends in .weights.h5"),
    ):
        with pytest.raises(UsageError, match=said):
            warm.migrate(checkpoint, tmp_path / out, **options)
    assert (tmp_path / "there.weights.h5").read_text() == "mine"


def test_a_manifest_that_cannot_be_read_is_told_and_not_that_the_file_is_of_no_model(warm, tmp_path):
    manifest = warm.project.root / "restore-manifest/net.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"schema": 1,', '"schema": 99,'))
    try:
        with pytest.raises(UsageError, match=r"restore-manifest/net.json:2: schema: schema 99 is of another version"):
            warm.migrate(warm.folder / "old1/old.weights.h5", tmp_path / "new.weights.h5")
    finally:
        manifest.write_text(text)
    assert list(tmp_path.iterdir()) == []


def test_a_mapping_from_outside_speaks_in_the_words_of_the_manifest_that_knows_the_file(warm, tmp_path):
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[[migration]]\nfrom = 1\nto = 2\nreason = "by hand"\nrename = [{ from = "a/**", to = "first/**" }, '
        '{ from = "b/**", to = "last/**" }]\ndrop = ["aux/**"]\ninitial = ["fresh/**"]\n'
        'grow = [{ variable = "words/embeddings", axis = 0, fill = "mean" }]\n'
    )
    done = warm.migrate(warm.folder / "old1/plain", tmp_path / "new", mapping=str(mapping))
    assert done.exit_code == 0, done.ways[0].error
    found = warm.script(LOAD, json.dumps([["new", str(tmp_path / "new"), "plain"]]))["new"]
    assert found["first"] == warm.saved[1]["layer"]
    mapping.write_text(mapping.read_text().replace('"aux/**"', '"axu/**"'))
    failed = warm.migrate(warm.folder / "old1/plain", tmp_path / "newer", mapping=str(mapping))
    assert f'{mapping}:6: "axu/**" matches no variable of the old model' in failed.ways[0].error


def test_without_a_migration_a_guess_is_shown_and_written_only_when_it_is_right(warm, tmp_path):
    (warm.project.root / "restore-manifest/net.migrations.toml").unlink()
    manifest = warm.project.root / "restore-manifest/net.json"
    try:
        file = tmp_path / "foreign"
        warm.script(
            "import sys; import tensorflow as tf; import net; m = net.build(); "
            "c = tf.train.Checkpoint(table=m.words.embeddings, first=tf.train.Checkpoint(kernel=m.first.kernel, "
            "bias=m.first.bias), last=tf.train.Checkpoint(kernel=m.last.kernel, bias=m.last.bias)); "
            "c.write(sys.argv[1]); print(1)",
            file,
        )
        shown = warm.migrate(file, tmp_path / "no")
        text = migrate_text.render(shown)
        assert "no manifest knows it" in text and "same name" in text and "only one of its shape" in text
        assert "nothing was written" in text and not list(tmp_path.glob("no*"))
        done = warm.migrate(file, tmp_path / "yes", answer=True)
        assert done.exit_code == 0 and (tmp_path / "yes.index").exists()
    finally:
        warm.project.write({"restore-manifest/net.migrations.toml": MIGRATIONS})
        assert manifest.exists()


def test_the_command_says_it_by_its_exit_code_and_an_interrupt_leaves_nothing(warm, tmp_path):
    file = str(warm.folder / "old1/old.weights.h5")
    run = warm.project.run("migrate", file, str(tmp_path / "new.weights.h5"))
    assert run.code == 0, run.stdout + run.stderr
    assert "values compared, all right" in run.stdout
    run = warm.project.run("migrate", file, str(tmp_path / "new.weights.h5"))
    assert (run.code, run.stdout) == (2, "") and "exists already" in run.stderr
    process = warm.project.start("migrate", file, str(tmp_path / "stopped.weights.h5"))
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".restore-guard-making-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(tmp_path.glob(".restore-guard-making-*"))
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    assert [path.name for path in Path(tmp_path).iterdir()] == ["new.weights.h5"]
