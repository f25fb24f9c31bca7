"""Models are found in the source of a stranger by its syntax: nothing here imports TensorFlow."""

import pytest

from restore_guard.commands.discovery import candidates


def _found(files):
    return {(found.name, found.builder, found.required) for found in _all(files)}


def _all(files):
    return candidates(lambda path: files[path].encode() if path in files else None, files)


@pytest.mark.parametrize(
    "source",
    [
        "import tensorflow as tf\nclass Ranker(tf.keras.Model): pass",
        "import tensorflow\nclass Ranker(tensorflow.keras.models.Model): pass",
        "from tensorflow import keras\nclass Ranker(keras.Model): pass",
        "from tensorflow.keras import Model as Base\nclass Ranker(Base): pass",
        "import keras\nclass Ranker(keras.Sequential): pass",
        "from keras.models import Model\nclass Ranker(Model): pass",
        "import tf_keras as k\nclass Ranker(k.Model): pass",
        "import tensorflow.keras as k\nclass Ranker(k.Model): pass",
        "from tensorflow.keras import models\nclass Ranker(models.Model): pass",
        "import tensorflow as tf\nclass Ranker(tf.Module): pass",
        "import sonnet as snt\nclass Ranker(snt.Module): pass",
        "import keras\nclass _Base(keras.Model): pass\nclass Ranker(_Base): pass",
    ],
)
def test_class(source):
    assert _found({"net.py": source}) == {("ranker", "net:Ranker", ())}


@pytest.mark.parametrize(
    "body",
    [
        "return keras.Sequential([])",
        "model = keras.Model(a, b)\n    model.compile()\n    return model",
        "return Net()",
        "return keras.applications.ResNet50(weights=None)",
        "if deep:\n        return Net()\n    return None",
        "return _inner()",
    ],
)
def test_function(body):
    source = (
        "import keras\nclass Net(keras.Model): pass\ndef _inner():\n    return Net()\n"
        f"def build_ranker(deep=1):\n    {body}\n"
    )
    assert ("ranker", "net:build_ranker", ()) in _found({"net.py": source})
    # The class is what a function returns, or is guarded itself.
    assert len(_found({"net.py": source})) == 1 + ("Net()" not in body and "_inner()" not in body)


@pytest.mark.parametrize(
    "source",
    [
        "import keras\nclass Block(keras.layers.Layer): pass",
        "import keras\ndef build():\n    return keras.layers.Dense(3)",
        "import keras\ndef train():\n    model = keras.Sequential([])\n    model.fit()\n    return model",
        "import keras\ndef load():\n    model = keras.Sequential([])\n    model.load_weights('x')\n    return model",
        "import keras\ndef load():\n    return keras.models.load_model('x')",
        "import torch\nclass Model(torch.nn.Module): pass",
        "class Model: pass\nclass Ranker(Model): pass",
        "import keras\ndef outer():\n    def inner():\n        return keras.Sequential([])\n    return inner",
        "import keras\nclass _Private(keras.Model): pass\ndef _build():\n    return keras.Sequential([])",
        "def build(:\n",
        "\0",
    ],
)
def test_no_model(source):
    assert _found({"net.py": source}) == set()


def test_names_and_roots():
    model = "import keras\ndef build():\n    return keras.Sequential([])\n"
    files = {
        "ranker/__init__.py": "",
        "ranker/model.py": model,
        "src/big/__init__.py": "",
        "src/big/nets/__init__.py": "",
        "src/big/nets/tower.py": model,
        "scripts/digits.py": "import layers\n" + model,
        "scripts/layers.py": "",
        "plain/net.py": model,
        "tests/test_model.py": model,
        "tests/models.py": model,
        "setup.py": model,
        "no-module.py": model,
        "notes.txt": model,
    }
    assert {(found.name, found.builder, found.root) for found in _all(files)} == {
        ("ranker", "ranker.model:build", ""),
        ("tower", "big.nets.tower:build", "src"),
        ("digits", "digits:build", "scripts"),
        ("plain", "plain.net:build", ""),
    }


def test_across_files():
    files = {
        "pkg/__init__.py": "",
        "pkg/base.py": "import keras\nclass Base(keras.Model): pass\n",
        "pkg/nets/__init__.py": "from ..base import Base\n",
        "pkg/nets/deep.py": (
            "from ..base import Base\nclass Deep(Base):\n    def __init__(self, width, *, depth, bias=1): pass\n"
        ),
        "pkg/make.py": "from pkg.nets.deep import Deep\ndef make_deep():\n    return Deep(3, depth=2)\n",
    }
    assert _found(files) == {("deep", "pkg.make:make_deep", ())}
    del files["pkg/make.py"]
    (deep,) = _all(files)
    assert (deep.builder, deep.required, deep.line) == ("pkg.nets.deep:Deep", ("width", "depth"), 2)


def test_parts_of_a_model_are_no_models_of_their_own():
    source = (
        "import tensorflow as tf\nclass Block(tf.Module): pass\nclass Ranker(tf.Module):\n"
        "    def __init__(self):\n        self.block = Block()\n"
    )
    assert _found({"net.py": source}) == {("ranker", "net:Ranker", ())}


def test_equal_names_are_told_apart():
    model = "import keras\ndef build_net():\n    return keras.Sequential([])\n"
    names = [found.name for found in _all({"a.py": model, "b.py": model})]
    assert len(set(names)) == 2
