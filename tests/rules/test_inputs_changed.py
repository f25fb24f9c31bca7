"""What a model takes, read from real models of both Keras, and what of it a caller notices when it changes."""

import pytest

from restore_guard.build import Job
from restore_guard.building.probing import Probe
from restore_guard.rules.inputs_changed import differences
from restore_guard.signature import Input

MODELS = """\
import tensorflow as tf
from tensorflow import keras


def head(*tensors):
    return keras.layers.Dense(1)(keras.layers.Concatenate()([*tensors]) if len(tensors) > 1 else tensors[0])


def bare():
    x = keras.Input((3,))
    return keras.Model(x, head(x))


def named():
    x = keras.Input((None, 3), name="x", dtype="float16")
    return keras.Model([x], head(x))


def keyed():
    z, y = keras.Input((3,), name="left"), keras.Input((2,), name="right")
    return keras.Model({"z": z, "y": y}, head(z, y))


def nested():
    a, b, c = (keras.Input((3,)) for _ in range(3))
    return keras.Model([a, {"two": [b, c]}], head(a, b, c))


def sequential():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, inputs, training=False):
        if isinstance(inputs, dict):
            inputs = inputs["b"] + inputs["a"]
        return self.dense(inputs)


def called():
    model = Own()
    model(tf.zeros((2, 3)))
    return model


def called_with_keys():
    model = Own()
    model({"b": tf.zeros((2, 3)), "a": tf.zeros((2, 3))}, training=False)
    return model


def graph():
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.int32, (None, 4), name="ids")
        tf.compat.v1.get_variable("w", (2,))
    return graph


def module():
    return tf.Module()
"""
BATCH = None
EXPECTED = {
    "bare": [Input((), None, (BATCH, 3), "float32")],
    "named": [Input((), "x", (BATCH, None, 3), "float16")],
    "keyed": [Input(("z",), "left", (BATCH, 3), "float32"), Input(("y",), "right", (BATCH, 2), "float32")],
    "nested": [Input(at, None, (BATCH, 3), "float32") for at in ((0,), (1, "two", 0), (1, "two", 1))],
    "sequential": [Input((), None, (BATCH, 3), "float32")],
    "called": [Input((), None, (BATCH, 3), "float32", example=True)],
    "called_with_keys": [Input((key,), None, (BATCH, 3), "float32", example=True) for key in "ba"],
    "graph": [Input(("ids",), None, (BATCH, 4), "int32")],
    "module": [],
}


@pytest.mark.tensorflow
@pytest.mark.parametrize("keras", ["keras3", "keras2", "tensorflow218"])
def test_what_a_model_takes_is_the_same_to_every_keras(request, tmp_path, keras):
    (tmp_path / "models.py").write_text(MODELS)
    with Probe(request.getfixturevalue(keras)) as probe:
        built = probe.run([Job(name, tmp_path, f"models:{name}") for name in EXPECTED])
    for name, expected in EXPECTED.items():
        signature = built[name].signature
        assert signature is not None, built[name].failure
        assert differences(signature.takes, expected) == [], name
        assert [item.at for item in signature.takes] == [item.at for item in expected], name
        assert [item.name for item in signature.takes] == [item.name for item in expected], name
    sites = [item.site.line for item in built["keyed"].signature.takes]
    line = next(number for number, text in enumerate(MODELS.splitlines(), 1) if "z, y = keras.Input" in text)
    assert sites == [line, line]


def single(shape=(None, 3), dtype="float32", **more):
    return [Input(shape=shape, dtype=dtype, **more)]


def keyed(*keys, shape=(None, 3)):
    return [Input((key,), key if isinstance(key, str) else None, shape, "float32") for key in keys]


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        (single(), single(), []),
        (single(), single((None, 4)), ["the input: shape (None, 3) is now (None, 4)"]),
        (single((None, None)), single((None, 4)), ["the input: shape (None, None) is now (None, 4)"]),
        (single(), single(dtype="int32"), ["the input: dtype float32 is now int32"]),
        (single(name="x"), single(name="y"), ["y: x is now y"]),
        (single(name="x"), single(), []),  # an automatic name is nobody's
        (single(example=True), single((None, 7)), []),
        (single(example=True), single((None, 3, 1)), ["the input: shape (None, 3) is now (None, 3, 1)"]),
        (single(), single(dtype=None, example=True), []),
        (keyed("a", "b"), keyed("a", "c"), ["b is now c"]),
        (keyed("a", "b"), keyed("b", "a"), ["the order is now b, a"]),
        (keyed("a", "b"), keyed("a"), ["b is gone"]),
        (keyed("a"), keyed("a", "b"), ["b is new"]),
        (keyed(0, 1), keyed("a", "b"), ["0 is now a", "1 is now b"]),
        ([], keyed("a"), []),  # a manifest of before, or a model of which nothing is known
        (keyed("a"), [], []),
    ],
)
def test_what_a_caller_notices(old, new, sentences):
    assert [difference.sentence for difference in differences(old, new)] == sentences
