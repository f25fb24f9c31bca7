import tensorflow as tf

keras = tf.keras


@keras.utils.register_keras_serializable("wrapping")
class WeightNormalization(keras.layers.Wrapper):
    def build(self, shape):
        super().build(shape)
        self.g = self.add_weight(name="g", shape=(self.layer.filters,), initializer="ones")

    def call(self, x):
        return self.layer(x) * self.g


def build():
    wave = keras.Input((16, 2))
    x = keras.layers.Conv1D(4, 3, name="c1")(wave)
    x = WeightNormalization(keras.layers.Conv1D(4, 3, name="c2"), name="wn")(x)
    return keras.Model(wave, keras.layers.Dense(1, name="out")(x))
