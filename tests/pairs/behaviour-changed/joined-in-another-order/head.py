"""Two kinds of readings are joined."""

from tensorflow import keras


def build():
    near, far = keras.Input((3,), name="near"), keras.Input((3,), name="far")
    joined = keras.layers.Concatenate(name="joined")([far, near])
    return keras.Model([near, far], keras.layers.Dense(2, name="level")(joined))


# outputs: tf-checkpoint, keras-weights, h5 differ
