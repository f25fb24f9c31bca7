"""The repository's own load calls, told from text: what each is of, and what is named because it is no constant."""

import pytest

from restore_guard.change import load_calls

HEAD = """\
import os
from pathlib import Path
import tensorflow as tf
import tensorflow.compat.v1 as tf1
from tensorflow import keras
from keras.models import load_model
from .layers import Scale
from . import blocks

WEIGHTS = "out/model.weights.h5"
OBJECTS = {"Scale": Scale}
"""


def found(body, file="ranker/train.py", roots=("",)):
    text = HEAD + body
    return load_calls.calls({file: text.encode()}.get, [file], roots)


def one(body, **settings):
    (call,) = found(body, **settings)
    return call


PATHS = [
    ('model.load_weights("a.weights.h5")', "loads", "keras-weights"),
    ('model.save_weights("a.weights.json", max_shard_size=1)', "saves", "keras-weights"),
    ('model.load_weights("a.h5")', "loads", "h5"),
    ('model.load_weights("a.h5", by_name=True)', "loads", "h5-by-name"),
    ('model.load_weights("ckpt/a")', "loads", "tf-checkpoint"),
    ('model.save_weights(path, save_format="tf")', "saves", "tf-checkpoint"),
    ("model.load_weights(WEIGHTS)", "loads", "keras-weights"),
    ('model.load_weights(os.path.join(folder, "a.weights.h5"))', "loads", "keras-weights"),
    ('model.load_weights(Path(folder) / "a.weights.h5")', "loads", "keras-weights"),
    ('model.load_weights(str(folder.joinpath("a.h5")))', "loads", "h5"),
    ('model.load_weights(f"{folder}/{step}.weights.h5")', "loads", "keras-weights"),
    ('model.load_weights("%s.h5" % step)', "loads", "h5"),
    ('model.load_weights("{}.h5".format(step))', "loads", "h5"),
    ('model.load_weights(folder + "/a.h5")', "loads", "h5"),
    ('model.load_weights(path.with_suffix(".weights.h5"))', "loads", "keras-weights"),
    ('load_model("a.keras")', "loads", "keras-archive"),
    ('keras.models.load_model("a.keras")', "loads", "keras-archive"),
    ('tf.keras.saving.load_model("a.keras")', "loads", "keras-archive"),
    ('model.save("a.keras")', "saves", "keras-archive"),
    ('keras.models.save_model(model, "a.keras")', "saves", "keras-archive"),
    ("tf.train.Checkpoint(model=model).restore(path)", "loads", "tf-checkpoint"),
    ("tf.train.Checkpoint(model=model).restore(path).expect_partial()", "loads", "tf-checkpoint"),
    ("tf.train.Checkpoint(model=model).write(path)", "saves", "tf-checkpoint"),
    ("saver = tf1.train.Saver()\nsaver.restore(session, path)", "loads", "tf1-saver"),
    ("tf.compat.v1.train.Saver().save(session, path)", "saves", "tf1-saver"),
    ('keras.callbacks.ModelCheckpoint("a.keras")', "saves", "keras-archive"),
    ('keras.callbacks.ModelCheckpoint("{epoch}.weights.h5", save_weights_only=True)', "saves", "keras-weights"),
    ("def load(name='a.h5'):\n    model.load_weights(name)", "loads", "h5"),
    ("def load(checkpoint: tf.train.Checkpoint):\n    checkpoint.restore(path)", "loads", "tf-checkpoint"),
    ("model.load_weights(tf.train.latest_checkpoint(folder))", "loads", "tf-checkpoint"),
    ("latest = manager.latest_checkpoint\nmodel.load_weights(latest)", "loads", "tf-checkpoint"),
    ("keras.saving.load_weights(model, WEIGHTS)", "loads", "keras-weights"),
    ('keras.saving.save_weights(model, "a.weights.h5")', "saves", "keras-weights"),
    ("parser.add_argument('-m', '--old-weights', default='a.h5')\nmodel.load_weights(args.old_weights)", "loads", "h5"),
    ("p.add_argument('--w', dest='kept', default='a.keras')\nload_model(args.kept)", "loads", "keras-archive"),
    ("flags.DEFINE_string('kept', 'a.weights.h5', 'file')\nmodel.load_weights(FLAGS.kept)", "loads", "keras-weights"),
    ("C = {'kept': 'a.h5'}\nmodel.load_weights(C['kept'])", "loads", "h5"),
    ("class C:\n    KEPT = 'a.h5'\nmodel.load_weights(C.KEPT)", "loads", "h5"),
    ("class C:\n    KEPT = 'a.h5'\n    def f(self):\n        m.load_weights(self.KEPT)", "loads", "h5"),
]


@pytest.mark.parametrize(("body", "does", "path"), PATHS)
def test_the_restore_path_of_a_call(body, does, path):
    call = one(body)
    assert (call.does, call.path, call.unknown) == (does, path, ())
    assert call.line == HEAD.count("\n") + 1 + body.count("\n")


def test_what_is_kept_in_an_attribute_is_followed():
    body = """\
class Trainer:
    def __init__(self, model):
        self.manager = None
        self.ckpt = tf.train.Checkpoint(model=model)
        self.manager = tf.train.CheckpointManager(self.ckpt, "out", 3)

    def resume(self):
        self.ckpt.restore(self.manager.latest_checkpoint)
        self.manager.save()
        self.restore()
"""
    assert [(call.does, call.what, call.path) for call in found(body)] == [
        ("loads", "self.ckpt.restore", "tf-checkpoint"),
        ("saves", "self.manager.save", "tf-checkpoint"),
    ]


OTHERS = """\
image.save("a.png")
json.load(file)
session.restore("a")
our_own.load_model("a.keras")
workbook.save(path)
np.save("a.npy", values)
state.write("x")
"""


def test_other_calls_of_the_same_names_are_none_of_these():
    assert found(OTHERS) == []


NAMED = [
    ("model.load_weights(args.weights)", ("filepath",)),
    ("parser.add_argument('--weights')\nmodel.load_weights(args.weights)", ("filepath",)),
    ("model.load_weights({'a': 'a.h5'}[key])", ("filepath",)),
    (
        "class C:\n    KEPT = 'a.h5'\n    def f(self):\n        self.KEPT = g()\n        m.load_weights(self.KEPT)",
        ("filepath",),
    ),
    ("path = first\nif x:\n    path = 'a.h5'\nmodel.load_weights(path)", ("filepath",)),
    ("model.load_weights(WEIGHTS, by_name=flag)", ("by_name",)),
    ("model.load_weights(WEIGHTS, skip_mismatch=flag)", ("skip_mismatch",)),
    ("model.load_weights(WEIGHTS, True)", None),
    ("load_model(path)", ("filepath",)),
    ("load_model('a.keras', custom_objects=collected())", ("custom_objects",)),
    ("load_model('a.keras', custom_objects={'Other': Scale})", ("custom_objects",)),
    ("load_model('a.keras', compile=flag)", ("compile",)),
    ("keras.callbacks.ModelCheckpoint('a.h5', save_weights_only=flag)", ("save_weights_only",)),
]


@pytest.mark.parametrize(("body", "unknown"), NAMED)
def test_arguments_that_are_no_constants_are_named(body, unknown):
    call = one(body)
    assert call.unknown == unknown if unknown else call.unknown


def test_a_format_that_is_no_restore_path_says_why():
    call = one("load_model('folder/saved')")
    assert call.path is None and call.why and call.unknown == ()


@pytest.mark.parametrize(
    "body", ["load_model('a.h5')", "model.save('a.hdf5')", "keras.callbacks.ModelCheckpoint('a.h5')"]
)
def test_an_h5_of_a_whole_model_is_told_from_one_of_weights(body):
    call = one(body)
    assert (call.path, call.whole_model, call.unknown) == ("h5", True, ())
    assert not one("model.load_weights('a.h5')").whole_model


@pytest.mark.parametrize(
    ("body", "objects"),
    [
        ("load_model('a.keras', custom_objects=OBJECTS)", ("ranker.layers:Scale",)),
        ("load_model('a.keras', {'Gate': blocks.Gate, 'Scale': Scale})", ("ranker.blocks:Gate", "ranker.layers:Scale")),
        ("class Own:\n    pass\nload_model('a.keras', custom_objects={'Own': Own})", ("ranker.train:Own",)),
        (
            "with keras.utils.custom_object_scope({'Scale': Scale}):\n    load_model('a.keras')",
            ("ranker.layers:Scale",),
        ),
    ],
)
def test_custom_objects_by_their_modules(body, objects):
    assert one(body, file="src/ranker/train.py", roots=("src", "")).custom_objects == objects


def test_the_other_arguments_of_a_load():
    call = one("load_model('a.keras', compile=False)")
    assert (call.compile, call.skip_mismatch) == (False, None)
    assert one("model.load_weights(WEIGHTS, skip_mismatch=True)").skip_mismatch is True


@pytest.mark.parametrize(
    "content", [b"model.load_weights(", b"\xff\xfe", b"", b"load = load.load\nload.load_weights(load)"]
)
def test_text_of_any_kind_is_read(content):
    load_calls.calls({"a.py": content}.get, ["a.py"])
