"""What an optimizer keeps for each variable goes with that variable: judged, migrated and really restored."""

import json

import pytest
from conftest import Project, warm_python
from in_process import InProcess, migrate

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

DENSE, FROZEN = "keras.layers.Dense(4)", "keras.layers.Dense(4, trainable=False)"
ADAM, MOMENTUM = "keras.optimizers.Adam()", "keras.optimizers.SGD(momentum=0.9)"
NET = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        {first}
        {second}
        {third}

    def call(self, x):
        for layer in ({order}):
            x = layer(x)
        return x
"""
COMPILED = """

def build():
    model = Net()
    model(tf.zeros((1, 4)))
    model.compile({optimizer})
    model.optimizer.build(model.trainable_variables)
    return model
"""
HELD = """

class Trainer(tf.Module):
    def __init__(self):
        super().__init__()
        self.net = Net()
        self.net(tf.zeros((1, 4)))
        self.{attribute} = {optimizer}
        self.{attribute}.build(self.net.trainable_variables)


def build():
    return Trainer()
"""
# Saves with values that are all different, or restores; prints what the optimizer keeps for each variable.
SCRIPT = """\
import json, sys
import numpy as np
import tensorflow as tf
import net

root = net.build()
model = root if isinstance(root, tf.keras.Model) else root.net
optimizers = [vars(root)[name] for name in vars(root) if isinstance(vars(root)[name], tf.keras.optimizers.Optimizer)]
optimizer = optimizers[0] if optimizers else model.optimizer
numbers = iter(range(1, 1000))
if sys.argv[1] == "save":
    listed = optimizer.variables
    for variable in [*model.variables, *(listed() if callable(listed) else listed)]:
        if "float" in str(variable.dtype):
            size = int(np.prod(variable.shape))
            variable.assign(np.reshape([next(numbers) + n / 100 for n in range(size)], variable.shape))
    tf.train.Checkpoint(root).write(sys.argv[2])
else:
    tf.train.Checkpoint(root).read(sys.argv[2]).assert_existing_objects_matched()
inner = getattr(optimizer, "inner_optimizer", optimizer)
trained = getattr(inner, "_trainable_variables", None) or model.trainable_variables
found = {}
for layer in model.layers:
    attribute = next(name for name in vars(model) if vars(model)[name] is layer)
    for variable in layer.weights:
        own = found[f"{attribute}/{len(found) % 2}"] = {}
        for number, other in enumerate(trained):
            if other is variable:
                for name, held in vars(inner).items():
                    if name.strip("_") in ("momentums", "velocities", "m", "u", "velocity_hats"):
                        own[name.strip("_")] = np.array(held[number]).ravel()[0].item() if held else None
print(json.dumps(found))
"""


def net(a=DENSE, b=DENSE, c=DENSE, *, optimizer=ADAM, names="abc", lines="abc", held=None):
    """The code; `lines` has the layers in the order of their lines, `held` the optimizer's name in a module."""
    made = {name: f"self.{now} = {layer}" for name, now, layer in zip("abc", names, (a, b, c), strict=True)}
    parts = dict(zip(("first", "second", "third"), (made[name] for name in lines), strict=True))
    end = HELD.replace("{attribute}", held) if held else COMPILED
    order = ", ".join(f"self.{name}" for name in names)
    return NET.format(order=order, **parts) + end.replace("{optimizer}", optimizer)


# (base, head, (rule, a word of its line) of each finding, {list of the head: its old name}, {layer now: before})
FREED = {name: name for name in ("momentums", "velocities")}
EDITS = {
    "a layer is frozen": (net(), net(b=FROZEN), [("variable-misplaced", "Dense")], FREED, {}),
    "a layer is trained": (net(b=FROZEN), net(), [("variable-misplaced", "Dense")], FREED, {}),
    "one is trained and renamed": (net(b=FROZEN), net(names="axc"), [("variable-renamed", "Dense")], FREED, {"x": "b"}),
    "lines change places": (net(), net(lines="cab"), None, FREED, {}),
    "another optimizer of one form": (
        net(optimizer=MOMENTUM),
        net(optimizer="keras.optimizers.RMSprop()"),
        [("variable-misplaced", "optimizers")],
        {},
        {},
    ),
    "one that keeps as much, in a module": (
        net(held="opt"),
        net(held="opt", optimizer="keras.optimizers.Adamax()"),
        [("variable-misplaced", "optimizers")],
        {},
        {},
    ),
    "a module's lines": (net(held="opt"), net(held="opt", lines="cba"), None, FREED, {}),
    "one that keeps more": (
        net(),
        net(optimizer="keras.optimizers.Adam(amsgrad=True)"),
        [("variable-added", "optimizers")],
        FREED,
        {},
    ),
    "its attribute and its class": (
        net(held="opt"),
        net(held="trainer", optimizer=MOMENTUM),
        [("layer-type-changed", "optimizers")],
        {"momentums": "momentums"},
        {},
    ),
    "its attribute and what it trains": (
        net(held="opt", b=FROZEN),
        net(held="trainer"),
        [("variable-renamed", "optimizers")],
        FREED,
        {},
    ),
}


# Keras 2 does not list what it trains in a checkpoint, and tells it otherwise.
ON_KERAS_2 = ("a layer is frozen", "one is trained and renamed", "its attribute and what it trains")


@pytest.fixture(scope="module")
def python(request):
    python = request.getfixturevalue(request.param)
    with warm_python(python):
        yield python


def script(project, python, *arguments):
    return json.loads(project.script(python, SCRIPT, *arguments).splitlines()[-1])


@pytest.mark.parametrize(
    ("python", "edit"),
    [*(("keras3", edit) for edit in EDITS), *(("keras2", edit) for edit in ON_KERAS_2)],
    indirect=["python"],
)
def test_what_is_kept_for_a_variable_goes_with_it(python, edit, tmp_path):
    base, head, findings, lists, layers = EDITS[edit]
    project = Project(tmp_path / "project", tmp_path / "home")
    repository = InProcess(project, python)
    project.write({"net.py": base})
    repository.configure(["tf-checkpoint"])
    assert repository.update().state == "written"
    project.commit(message="base")
    saved = script(project, python, "save", tmp_path / "old")
    project.write({"net.py": head})
    broken = repository.check().findings
    assert broken and {finding.status for finding in broken} == {"new"}
    assert all(finding.line for finding in broken)
    if findings is not None:
        assert [finding.rule for finding in broken] == [rule for rule, _ in findings]
        for finding, (_, word) in zip(broken, findings, strict=True):
            assert word in head.splitlines()[finding.line - 1]
    assert repository.update("tidy", migrate=True).state == "written"
    assert {finding.status for finding in repository.check().findings} == {"migrated"}
    project.commit(message="head")
    done = migrate(project, tmp_path / "old", tmp_path / "new", epoch=1)
    assert done.exit_code == 0, done.ways[0].error
    for variable, slots in script(project, python, "load", tmp_path / "new").items():
        layer, _, name = variable.partition("/")
        before = saved[f"{layers.get(layer, layer)}/{name}"]
        for kept, value in slots.items():
            assert value == before.get(lists.get(kept), 0.0 if value is not None else None), (variable, kept)
