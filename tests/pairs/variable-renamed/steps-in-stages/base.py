"""Equal steps of a module."""

import tensorflow as tf


class Step(tf.Module):
    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(tf.random.normal((3, 3)))

    def __call__(self, x):
        return x + tf.tanh(tf.matmul(x, self.weight))


class Steps(tf.Module):
    def __init__(self):
        super().__init__()
        self.steps = [Step() for _ in range(4)]

    def __call__(self, x):
        for step in self.steps:
            x = step(x)
        return x


INPUTS = [{"shape": [3], "dtype": "float32"}]


def build():
    return Steps()
