"""Whole stories of checkpoints that get across: a vocabulary that grows, names of a library, a Saver's network."""

import subprocess

import pytest
from conftest import Project, settings, warm_python

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import update as updating
from restore_guard.commands.check import check
from restore_guard.commands.migrate import Request, migrate

pytestmark = pytest.mark.tensorflow

WORDS = """\
import tensorflow as tf
from tensorflow import keras


class Words(keras.Model):
    def __init__(self):
        super().__init__()
        self.table = keras.layers.Embedding(1000, 8)
        self.score = keras.layers.Dense(1)

    def call(self, x):
        return self.score(tf.reduce_mean(self.table(x), 1))


def build():
    model = Words()
    model(tf.zeros((1, 4), tf.int32))
    return model
"""
# An encoder as libraries of models call its parts, over the years.
BLOCK = """\
import tensorflow as tf
from tensorflow import keras


class Block(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self._attention_layer = keras.layers.MultiHeadAttention(2, 4)
        self._attention_layer_norm = keras.layers.LayerNormalization()
        self._intermediate_dense = keras.layers.Dense(16, activation="gelu")
        self._output_dense = keras.layers.Dense(8)
        self._output_layer_norm = keras.layers.LayerNormalization()

    def call(self, x):
        x = self._attention_layer_norm(x + self._attention_layer(x, x))
        return self._output_layer_norm(x + self._output_dense(self._intermediate_dense(x)))


class Encoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.lower = Block()
        self.upper = Block()

    def call(self, x):
        return self.upper(self.lower(x))


def build():
    model = Encoder()
    model(tf.zeros((1, 3, 8)))
    return model
"""
LATER = (
    ("_attention_layer_norm", "_self_attention_norm"),
    ("_attention_layer", "_self_attention"),
    ("_intermediate_dense", "_feedforward_intermediate_dense"),
    ("_output_dense", "_feedforward_output_dense"),
    ("_output_layer_norm", "_feedforward_norm"),
)
LATEST = (("_self_attention_norm", "_self_attention_layer_norm"), ("_feedforward_norm", "_feedforward_layer_norm"))
CONVNET = """\
import tensorflow as tf
from tensorflow import keras


class Digits(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem = keras.layers.Conv2D(4, 3, activation="relu")
        self.body = keras.layers.Conv2D(6, 3, activation="relu")
        self.classes = keras.layers.Dense(5)

    def call(self, x):
        return self.classes(tf.reduce_mean(self.body(self.stem(x)), (1, 2)))


def build():
    model = Digits()
    model(tf.zeros((1, 8, 8, 1)))
    return model
"""
MAPPING = """\
[[migration]]
from = 1
to = 2
reason = "the network was written anew"
rename = [
    { from = "conv1/weights", to = "stem/kernel" },
    { from = "conv1/biases", to = "stem/bias" },
    { from = "conv2/weights", to = "body/kernel" },
    { from = "conv2/biases", to = "body/bias" },
    { from = "fc/weights", to = "classes/kernel" },
    { from = "fc/biases", to = "classes/bias" },
]
drop = ["global_step"]
"""
# What was trained years ago, by the code of that time.
SAVE = """\
import sys
import numpy as np
import tensorflow as tf
import block, words

folder = sys.argv[1]
random = np.random.default_rng(0)
for name, module, x in (("words", words, np.arange(4)[None]), ("block", block, np.ones((1, 3, 8), "float32"))):
    model = module.build()
    for variable in model.variables:
        variable.assign(random.normal(size=variable.shape))
    model.save_weights(f"{folder}/{name}.weights.h5")
    tf.train.Checkpoint(model).write(f"{folder}/{name}")
    np.save(f"{folder}/{name}.npy", model(x))
    if name == "words":
        np.save(f"{folder}/table.npy", model.table.embeddings)
"""
SAVER = """\
import sys
import numpy as np
import tensorflow.compat.v1 as tf

folder = sys.argv[1]
with tf.Graph().as_default(), tf.Session() as session:
    x = tf.ones((1, 8, 8, 1))
    for name, size, width in (("conv1", 1, 4), ("conv2", 4, 6)):
        with tf.variable_scope(name):
            weights = tf.get_variable("weights", (3, 3, size, width), initializer=tf.random_normal_initializer(seed=1))
            biases = tf.get_variable("biases", (width,), initializer=tf.random_normal_initializer(seed=2))
            x = tf.nn.relu(tf.nn.conv2d(x, weights, 1, "VALID") + biases)
    with tf.variable_scope("fc"):
        weights = tf.get_variable("weights", (6, 5), initializer=tf.random_normal_initializer(seed=3))
        biases = tf.get_variable("biases", (5,), initializer=tf.random_normal_initializer(seed=4))
        logits = tf.reduce_mean(x, (1, 2)) @ weights + biases
    step = tf.train.get_or_create_global_step()
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, f"{folder}/digits")
    np.save(f"{folder}/digits.npy", session.run(logits))
"""
LOAD = """\
import sys
import numpy as np
import tensorflow as tf
import block, convnet, words

old, new = sys.argv[1:]
inputs = {"words": np.arange(4)[None], "block": np.ones((1, 3, 8), "float32")}
inputs["digits"] = np.ones((1, 8, 8, 1), "float32")
for name, module in (("words", words), ("block", block), ("digits", convnet)):
    for load in ("weights", "checkpoint"):
        model = module.build()
        if load == "weights":
            model.load_weights(f"{new}/{name}.weights.h5")
        elif name != "digits":
            tf.train.Checkpoint(model).read(f"{new}/{name}").assert_consumed()
        else:
            continue
        assert np.allclose(model(inputs[name]), np.load(f"{old}/{name}.npy"), atol=1e-5), (name, load)
        if name == "words":
            assert model.table.embeddings.shape == (1200, 8)
            assert np.array_equal(model.table.embeddings[:1000], np.load(f"{old}/table.npy"))
"""


class Story:
    def __init__(self, project, python):
        self.project, self.python = project, python

    def script(self, text, *arguments):
        done = subprocess.run(
            [str(self.python), "-c", text, *map(str, arguments)],
            cwd=self.project.root,
            env=self.project.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    def run(self, command, *arguments, **options):
        with Repository(self.project.root) as repository:
            return command(Run(repository, self.project.environ), *arguments, **options)

    def change(self, message, **edits):
        """Edits modules, writes the migrations, sees that the check is green, and commits."""
        for name, pairs in edits.items():
            text = (self.project.root / f"{name}.py").read_text()
            for old, new in pairs:
                text = text.replace(old, new)
            self.project.write({f"{name}.py": text})
        done = self.run(updating.update, names=list(edits), reason=message, migrate=True)
        assert all("a break is migrated" in each.message and "open" not in each.message for each in done), (
            [each.message for each in done],
            [path.read_text() for path in self.project.root.glob("restore-manifest/*.toml")],
        )
        with Repository(self.project.root) as repository:
            sides = Sides(repository.head(), repository.worktree())
            result = check(Run(repository, self.project.environ), sides, witness="auto")
        assert result.exit_code == 0, [finding.message for model in result.models for finding in model.findings]
        paths = [path for model in result.models for path in model.restores.values() if path.migration]
        assert {(path.migration.outcome, path.migration.evidence) for path in paths} == {("restores", "witnessed")}
        self.project.commit(message=message)

    def migrate(self, checkpoint, out, **options):
        request = Request(str(checkpoint), str(out), **options)
        done = self.run(migrate, request, confirm=lambda _: False)
        assert done.exit_code == 0, [way.error for way in done.ways]


@pytest.fixture
def story(keras3, tmp_path):
    project = Project(tmp_path / "project", tmp_path / "home")
    promised = '\nrestores = ["tf-checkpoint", "keras-weights"]'
    models = {name: f'builder = "{name}:build"{promised}' for name in ("words", "block", "convnet")}
    with warm_python(keras3):
        project.write({"words.py": WORDS, "block.py": BLOCK, "convnet.py": CONVNET})
        project.write({"pyproject.toml": settings(keras3, models, timeout=120)})
        story = Story(project, keras3)
        assert {done.state for done in story.run(updating.update, names=[], reason=None)} == {"written"}
        project.commit(message="first")
        yield story


def test_what_was_trained_long_ago_is_served_today(story, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    story.script(SAVE, old)
    story.script(SAVER, old)
    story.change("names follow the paper", block=LATER, words=[("Embedding(1000", "Embedding(1200")])
    story.change("names are spelled out", block=LATEST)
    for name in ("words", "block"):
        story.migrate(old / f"{name}.weights.h5", new / f"{name}.weights.h5", name=name)
        story.migrate(old / name, new / name, name=name)
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(MAPPING)
    story.migrate(old / "digits", new / "digits.weights.h5", name="convnet", mapping=str(mapping), to="keras-weights")
    story.script(LOAD, old, new)
