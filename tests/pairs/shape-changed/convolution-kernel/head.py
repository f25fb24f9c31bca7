"""A convolution with a larger kernel."""

import tensorflow as tf
from tensorflow import keras


class Images(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem = keras.layers.Conv2D(8, 5, padding="same")  # finding: shape-changed
        self.norm = keras.layers.BatchNormalization()
        self.depthwise = keras.layers.DepthwiseConv2D(3, padding="same")
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.logits = keras.layers.Dense(10)

    def call(self, inputs, training=False):
        hidden = self.norm(self.stem(inputs), training=training)
        return self.logits(self.pool(self.depthwise(hidden)))


def build():
    model = Images()
    model(tf.zeros((1, 12, 12, 3)))
    return model
