"""A two-tower model whose towers are listed in another order."""

import tensorflow as tf
from tensorflow import keras


class TwoTower(keras.Model):
    def __init__(self):
        super().__init__()
        self.towers = {  # finding[keras3]: not-saved
            "item": keras.layers.Dense(8),  # finding: variable-misplaced
            "user": keras.layers.Dense(8),
        }
        self.score = keras.layers.Dense(1)

    def call(self, inputs):
        user, item = self.towers["user"](inputs), self.towers["item"](inputs)
        return self.score(user * item)


def build():
    model = TwoTower()
    model(tf.zeros((1, 8)))
    return model
