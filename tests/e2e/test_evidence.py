"""What only more than two builds tells: witnesses, old configurations, releases.

Through the command, with real checkpoints; expected values are written by hand.
"""

import pytest
from conftest import settings

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

ONE_COMMIT = ("--base", "HEAD~", "--head", "HEAD")

BLOCK = """\
import tensorflow as tf


@tf.keras.utils.register_keras_serializable("ranking")
class Block(tf.keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = tf.keras.layers.Dense(units)

    def build(self, shape):
        self.dense.build(shape)

    def call(self, x):
        return tf.nn.elu(self.dense(x))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def build():
    inputs = tf.keras.Input((4,))
    return tf.keras.Model(inputs, Block(3)(tf.keras.layers.Dense(5)(inputs)))
"""

GRAPH = """\
import tensorflow as tf

v1 = tf.compat.v1


def build():
    graph = tf.Graph()
    with graph.as_default():
        inputs = v1.placeholder(tf.float32, [None, 4])
        with v1.variable_scope("encoder"):
            outputs = tf.matmul(inputs, v1.get_variable("kernel", [4, 3])) + v1.get_variable("bias", [3])
        v1.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_sum(outputs))
    return graph
"""

OWN = """\
import tensorflow as tf


class Scaled(tf.keras.layers.Dense):
    def save_own_variables(self, store):
        store["all"] = tf.concat([tf.reshape(self.kernel, [-1]), self.bias], 0)

    def load_own_variables(self, store):
        values = store["all"][:]
        self.kernel.assign(values[:12].reshape(4, 3))
        self.bias.assign(values[12:])


def build():
    return tf.keras.Sequential([tf.keras.Input((4,)), Scaled(3)])
"""

STEPS = """\
import tensorflow as tf


class Steps(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(tf.zeros([4, 3]))
        self.extra = tf.Variable(tf.zeros([2]))


def build():
    return Steps()
"""

ATTENTION = """\
import tensorflow as tf


class Attention(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.query = tf.keras.layers.Dense(4)
        self.key = tf.keras.layers.Dense(4)

    def call(self, x):
        return tf.nn.softmax(tf.matmul(self.query(x), self.key(x), transpose_b=True))


def build():
    model = Attention()
    model(tf.zeros((1, 5, 4)))
    return model
"""

MODELS = {
    "attention": 'builder = "attention:build"\nrestores = ["tf-checkpoint", "h5"]',
    "block": 'builder = "block:build"\nrestores = ["keras-archive", "tf-checkpoint", "keras-weights"]',
    "graph": 'builder = "graph:build"',
    "own": 'builder = "own:build"\nrestores = ["keras-weights"]',
    "steps": 'builder = "steps:build"',
}
FILES = {"attention.py": ATTENTION, "block.py": BLOCK, "graph.py": GRAPH, "own.py": OWN, "steps.py": STEPS}
LENIENT = '[tool.restore-guard.rules]\nvariable-missing = "warning"\nvariable-added = "warning"\n'


@pytest.fixture(scope="module")
def models(keras3, tmp_path_factory):
    """A committed repository with these models and their manifests, tagged v1."""
    from conftest import Project

    folder = tmp_path_factory.mktemp("evidence")
    project = Project(folder / "project", folder / "home")
    project.write(FILES | {"pyproject.toml": settings(keras3, MODELS, releases=["v*"], timeout=120) + LENIENT})
    done = project.run("update")
    assert done.code == 0, done.stdout + done.stderr
    project.commit(message="v1")
    project.git("tag", "v1")
    return project.root


def outcomes(model):
    return {path: (one["outcome"], one["evidence"]) for path, one in model["restores"].items()}


def test_a_witness_sees_what_the_simulation_cannot(make_repository, models):
    project = make_repository(copy_of=models)
    # Other math, a class that takes other arguments, and a scope of another name.
    project.edit("block.py", "tf.nn.elu(self.dense(x))", "2.0 * tf.nn.elu(self.dense(x))")
    project.edit("graph.py", 'variable_scope("encoder")', 'variable_scope("encoding")')
    project.edit("own.py", "tf.keras.Input((4,)), Scaled(3)", "tf.keras.Input((4,)), Scaled(3), tf.keras.layers.ReLU()")
    project.commit()
    before = project.snapshot()
    run = project.check(*ONE_COMMIT)
    assert project.snapshot() == before and list(project.temporary.iterdir()) == []
    assert run.code == 1, run.stdout

    block = run.model("block")
    assert block["verdict"] == "restores"
    assert set(outcomes(block).values()) == {("restores", "witnessed")}
    assert block["behaviour"]["same_output"] is False and block["behaviour"]["max_difference"] > 0.01
    line = project.line("block.py", "2.0 * tf.nn.elu")
    assert run.findings("block") == [("behaviour-changed", "warning", "block.py", line, "new")]

    graph = run.model("graph")
    assert outcomes(graph) == {"tf1-saver": ("raises", "witnessed")}
    # TensorFlow's own words, of a real restore.
    assert "not found in checkpoint" in graph["restores"]["tf1-saver"]["error"]
    line = project.line("graph.py", 'variable_scope("encoding")')
    assert {finding[:4] for finding in run.findings("graph")} == {("variable-renamed", "error", "graph.py", line)}

    # A layer that saves by code of its own: nobody but a witness can tell.
    own = run.model("own")
    assert own["verdict"] == "restores" and outcomes(own) == {"keras-weights": ("restores", "witnessed")}

    without = project.check(*ONE_COMMIT, "--witness", "never")
    assert without.model("own")["verdict"] == "unchecked"
    assert without.model("block")["behaviour"] is None
    assert set(outcomes(without.model("block")).values()) == {("restores", "simulated")}
    assert outcomes(without.model("graph")) == {"tf1-saver": ("raises", "simulated")}


def test_names_that_were_exchanged_in_all_places(make_repository, models):
    """No line and no name tells it, but what the model computes does: which path follows names, and which order."""
    project = make_repository(copy_of=models)
    exchanged = ATTENTION.replace("query", "?").replace("key", "query").replace("?", "key")
    project.commit({"attention.py": exchanged})
    run = project.check(*ONE_COMMIT)
    assert run.code == 1, run.stdout
    attention = run.model("attention")
    assert set(outcomes(attention).values()) == {("restores", "witnessed")}
    misplaced = {path: sorted(one["misplaced"]) for path, one in attention["restores"].items()}
    assert misplaced == {"tf-checkpoint": ["key/bias", "key/kernel", "query/bias", "query/kernel"], "h5": []}
    told = {(finding["rule"], finding["level"], *finding["restores"]) for finding in attention["findings"]}
    assert told == {("variable-misplaced", "error", "tf-checkpoint")}
    assert any("now does what query did" in finding["message"] for finding in attention["findings"])
    lines = {project.line("attention.py", f"self.{name} = ") for name in ("query", "key")}
    assert {finding["line"] for finding in attention["findings"]} <= lines


def test_code_that_refuses_old_configurations(make_repository, models):
    project = make_repository(copy_of=models)
    project.write({"block.py": BLOCK.replace("units", "width")})
    project.commit()
    run = project.check(*ONE_COMMIT)
    assert run.code == 1
    line = project.line("block.py", "def __init__")
    assert run.findings("block") == [("config-incompatible", "error", "block.py", line, "new")]
    assert outcomes(run.model("block")) == {
        "keras-archive": ("raises", "witnessed"),
        "tf-checkpoint": ("restores", "witnessed"),
        "keras-weights": ("restores", "witnessed"),
    }
    assert "missing 1 required positional argument: 'width'" in run.model("block")["restores"]["keras-archive"]["error"]
    refused = project.run("update", "block")
    assert refused.code == 1 and "config-incompatible" in refused.stdout
    accepted = project.run("update", "block", "--accept-break", "no archives are kept")
    assert accepted.code == 0, accepted.stdout
    project.commit()
    run = project.check("--base", "HEAD~2", "--head", "HEAD")
    assert run.code == 0
    assert ("config-incompatible", "accepted") in {(rule, status) for rule, *_, status in run.findings("block")}


def test_compatible_step_by_step_is_not_compatible_end_to_end(make_repository, models):
    project = make_repository(copy_of=models)
    extra = "        self.extra = tf.Variable(tf.zeros([2]))\n"
    project.edit("steps.py", extra, "")
    assert project.run("update", "steps").code == 0
    project.commit()
    dropped = project.check(*ONE_COMMIT)
    assert (dropped.code, {f[0] for f in dropped.findings("steps")}) == (0, {"variable-missing"})

    project.edit("steps.py", "tf.zeros([4, 3]))\n", "tf.zeros([4, 3]))\n" + extra.replace("[2]", "[5]"))
    project.commit()
    line = project.line("steps.py", "self.extra")
    run = project.check(*ONE_COMMIT)
    assert run.code == 1
    assert ("variable-added", "warning", "steps.py", line, "new") in run.findings("steps")
    assert ("shape-changed", "error", "steps.py", line, "new") in run.findings("steps")
    (told,) = [finding for finding in run.model("steps")["findings"] if finding["rule"] == "shape-changed"]
    assert told["message"].startswith("Checkpoints of v1: extra: shape (2,) is now (5,)")
    refused = project.run("update", "steps")
    assert refused.code == 1 and "Checkpoints" not in refused.stderr


def test_a_shallow_clone_without_tags_is_not_green(make_repository, models, tmp_path):
    project = make_repository(copy_of=models)
    project.edit("steps.py", "super().__init__()", "super().__init__(name='steps')")
    project.commit()
    clone = tmp_path / "clone"
    project.git("clone", "--quiet", "--depth=2", "--no-tags", f"file://{project.root}", str(clone))
    done = make_repository(name="clone").check(*ONE_COMMIT)
    assert done.code == 3 and "fetch-tags: true" in done.stderr
