"""The models that scripts/bench measures, and what a team would write by hand instead of restore-guard."""

SMALL = """\
import tensorflow as tf


class Small(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense_1 = tf.keras.layers.Dense(64, activation="relu")
        self.dense_2 = tf.keras.layers.Dense(10)

    def call(self, inputs):
        return self.dense_2(self.dense_1(inputs))


def build():
    model = Small()
    model(tf.zeros((1, 32)))
    return model
"""
LARGE = """\
import tensorflow as tf


def build():
    body = tf.keras.applications.EfficientNetB7(weights=None, include_top=False, pooling="avg")
    inputs = tf.keras.Input((600, 600, 3))
    return tf.keras.Model(inputs, tf.keras.layers.Dense(10, name="head")(body(inputs)))
"""
HUGE = """\
import tensorflow as tf


def build(billions):
    words = tf.keras.Input((None,), dtype="int32")
    vectors = tf.keras.layers.Embedding(500_000 * billions, 1000)(words)
    halves = [tf.keras.layers.Dense(500_000, name=f"wide_{number}")(vectors) for number in range(billions)]
    return tf.keras.Model(words, halves)
"""
WIDE = """\
import tensorflow as tf


class Wide(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.block_0 = tf.keras.layers.Dense(5000)
        self.block_1 = tf.keras.layers.Dense(5001)
        self.block_2 = tf.keras.layers.Dense(5002)
        self.block_3 = tf.keras.layers.Dense(5003)

    def call(self, x):
        return self.block_3(self.block_2(self.block_1(self.block_0(x))))


def build():
    model = Wide()
    model(tf.zeros((1, 5000)))
    return model
"""
SAVED = "import sys; sys.path.insert(0, '.'); import wide; wide.build().save_weights(sys.argv[1])"
# What a team would write by hand for a renamed attribute, without a look at what it has made.
CARRIED_BY_HAND = """\
import sys
import h5py
import tensorflow as tf
sys.path.insert(0, ".")
import wide
model = wide.build()
with h5py.File(sys.argv[1]) as file:
    for number, layer in enumerate(model.layers):
        for place, variable in enumerate(layer.weights):
            variable.assign(file[f"block_{number}/vars/{place}"][()])
model.save_weights(sys.argv[2])
"""
# What a team would write by hand: two checkouts, two Pythons, all weights.
BY_HAND = """\
import sys
import tensorflow as tf
sys.path.insert(0, ".")
import {module}
model = {module}.build()
checkpoint = tf.train.Checkpoint(model)
if sys.argv[1] == "save":
    model.save_weights(sys.argv[2] + ".weights.h5")
    checkpoint.write(sys.argv[2])
else:
    model.load_weights(sys.argv[2] + ".weights.h5")
    checkpoint.read(sys.argv[2]).assert_consumed()
"""
EAGER = "import sys; sys.path.insert(0, '.'); import tensorflow, {module}; {module}.build()"
PEAK = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], capture_output=True).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
BARE = "import tensorflow as tf; tf.keras.layers"
