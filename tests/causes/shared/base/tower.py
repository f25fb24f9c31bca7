import tensorflow as tf


class Tower(tf.keras.layers.Layer):
    def __init__(self, table, units):
        super().__init__()
        self.table = table
        self.hidden = tf.keras.layers.Dense(units)
        self.out = tf.keras.layers.Dense(units)

    def call(self, ids):
        return self.out(self.hidden(self.table(ids)))
