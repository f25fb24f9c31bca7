"""Cells in two lists, one of them to be a dictionary."""

import tensorflow as tf
from tensorflow import keras


class Cells(keras.Model):
    def __init__(self):
        super().__init__()
        self.down = {f"cell_{n}": keras.layers.Dense(4, name=f"down_{n}") for n in range(2)}  # finding[keras2]: variable-renamed; finding[keras3]: not-saved
        self.up = [keras.layers.Dense(4, name=f"up_{n}") for n in range(2)]

    def call(self, x):
        for cell in [*self.down.values(), *self.up]:
            x = cell(x)
        return x


def build():
    model = Cells()
    model(tf.zeros((1, 4)))
    return model
