import tensorflow as tf


@tf.keras.utils.register_keras_serializable("pairs")
class Projection(tf.keras.layers.Layer):
    def __init__(self, units, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = activation
        self.dense = tf.keras.layers.Dense(units, activation=activation)

    def build(self, shape):
        self.dense.build(shape)
        self.built = True

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "activation": self.activation}


def build():
    inputs = tf.keras.Input((4,))
    return tf.keras.Model(inputs, Projection(3)(tf.keras.layers.Dense(5)(inputs)))  # finding: variable-renamed
