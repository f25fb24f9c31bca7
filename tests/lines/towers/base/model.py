import tensorflow as tf

from .features import tables
from .tower import Tower

keras = tf.keras


def build():
    embed = tables()
    inputs = {name: keras.Input((), name=name, dtype="int32") for name in embed}
    parts = {name: layer(inputs[name]) for name, layer in embed.items()}
    left = Tower(6, name="left")(parts["user"])
    right = Tower(6, name="right")(
        keras.layers.Concatenate()(
            [
                parts["item"],
                parts["shop"],
            ]
        )
    )
    score = keras.layers.Dense(
        1,
        name="score",
    )(keras.layers.Multiply()([left, right]))
    return keras.Model(inputs, score)
