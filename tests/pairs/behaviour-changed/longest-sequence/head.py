"""A model that looks at the beginning of a sequence only."""

import tensorflow as tf
from tensorflow import keras

LONGEST = 4


class Tagger(keras.layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(shape=(3, 2), name="kernel")

    def call(self, x):
        return tf.reduce_mean(tf.matmul(x[:, :LONGEST], tf.convert_to_tensor(self.kernel)), axis=1)


def build():
    frames = keras.Input((None, 3))
    return keras.Model(frames, Tagger(name="tagger")(frames))


# outputs: tf-checkpoint, keras-weights, h5 differ
