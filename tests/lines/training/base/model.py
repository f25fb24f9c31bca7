import tensorflow as tf

from .net import network


class State(tf.Module):
    def __init__(self):
        super().__init__()
        self.step = tf.Variable(0, dtype=tf.int64)
        self.best = tf.Variable(0.0)


def checkpoint(net, state):
    """What is saved."""
    return tf.train.Checkpoint(
        net=net,
        state=state,
        rate=tf.Variable(0.1),
    )


def build():
    net = network()
    state = State()
    return checkpoint(net, state)
