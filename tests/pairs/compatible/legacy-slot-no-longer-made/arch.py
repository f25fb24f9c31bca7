import tensorflow as tf
from tensorflow import keras

@keras.utils.register_keras_serializable("arch")
class Block(keras.layers.Layer):
    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.dense = keras.layers.Dense(width)

    def build(self, shape):
        self.dense.build(shape)

    def call(self, x):
        return tf.nn.elu(self.dense(x))

    def get_config(self):
        return {**super().get_config(), "width": self.width}

def build():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Block(3)(keras.layers.Dense(5)(inputs)))
    model.compile("adam", "mse")
    return model
