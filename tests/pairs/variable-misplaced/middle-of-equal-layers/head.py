"""Three equal layers become two."""

from tensorflow import keras


def build():
    return keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(8, activation="relu", name="low"),
            keras.layers.Dense(8, activation="relu", name="high"),  # finding: variable-misplaced
        ]
    )
