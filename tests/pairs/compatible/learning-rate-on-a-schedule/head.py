"""A compiled model whose learning rate follows a schedule."""

from tensorflow import keras


def build():
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 200, 0.9)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(rate, momentum=0.9), loss="mse")
    model.optimizer.build(model.trainable_variables)
    return model
