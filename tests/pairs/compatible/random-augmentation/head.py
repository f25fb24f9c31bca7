"""Random layers carry random-seed state, and nothing else."""

import tensorflow as tf
from tensorflow import keras


class Augmented(keras.Model):
    def __init__(self):
        super().__init__()
        self.flip = keras.layers.RandomFlip("horizontal")
        self.noise = keras.layers.GaussianNoise(0.1)
        self.conv = keras.layers.Conv2D(4, 3)
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.head = keras.layers.Dense(2)

    def call(self, inputs, training=False):
        return self.head(self.pool(self.conv(self.noise(self.flip(inputs, training=training), training=training))))


def build():
    model = Augmented()
    model(tf.zeros((1, 8, 8, 3)))
    return model
