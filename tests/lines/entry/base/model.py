import tensorflow as tf


class Part(tf.keras.layers.Layer):
    def __init__(self, width, hidden=None):
        super().__init__()
        self.one = tf.keras.layers.Dense(hidden or width, activation="relu")
        self.two = tf.keras.layers.Dense(width)

    def call(self, x):
        return self.two(self.one(x))


class Net(tf.keras.Model):
    """A chain of parts."""

    def __init__(self, width, depth, tied, head):
        super().__init__()
        self.enter = tf.keras.layers.Dense(width)
        first = Part(width)
        self.part_0 = first
        if depth > 1:
            self.part_1 = first if tied else Part(width)
        if depth > 2:
            self.part_2 = Part(width)
        self.depth = depth
        self.leave = tf.keras.layers.Dense(head)

    def call(self, x):
        x = self.enter(x)
        for number in range(self.depth):
            x = getattr(self, f"part_{number}")(x)
        return self.leave(x)


def build(width=6, depth=1, tied=False, head=3):
    return Net(width, depth, tied, head)
