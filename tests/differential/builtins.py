"""Every layer and optimizer of Keras that may keep something, as pairs: unchanged, with other arguments, renamed.

What a framework does not have is a pair that it cannot build, and says nothing.
"""

from __future__ import annotations

from pathlib import Path

_VECTOR, _SERIES, _IMAGE, _VIDEO = (8,), (6, 4), (8, 8, 3), (4, 8, 8, 3)
_WORDS = 'np.array([["x"], ["y"], ["x"]])'
_NUMBERS = 'np.arange(80.0).reshape(10, 8).astype("float32")'

# {expression of a layer: the same with other arguments}, by shape and dtype of what goes in
_LAYERS = {
    (_VECTOR, "float32"): {
        "Dense(3)": "Dense(4)",
        'Dense(3, kernel_constraint="non_neg")': "Dense(3, use_bias=False)",
        'Dense(3, dtype="mixed_float16")': 'Dense(3, dtype="float16")',
        "Normalization(mean=1.0, variance=2.0)": f"Normalization() adapted to {_NUMBERS}",
        f"Normalization() adapted to {_NUMBERS}": f"Normalization(axis=None) adapted to {_NUMBERS}",
        f"Discretization(num_bins=3) adapted to {_NUMBERS}": "Discretization(bin_boundaries=[0.0, 1.0])",
        "experimental.RandomFourierFeatures(3, trainable=True)": "experimental.RandomFourierFeatures(3)",
        "Lambda(lambda x: 2 * x)": 'Activation("relu")',
    },
    (_SERIES, "float32"): {
        "Conv1D(3, 2)": "Conv1D(4, 2)",
        "Conv1DTranspose(3, 2)": "Conv1DTranspose(3, 3)",
        "DepthwiseConv1D(2)": "DepthwiseConv1D(3)",
        "SeparableConv1D(3, 2)": "SeparableConv1D(4, 2)",
        "LocallyConnected1D(3, 2)": "Conv1D(3, 2)",
        "LSTM(3)": "GRU(3)",
        "LSTM(3, dropout=0.5, recurrent_dropout=0.5)": "LSTM(3)",
        "GRU(3)": "GRU(3, reset_after=False)",
        "SimpleRNN(3)": "SimpleRNN(3, use_bias=False)",
        "RNN(keras.layers.LSTMCell(3))": "RNN(keras.layers.GRUCell(3))",
        "RNN([keras.layers.GRUCell(3), keras.layers.SimpleRNNCell(2)])": "RNN([keras.layers.GRUCell(3)])",
        "Bidirectional(keras.layers.LSTM(3))": (
            "Bidirectional(keras.layers.LSTM(3), backward_layer=keras.layers.GRU(3, go_backwards=True))"
        ),
        "TimeDistributed(keras.layers.Dense(3))": "Dense(3)",
        "SpectralNormalization(keras.layers.Dense(3))": "Dense(3)",
        'EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")': 'EinsumDense("abc,cd->abd", (None, 3))',
        "BatchNormalization()": "BatchNormalization(scale=False)",
        "BatchNormalization(renorm=True)": "BatchNormalization()",
        "experimental.SyncBatchNormalization()": "BatchNormalization()",
        "LayerNormalization()": "LayerNormalization(scale=False)",
        "RMSNormalization()": "LayerNormalization(center=False)",
        "GroupNormalization(2)": "GroupNormalization(2, scale=False)",
        "PReLU()": "PReLU(shared_axes=[1])",
        "Dropout(0.5)": "GaussianNoise(0.5)",
        "AlphaDropout(0.5)": "Dropout(0.5, seed=3)",
    },
    (_IMAGE, "float32"): {
        "Conv2D(3, 2)": "Conv2D(3, 2, groups=3)",
        "Conv2DTranspose(3, 2)": "Conv2DTranspose(4, 2)",
        "DepthwiseConv2D(2)": "DepthwiseConv2D(2, depth_multiplier=2)",
        "SeparableConv2D(3, 2)": "SeparableConv2D(3, 3)",
        "ConvLSTM1D(2, 2)": "ConvLSTM1D(3, 2)",
        "RandomFlip()": "RandomRotation(0.2)",
        "RandomZoom(0.2)": "RandomContrast(0.2)",
        "RandAugment((0, 255))": "AugMix((0, 255))",
        "Pipeline([keras.layers.RandomFlip(), keras.layers.Rescaling(2.0)])": "Pipeline([keras.layers.RandomFlip()])",
        "Rescaling(2.0)": "Resizing(4, 4)",
    },
    (_VIDEO, "float32"): {
        "Conv3D(3, 2)": "Conv3D(4, 2)",
        "Conv3DTranspose(3, 2)": "Conv3DTranspose(3, 3)",
        "ConvLSTM2D(2, 2)": "ConvLSTM2D(3, 2)",
    },
    ((6,), "int64"): {
        "Embedding(5, 3)": "Embedding(6, 3)",
        "ReversibleEmbedding(5, 3)": "ReversibleEmbedding(5, 3, tie_weights=False)",
        "IntegerLookup(vocabulary=[1, 2])": "IntegerLookup(vocabulary=[1, 2, 3])",
        'CategoryEncoding(3, output_mode="one_hot")': 'CategoryEncoding(4, output_mode="one_hot")',
    },
    ((1,), "string"): {
        'StringLookup(vocabulary=["a", "b"])': 'StringLookup(vocabulary=["a", "c"])',
        f"StringLookup() adapted to {_WORDS}": f"StringLookup(max_tokens=5) adapted to {_WORDS}",
        f'StringLookup(output_mode="tf_idf") adapted to {_WORDS}': (
            f'StringLookup(output_mode="count") adapted to {_WORDS}'
        ),
        f"TextVectorization() adapted to {_WORDS}": 'TextVectorization(vocabulary=["x", "y"])',
        f'TextVectorization(output_mode="tf_idf") adapted to {_WORDS}': f"TextVectorization() adapted to {_WORDS}",
        "Hashing(3)": "Hashing(4)",
    },
}
_OPTIMIZERS = {
    **{f"{name}()": "AdamW()" for name in ("Adadelta", "Adafactor", "Adagrad", "Adam", "Adamax", "Ftrl", "Lamb")},
    **{f"{name}()": "Adam()" for name in ("Lion", "Muon", "Nadam", "ScheduleFreeAdamW")},
    "RMSprop(momentum=0.9, centered=True)": "RMSprop(momentum=0.9)",
    "SGD(momentum=0.9)": "SGD()",
    "Adam(use_ema=True)": "Adam()",
    "Adam(gradient_accumulation_steps=2)": "Adam()",
    "Adam(keras.optimizers.schedules.CosineDecay(0.1, 10))": "Adam(amsgrad=True)",
    "LossScaleOptimizer(keras.optimizers.Adam())": "Adam()",
    "legacy.Adam()": "legacy.Adam(amsgrad=True)",
    "legacy.SGD(momentum=0.9)": "SGD(momentum=0.9)",
}

_SOURCE = """\
import numpy as np
import tensorflow as tf
from tensorflow import keras


def adapted(layer, data):
    layer.adapt(data)
    return layer


@keras.utils.register_keras_serializable("pairs")
class Model(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.{name} = {layer}

    def call(self, x):
        return self.{name}(x)


def build():
    model = Model()
    model(tf.zeros((1, *{shape}), "{dtype}") if "{dtype}" != "string" else tf.fill((1, *{shape}), "x"))
{compiled}    return model
"""
_COMPILED = """\
    model.compile(keras.optimizers.{optimizer})
    if hasattr(model.optimizer, "_create_all_weights"):
        model.optimizer._create_all_weights(model.trainable_variables)
"""


def pairs(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Writes all pairs; returns {name: (base, head)}."""
    found = {}
    for (shape, dtype), layers in _LAYERS.items():
        for made, other in layers.items():
            for change, name, expression in (
                ("unchanged", "part", made),
                ("other arguments", "part", other),
                ("renamed", "other", made),
            ):
                sides = [_layer(shape, dtype, "part", made), _layer(shape, dtype, name, expression)]
                found[f"{made}, {change}"] = sides
            found[f"{made}, made of other arguments"] = [_layer(shape, dtype, "part", text) for text in (other, made)]
    for made, other in _OPTIMIZERS.items():
        for change, sides in {
            "unchanged": (made, made),
            "another": (made, other),
            "made of another": (other, made),
        }.items():
            found[f"{made}, {change}"] = [_optimizer(text) for text in sides]
    return {
        name: tuple(
            _written(folder, f"{number}-{side}", text) for side, text in zip(("base", "head"), sides, strict=True)
        )
        for number, (name, sides) in enumerate(found.items())
    }


def _layer(shape: tuple[int, ...], dtype: str, name: str, expression: str) -> str:
    layer, _, data = expression.partition(" adapted to ")
    layer = f"adapted(keras.layers.{layer}, {data})" if data else f"keras.layers.{layer}"
    return _SOURCE.format(name=name, layer=layer, shape=shape, dtype=dtype, compiled="")


def _optimizer(expression: str) -> str:
    compiled = _COMPILED.format(optimizer=expression)
    return _SOURCE.format(name="part", layer="keras.layers.Dense(3)", shape=_VECTOR, dtype="float32", compiled=compiled)


def _written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(text)
    return path
