import tensorflow as tf


class Norm(tf.keras.layers.Layer):
    def build(self, shape):
        self.weight = self.add_weight(name="scale", shape=(shape[-1],))
        self.offset = self.add_weight(name="offset", shape=(shape[-1],))

    def call(self, x):
        return x * self.weight + self.offset
