"""A key of the inputs is renamed: every value restores, and no caller's data fits any more."""

from tensorflow import keras


def build():
    inputs = {"age": keras.Input((3,), name="age"), "words": keras.Input((4,), name="words")}
    joined = keras.layers.Concatenate()([inputs["age"], inputs["words"]])
    return keras.Model(inputs, keras.layers.Dense(2)(joined))
