"""What a training loop keeps in an optimizer beside the model comes along, to the variables that it is for."""

import json

import pytest
from conftest import Project, warm_python
from in_process import InProcess, migrate

from restore_guard.reports import migrate_text

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

NET = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.a = keras.layers.Dense(4)
        self.b = keras.layers.Dense(4)
        self.c = keras.layers.Dense(4)

    def call(self, x):
        return self.c(self.b(self.a(x)))


def build():
    model = Net()
    model(tf.zeros((1, 4)))
    return model
"""
GAN = NET.replace(
    """def build():
    model = Net()
    model(tf.zeros((1, 4)))
    return model
""",
    """def build():
    parts = {"generator": Net(), "critic": Net()}
    for part in parts.values():
        part(tf.zeros((1, 4)))
    return parts
""",
)
# Saves after a training step, or restores before and after the optimizers are built; prints what each of them keeps.
LOOP = """\
import json, sys
import numpy as np
import tensorflow as tf
import net

how, file, optimizer, called = sys.argv[1:5]
x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")

def begin():
    built = net.build()
    parts = built if isinstance(built, dict) else {"model": built}
    made = {name: eval(optimizer, {"keras": net.keras}) for name in parts}
    beside = {f"{name}_{called}": each for name, each in made.items()}
    return parts, made, tf.train.Checkpoint(step=tf.Variable(0, dtype=tf.int64), **parts, **beside)

def train(parts, made, checkpoint):
    for name, model in parts.items():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x) - 1) ** 2)
        variables = model.trainable_variables
        made[name].apply_gradients(zip(tape.gradient(loss, variables), variables))
    checkpoint.step.assign_add(1)

def build(parts, made):
    for name, each in made.items():
        each.build(parts[name].trainable_variables)

def kept(parts, made, checkpoint):
    found = {"step": int(checkpoint.step)}
    for name, model in parts.items():
        for number, variable in enumerate(model.trainable_variables):
            layer = next(n for n, v in vars(model).items() if any(variable is w for w in getattr(v, "weights", ())))
            own = found[f"{name}/{layer}/{number % 2}"] = {}
            for held, values in vars(made[name]).items():
                if held in ("_momentums", "_velocities", "_model_variables_moving_average"):
                    own[held] = np.array(values[number]).ravel()[0].item()
    return found

parts, made, checkpoint = begin()
if how == "save":
    train(parts, made, checkpoint)
    numbers = iter(range(1, 1000))
    for each in made.values():
        for variable in each.variables() if callable(each.variables) else each.variables:
            if "float" in str(variable.dtype) and variable.shape.rank:
                variable.assign(tf.fill(variable.shape, float(next(numbers))))
    checkpoint.write(file)
    print(json.dumps([kept(parts, made, checkpoint)]))
else:
    checkpoint.read(file)
    build(parts, made)
    late = kept(parts, made, checkpoint)
    parts, made, checkpoint = begin()
    build(parts, made)
    status = checkpoint.read(file)
    if how == "load":
        status.assert_existing_objects_matched()
    print(json.dumps([late, kept(parts, made, checkpoint)]))
"""
ADAM = "keras.optimizers.Adam()"
RENAMED = [("self.b ", "self.x "), ("self.b(", "self.x(")]
ORDER = [
    ("        self.c = keras.layers.Dense(4)\n", ""),
    ("self.a =", "self.c = keras.layers.Dense(4)\n        self.a ="),
]
NEW = [
    ("        self.b =", "        self.n = keras.layers.Dense(4)\n        self.b ="),
    ("self.b(", "self.b(self.n(self.b("),
]
NEW = [NEW[0], ("self.c(self.b(self.a(x)))", "self.c(self.b(self.n(self.a(x))))")]
GONE = [("        self.b = keras.layers.Dense(4)\n", ""), ("self.b(self.a(x))", "self.a(x)")]
# (code, edits, optimizer, its name, {layer now: before, None for what is new})
EDITS = {
    "another name and order": (NET, RENAMED + ORDER, ADAM, "opt", {"x": "b"}),
    "a new layer": (NET, RENAMED + NEW, ADAM.replace("()", "(use_ema=True)"), "optimizer", {"x": "b", "n": None}),
    "a layer that is gone": (NET, GONE, ADAM, "optimizer", {}),
    "two models": (GAN, RENAMED + ORDER, ADAM, "optimizer", {"x": "b"}),
}


@pytest.fixture(scope="module")
def python(request):
    python = request.getfixturevalue(request.param)
    with warm_python(python):
        yield python


class Trained:
    """A repository, a checkpoint of its first commit, and what was kept then."""

    def __init__(self, folder, python, code, edits, optimizer, called):
        self.folder, self.python, self.options = folder, python, (optimizer, called)
        self.project = Project(folder / "project", folder / "home")
        repository = InProcess(self.project, python)
        self.project.write({"net.py": code})
        repository.configure(["tf-checkpoint"])
        assert repository.update().state == "written"
        self.project.commit(message="base")
        self.kept = self.loop("save", "old")
        for old, new in edits:
            code = code.replace(old, new)
        self.project.write({"net.py": code})
        assert repository.update("tidy", migrate=True).state == "written"
        self.project.commit(message="head")

    def loop(self, how, file):
        found = self.project.script(self.python, LOOP, how, self.folder / file, *self.options)
        return json.loads(found.splitlines()[-1])

    def migrate(self, **options):
        return migrate(self.project, self.folder / "old", self.folder / options.pop("out", "new"), True, **options)


@pytest.mark.parametrize(
    ("python", "edit"),
    [*(("keras3", edit) for edit in EDITS), ("keras2", "another name and order"), ("keras2", "a new layer")],
    indirect=["python"],
)
def test_what_is_kept_comes_along(python, edit, tmp_path):
    *told, layers = EDITS[edit]
    trained = Trained(tmp_path, python, *told)
    done = trained.migrate(epoch=1)
    assert done.exit_code == 0, done.ways[0].error
    text = migrate_text.render(done, dry_run=True)
    assert "left behind" not in text and ("(dropped)" in text) == (edit == "a layer that is gone")
    (kept,) = trained.kept
    new = {layer for layer, before in layers.items() if before is None}
    for now in trained.loop("load" if not new else "load new", "new"):
        assert now.pop("step") == kept["step"] == 1
        for variable, values in now.items():
            name, layer, number = variable.split("/")
            if layer not in new:
                assert values == kept[f"{name}/{layers.get(layer, layer)}/{number}"], variable


def test_what_nobody_can_place_is_left_behind_and_told(keras2, tmp_path):
    with warm_python(keras2):
        trained = Trained(tmp_path, keras2, NET, RENAMED, "keras.optimizers.legacy.Adam()", "optimizer")
        text = migrate_text.render(trained.migrate(), dry_run=True)
        assert "model_optimizer beside the model is left behind (" in text, text
        assert "it is a legacy optimizer, which only its own class can write" in text
        two = Trained(tmp_path / "two", keras2, *EDITS["two models"][:-1])
        assert "Keras 2 does not list what it trains" in migrate_text.render(two.migrate(epoch=1), dry_run=True)
        weights = migrate_text.render(trained.migrate(to="keras-weights", out="new.weights.h5"), dry_run=True)
        assert "step () int64" in weights and "(left behind: keras-weights has no place for it)" in weights
