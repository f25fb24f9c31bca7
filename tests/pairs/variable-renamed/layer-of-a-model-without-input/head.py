"""A model without an input layer: its variables are made when it is first called."""

from tensorflow import keras

INPUTS = [{"shape": [4], "dtype": "float32"}]


class Ranker(keras.Model):
    def __init__(self):
        super().__init__()
        self.user = keras.layers.Dense(5, activation="tanh")
        self.rank = keras.layers.Dense(1)  # finding: variable-renamed

    def call(self, inputs):
        return self.rank(self.user(inputs))


def build():
    return Ranker()
