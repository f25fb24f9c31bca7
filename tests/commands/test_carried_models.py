"""Whole stories of checkpoints that get across: a vocabulary that grows, names of a library, and a Saver's network."""

import re

import pytest
import tomlkit
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
# An encoder as a library of models called its parts, and what it calls them later.
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
for name, module, x in (("block", block, np.ones((1, 3, 8), "float32")), ("words", words, np.arange(4)[None])):
    model = module.build()
    for variable in model.variables:
        variable.assign(random.normal(size=variable.shape))
    model.save_weights(f"{folder}/{name}.weights.h5")
    tf.train.Checkpoint(model).write(f"{folder}/{name}")
    np.save(f"{folder}/{name}.npy", model(x))
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

def serves(model, x, name):
    assert np.allclose(model(x), np.load(f"{old}/{name}.npy"), atol=1e-5), name
    return model

encoder = block.build()
encoder.load_weights(f"{new}/block.weights.h5")
serves(encoder, np.ones((1, 3, 8), "float32"), "block")
one, other, digits = words.build(), words.build(), convnet.build()
one.load_weights(f"{new}/words.weights.h5")
tf.train.Checkpoint(other).read(f"{new}/words").assert_consumed()
digits.load_weights(f"{new}/digits.weights.h5")
serves(digits, np.ones((1, 8, 8, 1), "float32"), "digits")
for model in (one, other):
    table = serves(model, np.arange(4)[None], "words").table.embeddings
    assert table.shape == (1200, 8)
    assert np.array_equal(table[:1000], np.load(f"{old}/table.npy"))
"""


class Story:
    def __init__(self, project, python):
        self.project, self.python, self.decided = project, python, 0

    def run(self, command, *arguments, **options):
        with Repository(self.project.root) as repository:
            return command(Run(repository, self.project.environ), *arguments, **options)

    def change(self, message, **edits):
        """Edits modules, writes the migrations, decides as their hints say, sees the check green, and commits."""
        for name, pairs in edits.items():
            text = (self.project.root / f"{name}.py").read_text()
            for old, new in pairs:
                text = text.replace(old, new)
            self.project.write({f"{name}.py": text})
        done = self.run(updating.update, names=list(edits), reason=message, migrate=True)
        assert all("a break is migrated" in each.message for each in done)
        for name in edits:
            self.decide(name)
        with Repository(self.project.root) as repository:
            sides = Sides(repository.head(), repository.worktree())
            result = check(Run(repository, self.project.environ), sides, witness="auto")
        assert result.exit_code == 0, [finding.message for model in result.models for finding in model.findings]
        paths = [path for model in result.models for path in model.restores.values() if path.migration]
        assert {(path.migration.outcome, path.migration.evidence) for path in paths} == {("restores", "witnessed")}
        self.project.commit(message=message)

    def decide(self, name):
        """Takes each open entry at its word, which must be what the edit did."""
        file = self.project.root / f"restore-manifest/{name}.migrations.toml"
        text = tomlkit.parse(file.read_text())
        (table,) = text["migration"]
        for entry in table.pop("open", ()):
            hint = re.search(r"\(the order of the lines says (.+?)\)", entry["choose"])
            if "saved" in entry:
                later = {old.strip("_"): new.strip("_") for old, new in LATER}
                block, norm, name = (part.strip("_") for part in entry["saved"].split("/"))
                assert [part.strip("_") for part in hint[1].split("/")] == [block, later[norm], name]
                table["rename"].append({"from": entry["saved"], "to": hint[1]})
                self.decided += 1
            else:
                assert hint is not None
        file.write_text(tomlkit.dumps(text))

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
    story.project.script(story.python, SAVE, old)
    story.project.script(story.python, SAVER, old)
    story.change("200 words more, and other names", block=LATER, words=[("Embedding(1000", "Embedding(1200")])
    assert story.decided == 8  # gamma and beta of two norms in two blocks
    for file in ("words.weights.h5", "words"):
        story.migrate(old / file, new / file, name="words")
    story.migrate(old / "block.weights.h5", new / "block.weights.h5", name="block")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(MAPPING)
    story.migrate(old / "digits", new / "digits.weights.h5", name="convnet", mapping=str(mapping), to="keras-weights")
    story.project.script(story.python, LOAD, old, new)
