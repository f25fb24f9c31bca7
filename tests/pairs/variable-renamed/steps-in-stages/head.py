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
        self.stages = [[Step(), Step()], [Step(), Step()]]  # finding: variable-renamed

    def __call__(self, x):
        for stage in self.stages:
            for step in stage:
                x = step(x)
        return x


INPUTS = [{"shape": [3], "dtype": "float32"}]


def build():
    return Steps()
