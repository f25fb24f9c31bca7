"""Models are found in the source of a stranger by its syntax: nothing here imports TensorFlow."""

import pytest

from restore_guard.discovery.models import candidates
from restore_guard.discovery.modules import project


def _found(files):
    """(name, builder, required arguments) of what can be called."""
    return {(found.name, found.builder, found.required) for found in _all(files) if found.kind != "enclosed"}


def _all(files):
    return candidates(project(lambda path: files[path].encode() if path in files else None, files))


def _targets(source):
    return [found.target for found in _all({"net.py": f"import keras\nimport tensorflow as tf\n{source}"})]


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


@pytest.mark.parametrize(
    ("source", "targets"),
    [
        ("def build():\n    a = keras.Model(1, 2)\n    return a, 3", ["net.py:build[a]"]),
        ("def build():\n    return {'a': keras.Model(1, 2)}", ["net.py:build[a]"]),
        ("class Gan:\n    def __init__(self):\n        self.critic = keras.Sequential()", ["net.py:Gan.critic"]),
        (
            "class Agent:\n    def __init__(self):\n        self._make()\n    def _make(self):\n"
            "        self.model = keras.Sequential()",
            ["net.py:Agent.model"],
        ),
        (
            "class Agent:\n    def __init__(self):\n        self.model = self._make()\n    def _make(self):\n"
            "        net = keras.Sequential()\n        return net",
            ["net.py:Agent.model"],
        ),
        ("class Le:\n    @staticmethod\n    def build(width):\n        return keras.Model(1, 2)", ["net.py:Le.build"]),
        ("class Maker:\n    def make(self):\n        return keras.Model(1, 2)", ["net.py:Maker.make()"]),
        ("def net(x):\n    return tf.compat.v1.get_variable('w', [2])", ["net.py:net"]),
        ("def _v(n):\n    return tf.compat.v1.get_variable(n, [2])\ndef net(x):\n    return _v('w')", ["net.py:net"]),
        ("def model_fn(features, labels, mode):\n    return tf.compat.v1.get_variable('w', [2])", ["net.py:model_fn"]),
        (
            "class Net:\n    def __init__(self):\n        self.x = tf.compat.v1.placeholder(tf.float32)\n"
            "        self.w = tf.compat.v1.get_variable('w', [2])",
            ["net.py:Net"],
        ),
        ("def run():\n    model = keras.Sequential()\n    model.fit(1)", ["net.py:run.model"]),
        ("model = keras.Sequential()\nmodel.fit(1)", ["net.py:model"]),
        # Parts, and what only chooses between models.
        ("def _make():\n    return keras.Model(1, 2)\ndef block():\n    return keras.Model(1, 2)\n"
         "def net():\n    x = block()\n    return keras.Model(x, x)", ["net.py:net"]),
        ("class A(keras.Model): pass\nclass B(keras.Model): pass\ndef get(name):\n    if name:\n        return A()\n"
         "    return B()", ["net.py:A", "net.py:B"]),
        # Neither layers, metrics nor losses.
        ("class Top(keras.metrics.Metric):\n    def __init__(self):\n        self.m = keras.Sequential()", []),
        ("def loss(x):\n    return tf.reduce_mean(x)", []),
    ],
)  # fmt: skip
def test_where_models_are_made(source, targets):
    assert _targets(source) == targets


@pytest.mark.parametrize(
    ("statement", "works"),
    [
        ("model = keras.Sequential()\nmodel.fit(1)", True),
        ("data = keras.datasets.mnist.load_data()", True),
        ("args = parser.parse_args()", True),
        ("table = open('words.txt').read()", False),
        ("open('words.txt', 'w').write(1)", True),
        ("import gym\nenv = gym.make('x')", True),
        ("raise SystemExit(1)", True),
        ("import data", True),
        ("if __name__ == '__main__':\n    main()", False),
        ("WIDTH = int('3') + len([1])", False),
        ("import os\nFOLDER = os.path.join('a', 'b')", False),
        ("LAYER = keras.layers.Dense(3)", False),
        ("tf.config.run_functions_eagerly(True)", False),
        ("def go():\n    open('x', 'w')\ngo()", True),
        ("def go():\n    open('x', 'w')\ndef start():\n    go()\nwith tf.device('cpu'):\n    start()", True),
        (
            "class E:\n    def go(self):\n        self.run_all()\n    def run_all(self):\n        m.fit(1)\nE().go()",
            True,
        ),
        ("class E:\n    def go(self):\n        m.fit(1)\nexperiment = E()\nexperiment.go()", True),
        ("class E:\n    def __init__(self):\n        open('x', 'w')\nexperiment = E()", True),
        ("class E:\n    data = open('x', 'w')", True),
        ("def default(data=open('x', 'w')): pass", True),
        ("from data import *", True),
        ("from pathlib import Path\nPath('x').write_text('y')", True),
        ("for step in range(3):\n    with tf.GradientTape() as tape:\n        pass", True),
        ("class E:\n    def go(self):\n        m.fit(1)\nexperiment = E()", False),
        ("def go():\n    m.fit(1)\nrunner = lambda: go()", False),
        ("def made(layer):\n    return layer.call(1)\nMADE = made(keras.layers.Dense(1))", False),
        ("@hydra.main(config_path='x')\ndef program(): pass", False),
    ],
)
def test_modules_that_do_something_when_they_are_imported(statement, works):
    source = f"import keras\nimport tensorflow as tf\n{statement}\ndef build():\n    return keras.Sequential()\n"
    (found,) = [each for each in _all({"net.py": source, "data.py": "open('x', 'w')\n"}) if each.kind == "function"]
    assert (found.work is not None) == works


def test_examples_documentation_and_helpers_of_tests_are_left_out():
    model = "import keras\ndef build():\n    return keras.Sequential([])\n"
    folders = ("examples", "docs", "demo", "tutorials", "benchmarks", "third_party", "tests/helpers", "pkg/testing")
    assert not _all({f"{folder}/net.py": model for folder in folders})


def _of_files(**files):
    heads = {f"{name}.py": f"import keras\nimport tensorflow as tf\n{source}" for name, source in files.items()}
    return [found.target for found in _all(heads)]


def test_short_names_of_parts_of_keras():
    source = "layers = tf.keras.layers\nmodels = keras.models\nclass Block(layers.Layer):\n    def __init__(self):\n"
    source += "        self.stack = models.Sequential()\ndef build():\n    return models.Model(1, 2)"
    assert _targets(source) == ["net.py:build"]


def test_keras_that_is_handed_in():
    assert _targets("models = None\ndef build():\n    model = models.Model(1, 2)\n    return model") == ["net.py:build"]
    assert _targets("class Model: pass\nclass Net(Model): pass\ndef build():\n    return Model()") == []


def test_what_a_wrapper_holds_is_found_where_it_is_made():
    """A class that only keeps what a function of the project returns, and its method that hands it on."""
    net = "def build_net(width):\n    return keras.Sequential()"
    trainer = "from net import build_net\nclass Trainer:\n    def __init__(self):\n        self.model = build_net(3)\n"
    trainer += "    def remake(self):\n        return build_net(4)\ndef setup():\n    model = build_net(5)\n"
    trainer += "    return model, 1"
    assert _of_files(net=net, trainer=trainer) == ["net.py:build_net"]


def test_what_is_called_while_a_model_is_made_is_a_part_of_it():
    """Also through functions and classes that are no models themselves."""
    source = "def head(n):\n    return keras.Model(1, n)\ndef heads(n):\n    return [head(n), head(n)]\n"
    source += "def build(n):\n    outputs = heads(n)\n    return keras.Model(1, outputs)"
    assert _targets(source) == ["net.py:build"]
    source = "class Backbone:\n    def __init__(self):\n        self.features = keras.Model(1, 2)\n"
    source += "class Detector:\n    def __init__(self):\n        features = Backbone().features\n"
    source += "        self.model = keras.Model(1, features)"
    assert _targets(source) == ["net.py:Detector.model"]


def test_parts_of_graphs_across_files():
    layers = "def conv(x):\n    return tf.compat.v1.get_variable('w', [2])\nclass Dense:\n    def __init__(self):\n"
    layers += "        self.w = tf.compat.v1.get_variable('w', [2])"
    models = "import layers\nclass Base:\n    def __init__(self, x):\n        self.build()\nclass Gcn(Base):\n"
    models += "    def build(self):\n        self.layers = [layers.Dense()]\ndef cnn(x):\n    return layers.conv(x)"
    train = (
        "from models import cnn\ndef tower_loss(x):\n    return cnn(x)\nif __name__ == '__main__':\n    tower_loss(1)"
    )
    assert _of_files(layers=layers, models=models, train=train) == ["models.py:Gcn", "models.py:cnn"]


def test_functions_that_take_a_model_make_none():
    assert _targets("def convert(model):\n    return keras.Model(model.input, 2)") == []


def test_programs_that_make_a_model_of_their_own_beside_others_are_examples():
    run = "model = keras.Sequential()\nmodel.fit(1)"
    assert _of_files(net="def build():\n    return keras.Sequential()", task=run) == ["net.py:build"]
    assert _of_files(task=run) == ["task.py:model"]


MODULES = """\
import tensorflow as tf


class Dense(tf.Module):
    def __init__(self, inside, outside):
        super().__init__()
        self.w = tf.Variable(tf.zeros([inside, outside]))

    def __call__(self, x):
        return x @ self.w


class Net(tf.Module):
    def __init__(self, units=3):
        super().__init__()
        self.dense = Dense(2, units)

    def __call__(self, x):
        return self.dense(x)
"""


@pytest.mark.parametrize(
    "beside",
    [
        "class NetTrainer(tf.Module):\n    def __init__(self, rate=1):\n        self.net = Net()",
        "class Loop(tf.Module):\n    def __init__(self):\n        self.it = Net()\n"
        "    def step(self, x):\n        with tf.GradientTape() as tape:\n            self.it(x)",
        "class Served(tf.Module):\n    def __init__(self, network):\n        self.it, self.n = network, tf.Variable(0)",
        "class Translator(tf.Module):\n    def __init__(self, words, it):\n        self.words, self.it = words, it\n"
        "    def __call__(self, x):\n        return self.it(self.words.split(x))",
        "class Adam(tf.Module):\n    def __init__(self):\n        self.m = tf.Variable(0)\n"
        "    def apply_gradients(self, pairs):\n        pass",
        "class Ema(tf.Module):\n    def __init__(self, variables):\n        self.v = tf.Variable(variables)",
        "class Crop(tf.Module):\n    def __call__(self, x):\n        return tf.image.central_crop(x, 0.5)",
        "class CosineSchedule(tf.Module):\n    def __init__(self):\n        self.step = tf.Variable(0)",
    ],
)
def test_modules_that_are_no_models(beside):
    assert _targets(f"{MODULES}\n\n{beside}\n") == ["net.py:Net"]


@pytest.mark.parametrize(
    "beside",
    [
        "class Fit(tf.Module):\n    def __init__(self):\n        self.w = tf.Variable(0)\n"
        "    def step(self, x):\n        with tf.GradientTape() as tape:\n            return self.w * x",
        "class Fit(tf.Module):\n    def __init__(self, make):\n        self.inner = make()",
        "class Fit(tf.Module):\n    def __init__(self, encoder, decoder):\n        self.e, self.d = encoder, decoder\n"
        "    def __call__(self, x):\n        return self.d(self.e(x))",
        "def weights(n):\n    return [tf.Variable(0.0)] * n\n"
        "class Fit(tf.Module):\n    def __init__(self):\n        self.w = weights(3)",
        "class Base(tf.Module):\n    def __init__(self):\n        self.w = tf.Variable(0)\nclass Fit(Base):\n"
        "    def __call__(self, x):\n        return x",
        "import other\nclass Fit(other.Mixin, tf.Module):\n    def __call__(self, x):\n        return x",
    ],
)
def test_modules_that_are_models_all_the_same(beside):
    assert "net.py:Fit" in _targets(f"{MODULES}\n\n{beside}\n")


PART = "class Part(keras.Model):\n    def __init__(self):\n        self.d = keras.layers.Dense(3)\n"
WHOLE = "class Whole(keras.Model):\n    def __init__(self, kind='a'{default}):\n        {body}\n"


@pytest.mark.parametrize(
    ("table", "default", "body"),
    [
        ("PARTS = {'a': Part}", "", "self.part = PARTS[kind]()"),
        ("PARTS = {'a': Part}", "", "make = PARTS.get(kind)\n        self.part = make()"),
        ("PARTS = [Part]", "", "self.parts = [each() for each in PARTS]"),
        ("PARTS = {}\nPARTS['a'] = Part", "", "self.part = PARTS[kind]()"),
        ("PARTS = Registry()\nPARTS.register('a', Part)", "", "self.part = PARTS.build(kind)"),
        ("", ", part=Part", "self.part = part()"),
        ("", "", "self.parts = list(map(lambda _: Part(), range(3)))"),
    ],
)
def test_parts_that_are_picked_from_a_table(table, default, body):
    assert _targets(f"{PART}\n{table}\n{WHOLE.format(default=default, body=body)}") == ["net.py:Whole"]


def test_a_question_about_a_class_makes_it_no_part():
    whole = WHOLE.format(default=", part: Part = None", body="assert part is None or isinstance(part, Part)")
    assert set(_targets(f"{PART}\n{whole}")) == {"net.py:Part", "net.py:Whole"}


def test_parts_that_a_model_is_handed():
    whole = "class Whole(keras.Model):\n    def __init__(self, part):\n        self.part = part\n"
    call = "    def call(self, x):\n        return self.part(x)\n"
    step = "    def train_step(self, x):\n        return self.part(x)\n"
    program = "import net\ndef main():\n    part = net.Part()\n    whole = net.Whole(part)\n    whole.save('x')\n"
    head = f"import keras\n{PART}\n"
    assert {found.target for found in _all({"net.py": head + whole + call, "go.py": program})} == {"net.py:Whole"}
    kept = program.replace("whole.save", "part.save")
    assert len(_all({"net.py": head + whole + call, "go.py": kept})) == 2
    at_once = program.replace(
        "part = net.Part()\n    whole = net.Whole(part)", "p, q = net.Part(), 3\n    w = net.Whole(p)"
    )
    assert len(_all({"net.py": head + whole + call, "go.py": at_once})) == 1
    # What only trains them is saved by nobody.
    assert "net.py:Part" in {found.target for found in _all({"net.py": head + whole + step, "go.py": program})}


def test_an_assembly_of_registered_parts_is_the_model():
    registry = (
        "class Registry:\n    def register(self, made):\n        return made\nHEADS, NETS = Registry(), Registry()\n"
    )
    heads = "import keras\nfrom registry import HEADS\n@HEADS.register\nclass Head(keras.Model): pass\n"
    nets = "import keras\nfrom registry import NETS\n@NETS.register\nclass One(keras.Model): pass\n"
    nets += "@NETS.register\nclass Two(keras.Model): pass\n"
    make = "from registry import HEADS, NETS\nimport heads, nets\n"
    make += "def assemble(config):\n    head = HEADS.get(config['head'])()\n    return NETS.get(config['net'])(head)\n"
    files = {"registry.py": registry, "heads.py": heads, "nets.py": nets, "make.py": make}
    assert [found.target for found in _all(files)] == ["make.py:assemble"]
    # What only chooses is none.
    files["make.py"] = make.replace("head = HEADS.get(config['head'])()", "").replace("(head)", "()")
    assert {found.target for found in _all(files)} == {"heads.py:Head", "nets.py:One", "nets.py:Two"}


def test_one_of_many_parts_that_nothing_uses_now():
    blocks = "import keras\nclass Used(keras.Model): pass\nclass Spare(keras.Model): pass\n"
    net = "import keras\nfrom blocks import Used\nclass Net(keras.Model):\n"
    net += "    def __init__(self):\n        self.used = Used()\n"
    files = {"blocks.py": blocks, "net.py": net}
    assert {found.target for found in _all(files)} == {"net.py:Net"}
    files["train.py"] = "import blocks\nif __name__ == '__main__':\n    blocks.Spare().save('x')\n"
    assert {found.target for found in _all(files)} == {"blocks.py:Spare", "net.py:Net"}
    assert "models.py:Spare" in {found.target for found in _all({"models.py": blocks, "net.py": net})}


def test_a_base_that_a_program_makes_is_a_model_too():
    source = f"{PART}\nclass More(Part): pass\n"
    assert _targets(source) == ["net.py:More"]
    assert set(_targets(f"{source}\nif __name__ == '__main__':\n    Part().save('x')\n")) == {
        "net.py:Part",
        "net.py:More",
    }


def test_models_that_are_made_when_their_module_is_imported():
    files = {
        "churn/net.py": "import keras\nmodel = keras.Sequential([])\nother = keras.Model()\n_own = keras.Model()\n",
        "train.py": "from churn.net import model, _own\nmodel.fit()\n",
        "serve.py": "import churn.net\nchurn.net.model.load_weights('a')\n",
    }
    (found,) = _all(files)
    assert (found.target, found.kind, found.name) == ("churn/net.py:model", "global", "churn")
    del files["train.py"], files["serve.py"]
    assert not [each for each in _all(files) if each.kind == "global"], "nobody imports it"


def test_packages_without_init_are_imported_from_where_others_import_them():
    net = "import keras\nfrom net.parts import width\ndef build():\n    return keras.Sequential([])\n"
    files = {"src/net/net.py": net, "src/net/parts.py": "width = 3\n", "lib/flow/a.py": net.replace("net.p", "flow.p")}
    files |= {"lib/flow/parts.py": net.replace("from net.parts import width\n", ""), "tool/run.py": "import flow.a\n"}
    assert {(each.builder, each.root) for each in _all(files)} == {
        ("net.net:build", "src"),
        ("flow.a:build", "lib"),
        ("flow.parts:build", "lib"),
    }
