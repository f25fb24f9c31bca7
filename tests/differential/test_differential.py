"""The proof, in the length that every run of the tests can afford; scripts/differential goes on from here."""

import time
from collections import Counter
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings

from differential import __main__ as command
from differential import frameworks, migrations, proof, search
from differential.frameworks import FRAMEWORKS, Fault, judge_one
from differential.models import IDLE, LAYERS, OPTIMIZERS, ROOTS, SLOTS, render
from differential.mutations import MUTATIONS
from differential.table import Table
from restore_guard.building import probing

CROSSED = ("variable-renamed", "not-saved", "compatible")

pytestmark = pytest.mark.tensorflow


def _told(table):
    return table.disagreements, table.faults


def test_what_hypothesis_draws_agrees_on_every_framework(oracles, tmp_path):
    table = Table()
    proof.drawn(table, oracles, tmp_path, examples=5)
    for framework in FRAMEWORKS.values():
        assert sum(count["pairs × paths"] for (row, _), count in table.counts.items() if row == framework.title) >= 10


@pytest.mark.parametrize("keras", ["keras3", "keras2"])
def test_a_value_in_another_ones_place_is_told(request, oracles, tmp_path, keras):
    with probing.Probe(request.getfixturevalue(keras)) as probe:
        proof.in_their_roles(oracles[keras], probe, tmp_path, examples=8)


@pytest.mark.long
@pytest.mark.parametrize("keras", ["keras3", "keras2"])
def test_every_value_in_another_ones_place_is_told(request, oracles, tmp_path, keras):
    with probing.Probe(request.getfixturevalue(keras)) as probe:
        proof.in_their_roles(oracles[keras], probe, tmp_path, seeded=1, examples=1000)


@pytest.mark.long
def test_much_more_that_hypothesis_draws_agrees(oracles, tmp_path):
    proof.drawn(Table(), oracles, tmp_path, seeded=1, until=time.monotonic() + 600, examples=1000)


@pytest.mark.long
def test_what_a_migration_carries_is_where_it_belongs(oracles, tmp_path):
    count, routes = migrations.Count(), [("keras3", "keras3"), ("keras2", "keras2"), ("keras2", "keras3")]
    proof.migrated(count, oracles, tmp_path, routes, examples=5)
    assert count.wrong == []
    assert all(counts["carried"] >= 5 for counts in count.rows.values()) and len(count.rows) == len(routes), count.rows


def test_parts_of_a_tensor_are_carried_one_by_one(oracles):
    """The Saver's file has one tensor for all parts of a variable, the graph a variable for each."""
    count, folder = migrations.Count(), Path(__file__).parents[1] / "pairs" / "variable-renamed" / "scope-of-partitions"
    migrations.carry(count, oracles, [("keras3", "keras3")], (folder / "base.py", folder / "head.py"))
    assert (count.wrong, count.all["carried"]) == ([], 1)


@pytest.mark.parametrize("crossing", proof.CROSSINGS, ids="-to-".join)
def test_what_one_version_saved_agrees_in_another(oracles, crossing):
    table, pairs = Table(), proof.corpus()
    chosen = [name for name in pairs if name.startswith(CROSSED)]
    proof.cross(table, oracles, {name: pairs[name] for name in chosen[:: 2 * len(proof.CROSSINGS)]}, [crossing])
    assert _told(table) == ([], {})


@pytest.mark.long
def test_all_that_one_version_saved_agrees_in_another(oracles):
    table = Table()
    proof.cross(table, oracles, proof.corpus(), proof.CROSSINGS)
    assert _told(table) == ([], {})


@pytest.mark.long  # the short version is of test_check.py: MobileNetV3 and BERT, in real commits
def test_models_of_libraries_agree(oracles, tmp_path):
    table = Table()
    proof.run(table, oracles, proof.real_models.applications(tmp_path, names=("MobileNetV2",)))
    proof.run(table, {"keras3": oracles["keras3"]}, proof.real_models.libraries(tmp_path, names=("BertBackbone",)))
    assert _told(table) == ([], {})


@pytest.mark.long
def test_all_models_of_libraries_agree(oracles, tmp_path):
    table = Table()
    proof.libraries(table, oracles, tmp_path)
    assert _told(table) == ([], {})


DEFERRED_BASE = """\
import tensorflow as tf
from tensorflow import keras

INPUTS = [{"shape": [4], "dtype": "float32"}]


class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(3)
        self.normalised = keras.layers.BatchNormalization()
        self.last = keras.layers.Dense(2)

    def call(self, x):
        return self.last(self.normalised(self.first(x)))


def build():
    return Model()
"""


UNCALLED = "tf-checkpoint, saved trained, restored uncalled"


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [("", "", "restores"), ("self.first", "self.stem", "partial"), ("Dense(2)", "Dense(3)", "raises")],
)
@pytest.mark.parametrize("keras", ["keras2", "tf_keras"])
def test_variables_that_the_first_call_creates_get_what_the_built_model_gets(
    oracles, tmp_path, keras, old, new, outcome
):
    """TensorFlow keeps what it read until the variable is created."""
    base, head = tmp_path / "base.py", tmp_path / "head.py"
    base.write_text(DEFERRED_BASE)
    head.write_text(DEFERRED_BASE.replace(old, new))
    judged = judge_one(oracles[keras], base, head)
    assert list(judged.disagreements()) == []
    assert judged.truth[UNCALLED]["outcome"] == judged.truth["tf-checkpoint"]["outcome"] == outcome


@pytest.mark.parametrize("keras", ["keras3", "keras36"])
def test_keras_3_loses_the_first_value_that_it_keeps_for_a_model_without_a_build(oracles, tmp_path, keras):
    base = tmp_path / "base.py"
    base.write_text(DEFERRED_BASE)
    judged = judge_one(oracles[keras], base, base)
    assert list(judged.disagreements()) == []
    assert "first/kernel" in judged.truth[UNCALLED]["initial"]
    assert judged.truth["tf-checkpoint"]["outcome"] == "restores"


TABLES = """\
import tensorflow as tf

TABLE = tf.lookup.experimental.MutableHashTable


class Words(tf.Module):
    def __init__(self):
        super().__init__()
        self.words = TABLE(tf.string, tf.int64, 0)
        self.names = TABLE(tf.string, tf.int64, 0)
        self.rows = tf.lookup.experimental.DenseHashTable(
            tf.int64, tf.float32, tf.zeros(2), empty_key=-1, deleted_key=-2
        )
        self.vectors = tf.Variable(tf.zeros(3))


def build():
    return Words()
"""
ONE_TABLE = ("self.names = TABLE(tf.string, tf.int64, 0)", "self.names = self.words")
DENSE = """self.rows = tf.lookup.experimental.DenseHashTable(
            tf.int64, tf.float32, tf.zeros(2), empty_key=-1, deleted_key=-2
        )"""
KEYS = ("tf.int64, tf.float32, tf.zeros(2), empty_key=-1, deleted_key=-2", 'tf.string, tf.int64, 0, "", "-"')


@pytest.mark.parametrize(
    ("edits", "lost"),
    [
        ([], []),
        ([("self.names", "self.known")], ["names"]),
        ([("self.rows", "self.lines")], ["rows"]),
        ([ONE_TABLE], ["names"]),  # `words` comes first, and an object takes one value
        ([("self.names = TABLE(tf.string, tf.int64, 0)", "self.names = TABLE(tf.string, tf.int32, 0)")], None),
        ([("self.words = TABLE(tf.string, tf.int64, 0)", "self.words = TABLE(tf.int64, tf.int64, 0)")], None),
        ([("tf.float32, tf.zeros(2)", "tf.float32, tf.zeros(3)")], None),
        ([("self.names = TABLE(tf.string, tf.int64, 0)", "self.names = TABLE(tf.string, tf.int64, [0, 0])")], None),
        ([(DENSE, "self.rows = TABLE(tf.int64, tf.float32, tf.zeros(2))")], None),
        ([("self.names = TABLE(tf.string, tf.int64, 0)", DENSE.replace("rows", "names").replace(*KEYS))], None),
        ([("self.names = TABLE(tf.string, tf.int64, 0)", "self.names = tf.Variable(tf.zeros(2))")], None),
        ([("self.vectors = tf.Variable(tf.zeros(3))", "self.vectors = TABLE(tf.string, tf.int64, 0)")], None),
    ],
)
@pytest.mark.parametrize("keras", FRAMEWORKS)
def test_what_tables_hold_arrives_where_it_is_simulated_to(oracles, tmp_path, keras, edits, lost):
    base, head = tmp_path / "base.py", tmp_path / "head.py"
    base.write_text(TABLES)
    changed = TABLES
    for old, new in edits:
        assert old in changed
        changed = changed.replace(old, new)
    head.write_text(changed)
    judged = judge_one(oracles[keras], base, head, ("tf-checkpoint",))
    assert list(judged.disagreements()) == []
    truth = judged.truth["tf-checkpoint"]
    assert truth["tables"] == ["names", "rows", "words"]
    assert truth["outcome"] == ("raises" if lost is None else "restores"), "one of another kind cannot be read"
    assert lost is None or truth["lost"] == lost


CUSTOM = """\
import tensorflow as tf
from tensorflow import keras


class Transposed(keras.layers.Layer):
    def build(self, shape):
        self.matrix = self.add_weight(shape=(3, 3), name="matrix")
        self.added = self.add_weight(shape=(3,), name="added")

    def save_own_variables(self, store):
        store["matrix"] = self.matrix.numpy().T

    def load_own_variables(self, store):
        self.matrix.assign(store["matrix"][:].T)

    def call(self, x):
        return x @ self.matrix + self.added


def build():
    return keras.Sequential([keras.Input((3,)), Transposed()])
"""


@pytest.mark.parametrize("keras", FRAMEWORKS)
def test_what_a_layer_loads_by_code_of_its_own_is_not_certain(oracles, tmp_path, keras):
    base = tmp_path / "base.py"
    base.write_text(CUSTOM)
    judged = judge_one(oracles[keras], base, base)
    assert judged.truth["keras-weights"]["outcome"] == "partial"  # `added` is left out, `matrix` comes back
    assert not judged.simulated("keras-weights").certain
    assert judged.simulated("tf-checkpoint").certain


# What a search for odd ends of TensorFlow found: (frameworks, base, head, {path: its real outcome}).
LEGACY = """\
from tensorflow import keras


def build():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.legacy.Adam())
    if hasattr(model.optimizer, "get_slot"):
        model.optimizer._create_all_weights(model.trainable_variables)
    return model
"""
SLOTS_BELOW = """\
import tensorflow as tf


class Trainer(tf.Module):
    def __init__(self, optimizer):
        self.optimizer = optimizer


def build():
    variable = tf.Variable([1.0, 2.0])
    optimizer = tf.compat.v1.train.AdamOptimizer()
    optimizer.apply_gradients([(tf.zeros(2), variable)])
    return {"a": variable, "trainer": Trainer(optimizer)}
"""
SLASHES = """\
from tensorflow import keras


def build():
    names = ("stem", "stem/norm")
    return keras.Sequential([keras.Input((3,)), *(keras.layers.Dense(2, name=name) for name in names)])
"""
GROWING = """\
import tensorflow as tf
from tensorflow import keras


class Memory(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.seen = tf.Variable(tf.zeros((1, 2)), shape=(None, 2), trainable=False)

    def call(self, x):
        return x


def build():
    return keras.Sequential([keras.Input((3,)), Memory(), keras.layers.Dense(2)])
"""
LOOKUP = """\
import numpy as np
import tensorflow as tf
from tensorflow import keras


@keras.utils.register_keras_serializable("cases")
class Model(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words = keras.layers.StringLookup()
        self.words.adapt(np.array(["x", "y"]))

    def call(self, x):
        return self.words(x)


def build():
    model = Model()
    model(tf.constant([["x"]]))
    return model
"""
ADAPTED, CONFIGURED = (
    'StringLookup()\n        self.words.adapt(np.array(["x", "y"]))',
    'StringLookup(vocabulary=["x", "y"])',
)
RANKLESS = """\
import tensorflow as tf


def build():
    return tf.train.Checkpoint(
        any=tf.Variable(tf.zeros((4,)), shape=tf.TensorShape(None)),
        data=iter(tf.data.Dataset.range(3)),
        step=tf.Variable(1),
    )
"""
MIRRORED = """\
import tensorflow as tf
from tensorflow import keras


def build():
    with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        model.compile("adam", "mse")
    return model
"""
NAMELESS = """\
import tempfile

import tensorflow as tf
from tensorflow import keras


class Served(tf.Module):
    def __init__(self):
        self.weight = tf.Variable(tf.ones((3, 3)))

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def __call__(self, x):
        return x @ self.weight


def build():
    path, served = tempfile.mkdtemp(), Served()
    tf.saved_model.save(served, path, signatures={"serving_default": served.__call__.get_concrete_function()})
    layer = keras.layers.TFSMLayer(path, call_endpoint="serving_default")
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.Dense(2)(layer(inputs)["output_0"]))
"""
KERAS_2, ALL = ("keras2", "tf_keras"), tuple(FRAMEWORKS)
ENDS = {
    "legacy optimizer into a later one": (KERAS_2, LEGACY, ("legacy.", ""), {"tf-checkpoint": "raises"}),
    "slots into no optimizer": (
        ALL,
        SLOTS_BELOW,
        ("Trainer(opt", "Trainer(tf.Module() or opt"),
        {"tf-checkpoint": "raises"},
    ),
    "names of layers with slashes": (KERAS_2, SLASHES, ("", ""), {"h5": "restores", "h5-by-name": "restores"}),
    "a variable that grows": (
        KERAS_2,
        GROWING,
        ("", ""),
        {"tf-checkpoint": "restores", "h5": "restores", "h5-by-name": "unsupported"},
    ),
    "a vocabulary that has moved": (KERAS_2, LOOKUP, ("self.words", "self.tokens"), {"keras-archive": "raises"}),
    "a file without any asset": (
        ALL,
        LOOKUP.replace(ADAPTED, CONFIGURED),
        (CONFIGURED, ADAPTED),
        {"keras-archive": "restores"},
    ),
    "no rank, and an iterator": (ALL, RANKLESS, ("step", "count"), {"tf-checkpoint": "partial"}),
    "weights without a name": (("keras36",), NAMELESS, ("", ""), {"h5": "unsupported"}),
    "a distribution strategy": (ALL, MIRRORED, ("", ""), {"tf-checkpoint": "restores"}),
}


@pytest.mark.parametrize(
    ("end", "keras"), [(end, keras) for end, (frameworks, *_) in ENDS.items() for keras in frameworks]
)
def test_odd_ends(oracles, tmp_path, end, keras):
    _, source, (old, new), outcomes = ENDS[end]
    base, head = tmp_path / "base.py", tmp_path / "head.py"
    base.write_text(source)
    head.write_text(source.replace(old, new))
    judged = judge_one(oracles[keras], base, head)
    assert list(judged.disagreements()) == []
    assert {path: judged.truth[path]["outcome"] for path in outcomes} == outcomes
    assert all(judged.simulated(path).certain for path in outcomes)


def test_only_the_value_in_a_file_has_a_whole_shape(oracles, tmp_path):
    base, head = tmp_path / "base.py", tmp_path / "head.py"
    base.write_text(RANKLESS)
    head.write_text(RANKLESS.replace(", shape=tf.TensorShape(None)", "").replace("(4,)", "(5,)"))
    judged = judge_one(oracles["keras3"], base, head)
    assert judged.truth["tf-checkpoint"]["outcome"] == "raises"
    assert not judged.simulated("tf-checkpoint").certain


@pytest.mark.long
def test_all_that_keras_has_agrees(oracles, tmp_path):
    table = Table()
    proof.built_in(table, oracles, tmp_path)
    assert table.disagreements == []


def test_some_of_what_keras_has_agrees(oracles, tmp_path):
    table = Table()
    proof.built_in(table, oracles, tmp_path, every=61)
    assert table.disagreements == []
    assert sum(count["pairs × paths"] for count in table.counts.values()) > 100


def test_the_search_reaches_every_kind_of_model_and_mutation():
    met = set()

    @settings(
        derandomize=True, max_examples=1500, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(search.pairs())
    def draw(pair):
        base, head, mutations = pair
        met.update(
            mutations,
            [base.optimizer, base.registered and "registered", base.mirrored and "mirrored"],
            *({node.kind for _, node in model.root.walk()} for model in (base, head)),
        )
        for model in (base, head):
            compile(render(model), "drawn", "exec")

    draw()
    assert met >= {
        *MUTATIONS,
        *LAYERS,
        *IDLE,
        *ROOTS,
        *OPTIMIZERS,
        *SLOTS,
        "branches",
        "same",
        "list",
        "tuple",
        "weight",
        "scope",
        "partitioned",
        "registered",
        "mirrored",
    }


def test_what_is_interrupted_does_not_judge_all_that_is_left(monkeypatch):
    begun = []

    def judge(number):
        begun.append(number)
        time.sleep(0.05)
        yield "oracle", number

    monkeypatch.setattr(frameworks, "judge", judge)
    judged = frameworks.judge_all({number: (number,) for number in range(1000)})
    assert next(judged) == (0, "oracle", 0)
    judged.close()
    assert len(begun) < 100


@pytest.mark.parametrize(
    ("end", "code"), [(KeyboardInterrupt(), 130), (proof.DisagreementError("a pair"), 1), (Fault("a pair"), 1)]
)
def test_a_proof_that_ends_early_is_no_success_and_tells_what_it_has(monkeypatch, capsys, end, code):
    def parts(table, *_):
        yield "first", lambda: table.counts.update({("a framework", "a path"): Counter({"restores": 7})})
        yield "second", Mock(side_effect=end)

    monkeypatch.setattr(command, "FRAMEWORKS", {})
    monkeypatch.setattr(command, "_parts", parts)
    monkeypatch.setattr("sys.argv", ["differential", "--table"])
    assert command.main() == code
    printed = capsys.readouterr()
    assert "| a framework | 0 | 7 |" in printed.out
    assert ("interrupted" in printed.err) == (code == 130)
    assert ("DISAGREEMENT: a pair" in printed.out) == (code == 1)
