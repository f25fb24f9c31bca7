import tensorflow as tf


class Step(tf.Module):
    def __init__(self, size):
        super().__init__()
        self.w = tf.Variable(tf.zeros((size, size)))
        self.b = tf.Variable(tf.zeros((size,)))


class Rung(tf.Module):
    def __init__(self, size, steps):
        super().__init__()
        self.steps = [Step(size) for _ in range(steps)]
        self.gain = tf.Variable(tf.ones((size,)))
