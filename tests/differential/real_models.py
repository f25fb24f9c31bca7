"""Models of libraries that people use, as pairs: unchanged, with a layer renamed, one inserted, and wrapped."""

from __future__ import annotations

from pathlib import Path

_SMALL = "input_shape=(32, 32, 3), weights=None, include_top=False"
_SEVENTY_FIVE = "input_shape=(75, 75, 3), weights=None, include_top=False"
APPLICATIONS = {
    "MobileNet": f"alpha=0.25, {_SMALL}",
    "MobileNetV2": f"alpha=0.35, {_SMALL}",
    "MobileNetV3Small": f"alpha=0.75, minimalistic=True, {_SMALL}",
    "VGG16": _SMALL,
    "ResNet50": _SMALL,
    "ResNet50V2": _SMALL,
    "DenseNet121": _SMALL,
    "NASNetMobile": _SMALL,
    "EfficientNetB0": _SMALL,
    "EfficientNetV2B0": _SMALL,
    "Xception": _SEVENTY_FIVE,
    "InceptionV3": _SEVENTY_FIVE,
    "ConvNeXtTiny": _SMALL,
}

_APPLICATION = """\
import tensorflow as tf
from tensorflow import keras


def backbone():
    return keras.applications.{name}({arguments})


"""
_HEADS = {
    "unchanged": """\
def build():
    model = backbone()
    x = keras.layers.GlobalAveragePooling2D()(model.output)
    return keras.Model(model.input, keras.layers.Dense(5)(x))
""",
    "layer-renamed": """\
def copied(layer):
    config = layer.get_config()
    if layer.get_weights():
        config["name"] = "another_" + layer.name
    return type(layer).from_config(config)


def build():
    model = keras.models.clone_model(backbone(), clone_function=copied)
    x = keras.layers.GlobalAveragePooling2D()(model.output)
    return keras.Model(model.input, keras.layers.Dense(5)(x))
""",
    "layer-inserted": """\
def build():
    model = backbone()
    x = keras.layers.GlobalAveragePooling2D()(model.output)
    x = keras.layers.BatchNormalization()(x)
    return keras.Model(model.input, keras.layers.Dense(5)(x))
""",
    "wrapped": """\
def build():
    return keras.Sequential([backbone(), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(5)])
""",
}

_TRANSFORMER = "vocabulary_size=20, num_layers={layers}, num_heads=2, hidden_dim=8, intermediate_dim=12"
HUB = {
    "BertBackbone": f"{_TRANSFORMER}, max_sequence_length=6",
    "RobertaBackbone": f"{_TRANSFORMER}, max_sequence_length=6",
    "DistilBertBackbone": f"{_TRANSFORMER}, max_sequence_length=6",
    "GPT2Backbone": f"{_TRANSFORMER}, max_sequence_length=6",
    "OPTBackbone": f"{_TRANSFORMER}, max_sequence_length=6",
    "ElectraBackbone": f"{_TRANSFORMER}, embedding_dim=8, max_sequence_length=6",
}
_HUB = """\
import keras
import keras_hub


def build():
    return {made}
"""

_SONNET = """\
import sonnet as snt
import tensorflow as tf


def build():
    module = snt.Sequential([
        {layers}
    ])
    module(tf.zeros((1, 3)))
    return module
"""
SONNET = {
    "unchanged": ["snt.Linear(4)", "tf.nn.relu", "snt.nets.MLP([4, 3])"],
    "layer-inserted": ["snt.Linear(4)", "snt.LayerNorm(-1, True, True)", "tf.nn.relu", "snt.nets.MLP([4, 3])"],
    "layer-renamed": ["snt.Linear(4, name='stem')", "tf.nn.relu", "snt.nets.MLP([4, 3])"],
    "wrapped": ["snt.Sequential([snt.Linear(4), tf.nn.relu])", "snt.nets.MLP([4, 3])"],
}


def applications(folder: Path, names=tuple(APPLICATIONS)) -> dict[str, tuple[Path, Path]]:
    """Writes the pairs of keras.applications, each with one of the changes in turn; returns {name: (base, head)}."""
    sources = {}
    for number, name in enumerate(names):
        model = _APPLICATION.format(name=name, arguments=APPLICATIONS[name])
        change = tuple(_HEADS)[(number + 1) % len(_HEADS)]
        sources[name] = model + _HEADS["unchanged"], {change: model + _HEADS[change]}
    return _written(folder, sources)


def libraries(folder: Path, names=tuple(HUB)) -> dict[str, tuple[Path, Path]]:
    """Writes the pairs of keras-hub and Sonnet, which only the newest framework's environment has."""
    sources = {}
    for name in names:
        two, three = (f"keras_hub.models.{name}({HUB[name].format(layers=layers)})" for layers in (2, 3))
        heads = {head: _HUB.format(made=made) for head, made in {"unchanged": two, "layer-inserted": three}.items()}
        sources[name] = heads["unchanged"], heads
    heads = {head: _SONNET.format(layers=",\n        ".join(layers)) for head, layers in SONNET.items()}
    sources["Sonnet"] = heads["unchanged"], heads
    return _written(folder, sources)


def _written(folder: Path, sources: dict[str, tuple[str, dict[str, str]]]) -> dict[str, tuple[Path, Path]]:
    """{name: (base, {change: head})} -> {"name, change": (base, head)}."""
    pairs = {}
    for name, (base, heads) in sources.items():
        before = folder / f"{name}-base.py"
        before.write_text(base)
        for change, head in heads.items():
            after = folder / f"{name}-{change}.py"
            after.write_text(head)
            pairs[f"{name}, {change}"] = before, after
    return pairs
