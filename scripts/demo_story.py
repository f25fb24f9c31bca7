"""The models of scripts/demo, their history, and what a check of each commit shall say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CONFIGURATION = """\
[tool.restore-guard]
python = ".venv/bin/python"

[tool.restore-guard.models.classifier]
builder = "models.classifier:build"

[tool.restore-guard.models.digits]
builder = "models.digits:build"

[tool.restore-guard.models.scorer]
builder = "models.scorer:build"
"""

CLASSIFIER = """\
import tensorflow as tf
from tensorflow import keras


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense_1 = keras.layers.Dense(64, activation="relu")
        self.dense_2 = keras.layers.Dense(10)

    def call(self, inputs):
        return self.dense_2(self.dense_1(inputs))


def build():
    model = Classifier()
    model(tf.zeros((1, 784)))
    return model
"""

DIGITS = """\
import tensorflow as tf
from tensorflow import keras


class Digits(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = keras.layers.Conv2D(32, (3, 3), activation="relu")
        self.flatten = keras.layers.Flatten()
        self.dense = keras.layers.Dense(10)

    def call(self, images):
        return self.dense(self.flatten(self.conv(images)))


def build():
    model = Digits()
    model(tf.zeros((1, 28, 28, 1)))
    return model
"""

SCORER = """\
import tensorflow as tf
from tensorflow import keras


class Elu(keras.layers.Layer):
    def call(self, inputs):
        return tf.where(inputs > 0, inputs, tf.exp(inputs) - 1)


class Scorer(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(32)
        self.custom = Elu()
        self.score = keras.layers.Dense(1)

    def call(self, inputs):
        return self.score(self.custom(self.hidden(inputs)))


def build():
    model = Scorer()
    model(tf.zeros((1, 16)))
    return model
"""

README = "# Three models\n"

# A training run before the rename, and the process that serves what it has saved.
TRAIN = """\
import sys
import numpy as np
from models import classifier

model = classifier.build()
model.save_weights(sys.argv[1])
np.save(sys.argv[2], model(np.ones((1, 784), "float32")))
"""
SERVE = """\
import sys
import numpy as np
from models import classifier

model = classifier.build()
model.load_weights(sys.argv[1])
served = np.asarray(model(np.ones((1, 784), "float32")))
if not np.allclose(served, np.load(sys.argv[2])):
    sys.exit("the classifier serves something else than what was trained")
print("the classifier serves what was trained before the rename")
"""


@dataclass(frozen=True)
class Step:
    """A commit and what the check of it shall say.

    Attributes:
        edits: {file: {old text: new text}}.
        update: arguments of `restore-guard update` run before the commit; None where its author does not run it.
        expected: the exit code and, for each model and restore path, the word of the report.
        since: the commit to compare with, counted back from this one.
        whole: whether the report is shown with all that it says of each finding.
        serves: whether the old checkpoint is then migrated and served.
    """

    title: str
    story: str
    edits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    update: Sequence[str] | None = None
    expected: tuple[int, Mapping[str, str]] = (0, {})
    since: int = 1
    whole: bool = False
    serves: bool = False


RESTORES = {"tf-checkpoint": "restores", "keras-weights": "restores"}
SILENT = {"tf-checkpoint": "partial", "keras-weights": "raises"}
RAISES = {"tf-checkpoint": "raises", "keras-weights": "raises"}

STEPS = (
    Step(
        "Rename a layer's attribute",
        "A name in the code becomes clearer. Nobody thinks of checkpoints.",
        {"models/classifier.py": {"dense_1": "denselayer1"}},
        expected=(1, {"classifier": "breaks", **SILENT}),
        whole=True,
    ),
    Step(
        "Migrate the rename",
        "The team keeps its old checkpoints: a migration says where each value goes. Compared with the commit before\n"
        "the rename, as a pull request with both commits is. Then an old checkpoint is migrated and served.",
        update=["classifier", "--migrate", "names follow the paper"],
        expected=(0, {"classifier": "restores, break migrated", **SILENT}),
        since=2,
        serves=True,
    ),
    Step(
        "Replace the convolution by a dense layer",
        "A layer of another type, and a name that now means another layer.",
        {
            "models/digits.py": {
                '        self.conv = keras.layers.Conv2D(32, (3, 3), activation="relu")\n': "",
                "self.dense = keras.layers.Dense(10)": 'self.dense = keras.layers.Dense(32, activation="relu")\n'
                "        self.dense2 = keras.layers.Dense(10)",
                "self.dense(self.flatten(self.conv(images)))": "self.dense2(self.dense(self.flatten(images)))",
            }
        },
        expected=(1, {"digits": "breaks", **RAISES}),
    ),
    Step(
        "Use the built-in ELU",
        "Another class and another name, but a layer without variables: no checkpoint holds it.",
        {
            "models/scorer.py": {
                "class Elu(keras.layers.Layer):\n"
                "    def call(self, inputs):\n"
                "        return tf.where(inputs > 0, inputs, tf.exp(inputs) - 1)\n\n\n": "",
                "self.custom = Elu()": 'self.custom2 = keras.layers.Activation("elu")',
                "self.custom(": "self.custom2(",
            }
        },
        update=["scorer"],
        expected=(0, {"scorer": "restores", **RESTORES}),
    ),
    Step(
        "Use SELU instead of ELU",
        "Other math, the same variables. Every checkpoint restores; that the model now computes something else\n"
        "is not a question of restoring.",
        {"models/scorer.py": {'Activation("elu")': 'Activation("selu")'}},
        expected=(0, {"scorer": "restores", **RESTORES}),
    ),
    Step(
        "Explain the models",
        "No model is touched, so nothing is built.",
        {"README.md": {"# Three models\n": "# Three models\n\nA classifier, digits and a scorer.\n"}},
    ),
)
