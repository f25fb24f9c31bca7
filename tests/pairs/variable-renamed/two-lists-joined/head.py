"""Cells in two lists."""

import tensorflow as tf
from tensorflow import keras


class Cells(keras.Model):
    def __init__(self):
        super().__init__()
        down = [keras.layers.Dense(4, name=f"down_{n}") for n in range(2)]
        up = [keras.layers.Dense(4, name=f"up_{n}") for n in range(2)]
        self.cells = [*down, *up]  # finding: variable-renamed; finding[keras3]: not-saved

    def call(self, x):
        for cell in self.cells:
            x = cell(x)
        return x


def build():
    model = Cells()
    model(tf.zeros((1, 4)))
    return model
