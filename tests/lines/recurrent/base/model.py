from pathlib import Path

import tensorflow as tf

from .cells import Attend, cell, lstm


def sizes():
    """{name: number} of the lines of sizes.yaml."""
    lines = (Path(__file__).parent / "sizes.yaml").read_text().splitlines()
    pairs = (line.split(": ") for line in lines if not line.startswith("#"))
    return {name: int(value) for name, value in pairs}


class Reader(tf.keras.Model):
    def __init__(self, words, width, units, classes):
        super().__init__()
        self.embed = tf.keras.layers.Embedding(words, width)
        self.forward = cell("gru", units)
        self.again = lstm(units)
        self.attend = Attend()
        self.decide = tf.keras.layers.Dense(classes)

    def call(self, ids):
        x = self.embed(ids)
        x = self.again(self.forward(x))
        return self.decide(self.attend(x))


def build():
    model = Reader(**sizes())
    model(tf.zeros((1, 6), dtype="int32"))
    return model
