"""A loss is scaled, as a policy of mixed precision wants it."""

from tensorflow import keras

UNITS = 4


def build():
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(UNITS), keras.layers.Dense(1)])
    model.compile(optimizer=keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam(0.01)), loss="mse")
    return model
