"""Arguments are proposed from what the repository itself does; nothing here imports TensorFlow or what it reads."""

import ast

import pytest

from restore_guard.discovery import builder_module
from restore_guard.discovery.attempts import Attempts
from restore_guard.discovery.models import candidates
from restore_guard.discovery.modules import project

NET = "import keras\ndef build_net(width, depth=2, shape=(4,)):\n    return keras.Sequential([])\n"


def _attempts(files):
    parsed = project(lambda path: files[path].encode() if path in files else None, files)
    (candidate, *_) = candidates(parsed)
    return candidate, Attempts(parsed).of(candidate)


def _first(files):
    candidate, found = _attempts({"net.py": NET, **files})
    return found[0] if found else None


@pytest.mark.parametrize(
    ("script", "kwargs"),
    [
        ("build_net(8)", {"width": 8}),
        ("build_net(8, depth=2, shape=(4,))", {"width": 8}),
        ("build_net(2 ** 3 // 2, 1 + 2)", {"width": 4, "depth": 3}),
        ("WIDTH = 16\nbuild_net(WIDTH, shape=(3, 3))", {"width": 16, "shape": [3, 3]}),
        ("width, depth = 5, 6\nbuild_net(width, depth)", {"width": 5, "depth": 6}),
        ("def main(width=7):\n    build_net(width)\nmain()", {"width": 7}),
        ("def main(width):\n    build_net(width)\nmain(9)", {"width": 9}),
        ("names = ['a', 'b']\nbuild_net(len(names))", {"width": 2}),
        (
            "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--width', default=32)\n"
            "if __name__ == '__main__':\n    args = parser.parse_args()\n    build_net(args.width)",
            {"width": 32},
        ),
        (
            "import argparse\ndef get_args():\n    parser = argparse.ArgumentParser()\n"
            "    parser.add_argument('-w', '--net-width', default=33)\n    return parser.parse_args()\n"
            "def main():\n    args = get_args()\n    build_net(args.net_width)",
            {"width": 33},
        ),
        (
            "from absl import flags\nFLAGS = flags.FLAGS\nflags.DEFINE_integer('width', 34, 'Units.')\n"
            "def main(_):\n    build_net(FLAGS.width)",
            {"width": 34},
        ),
        (
            "import argparse\nFLAGS = None\ndef main():\n    build_net(FLAGS.width)\nif __name__ == '__main__':\n"
            "    parser = argparse.ArgumentParser()\n    parser.add_argument('--width', default=35)\n"
            "    FLAGS, rest = parser.parse_known_args()\n    main()",
            {"width": 35},
        ),
        (
            "import sys, argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--width', default=36)\n"
            "def main():\n    data = open(sys.argv[1])\n    build_net(width=data)",
            {"width": 36},
        ),
    ],
)
def test_arguments_of_a_script(script, kwargs):
    found = _first({"train.py": f"from net import build_net\n{script}\n"})
    assert found.kwargs == kwargs
    assert found.place.startswith("train.py:")


@pytest.mark.parametrize(
    ("files", "line"),
    [
        # A constant of a module that is no script is taken by its name, so that a change of it is seen.
        (
            {
                "settings.py": "WIDTH = 8\n",
                "train.py": "from net import build_net\nimport settings\nbuild_net(settings.WIDTH)",
            },
            "return build_net(WIDTH)",
        ),
        (
            {
                "settings.py": "from dataclasses import dataclass\n@dataclass\nclass Settings:\n    width: int = 8\n",
                "train.py": "from net import build_net\nfrom settings import Settings\n"
                "config = Settings()\nbuild_net(config.width)",
            },
            "return build_net(Settings().width)",
        ),
        (
            {
                "configs/base.json": "{}",
                "train.py": "import json\nfrom net import build_net\nwith open('configs/base.json') as file:\n"
                "    config = json.load(file)\nbuild_net(config['width'])",
            },
            "return build_net(json.load(open('configs/base.json'))['width'])",
        ),
        (
            {
                "configs/b.yaml": "",
                "configs/default.yaml": "",
                "train.py": "import argparse, yaml\nfrom net import build_net\nparser = argparse.ArgumentParser()\n"
                "parser.add_argument('--config', required=True)\nargs = parser.parse_args()\n"
                "build_net(**yaml.safe_load(open(args.config)))",
            },
            "return build_net(**yaml.safe_load(open('configs/default.yaml')))",
        ),
    ],
)
def test_what_the_configuration_cannot_say_is_a_function(files, line):
    candidate, found = _attempts({"net.py": NET, **files})
    assert found[0].body[-1] == line
    text = builder_module.function(candidate, found[0], "build_net")
    assert ast.unparse(ast.parse(text)).endswith(line)


@pytest.mark.parametrize(
    "script",
    [
        "import pandas as pd\nbuild_net(pd.read_csv('x.csv').shape[1])",
        "import sys\nbuild_net(int(sys.argv[1]))",
        "import gym\nbuild_net(gym.make('CartPole').action_space.n)",
        "for width in (1, 2):\n    build_net(width)",
        "def main(width):\n    build_net(width)",
    ],
)
def test_what_nothing_tells_is_not_guessed(script):
    assert _first({"train.py": f"from net import build_net\n{script}\n"}) is None


def test_the_projects_own_calls_come_before_those_of_tests():
    found = _first(
        {"tests/test_net.py": "from net import build_net\nbuild_net(1)", "train.py": "import net\nnet.build_net(64)"}
    )
    assert found.kwargs == {"width": 64}
    assert _first({"tests/test_net.py": "from net import build_net\nbuild_net(1)"}).kwargs == {"width": 1}


def test_pretrained_weights_are_not_asked_for():
    net = "import keras\ndef build(weights='imagenet'):\n    return keras.applications.ResNet50(weights=weights)\n"
    _, found = _attempts({"net.py": net})
    assert found[0].body == ("return build(weights=None)",)
    assert found[1].kwargs == {} and not found[1].body


@pytest.mark.parametrize(
    ("lines", "inputs"),
    [
        ("net.build((None, 16))", [((16,), "float32")]),
        ("net.build(input_shape=(None, 28, 28, 1))", [((28, 28, 1), "float32")]),
        ("net(tf.zeros((1, 5), tf.int32))", [((5,), "int32")]),
        ("net.predict(np.random.rand(1, 6))", [((6,), "float32")]),
        ("net((tf.ones([2, 3]), tf.ones([2, 4])))", [((3,), "float32"), ((4,), "float32")]),
        ("net(keras.Input((7, None), dtype='int64'))", [((7, None), "int64")]),
        ("SIZE = 8\nnet.build((None, SIZE, SIZE))", [((8, 8), "float32")]),
        ("net(np.zeros((1, 9)).astype('float16'))", [((9,), "float16")]),
    ],
)
def test_inputs_of_a_class(lines, inputs):
    source = "import keras\nclass Net(keras.Model):\n    def __init__(self): pass\n"
    script = f"import keras\nimport numpy as np\nimport tensorflow as tf\nfrom net import Net\nnet = Net()\n{lines}\n"
    _, found = _attempts({"net.py": source, "train.py": script})
    assert [(tensor.shape, tensor.dtype) for tensor in found[0].inputs[0]] == inputs


def test_a_function_of_a_file_is_added_to_those_that_are_there():
    before = builder_module.module(["def build_a():\n    return 1\n"])
    after = builder_module.module(["def build_b():\n    return 2\n"], before)
    assert after.startswith(before)
    names = {name: ast.literal_eval(node.body[-1].value) for node in ast.parse(after).body[1:] if (name := node.name)}
    assert names == {"build_a": 1, "build_b": 2}


def test_arguments_of_a_test_with_parameters():
    test = "import pytest\nfrom net import build_net\n@pytest.mark.parametrize('width, depth', [(8, 3), (9, 4)])\n"
    test += "@pytest.mark.parametrize('side', [5])\ndef test_net(width, depth, side):\n"
    test += "    build_net(width, depth, (side,))\n"
    assert _first({"tests/test_net.py": test}).kwargs == {"width": 8, "depth": 3, "shape": [5]}


def test_a_program_that_trains_tells_more_than_one_that_reads():
    call = "from net import build_net\ndef main():\n    build_net({})\n"
    files = {name: call.format(width) for name, width in (("convert.py", 1), ("train.py", 2), ("other.py", 3))}
    assert _first(files).kwargs == {"width": 2}


def test_arguments_of_a_class_beside_it():
    nets = "import keras\nclass Base:\n    def __init__(self, config): pass\n"
    for name in ("A", "B"):
        nets += f"class {name}(Base):\n    def __init__(self, config):\n        self.model = keras.Sequential()\n"
    main = "import json\nfrom net import B\nif __name__ == '__main__':\n    B(json.load(open('b.json')))\n"
    candidate, found = _attempts({"net.py": nets, "main.py": main, "b.json": "{}"})
    assert candidate.target == "net.py:A.model"
    assert found[0].body[-1] == "return A(config=json.load(open('b.json'))).model"


@pytest.mark.parametrize(
    "data",
    [
        "import keras\ndef width():\n    return len(keras.datasets.mnist.load_data()[0])",
        "import keras\ndef _get():\n    return keras.utils.get_file('a', 'b')\ndef width():\n    return len(_get())",
        "import pandas as pd\nclass Base:\n    def __init__(self):\n        self.read()\n    def read(self):\n"
        "        pd.read_csv('a')\nclass width(Base):\n    pass",
    ],
)
def test_nothing_is_downloaded_or_read_for_an_argument(data):
    assert (
        _first({"data.py": data, "train.py": "from data import width\nfrom net import build_net\nbuild_net(width())"})
        is None
    )


def test_options_that_are_checked_before_they_are_returned():
    script = "import argparse\nfrom net import build_net\ndef parse_args():\n    parser = argparse.ArgumentParser()\n"
    script += (
        "    parser.add_argument('--width', default=32)\n    return check(parser.parse_args())\ndef check(args):\n"
    )
    script += "    return args\ndef main():\n    args = parse_args()\n    build_net(args.width)\n"
    assert _first({"train.py": script}).kwargs == {"width": 32}


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ("net(tf.ones([2, 3]), tf.zeros([2, 4]))", "model(tf.ones([2, 3]), tf.zeros([2, 4]))"),
        (
            "net((tf.ones([2, 3]), (tf.ones([1]), tf.ones([1]))))",
            "model((tf.ones([2, 3]), (tf.ones([1]), tf.ones([1]))))",
        ),
        ("net(tf.ones([2, SIZE]), training=False)", "model(tf.ones([2, 7]), training=False)"),
        ("net({'a': tf.ones([2, 3])})", "model({'a': tf.ones([2, 3])})"),
    ],
)
@pytest.mark.parametrize("base", ["keras.Model", "tf.Module"])
def test_a_first_call_that_no_shapes_can_say(call, line, base):
    source = f"import keras\nimport tensorflow as tf\nclass Net({base}):\n    def __init__(self):\n"
    source += "        self.w = tf.Variable(0)\n"
    script = (
        f"import tensorflow as tf\nfrom net import Net\nSIZE = 7\ndef main():\n    net = Net()\n    {call}\nmain()\n"
    )
    _, found = _attempts({"net.py": source, "train.py": script})
    bodies = [attempt.body for attempt in found]
    wanted = ("model = Net()", line, "return model")
    # What is lazy without saying so is called at once.
    assert bodies.index(wanted) == (0 if base == "tf.Module" else 1)
    assert [attempt.inputs for attempt in found if attempt.calls] == [()]


def test_a_call_of_tensors_alone_is_said_by_inputs():
    source = "import keras\nclass Net(keras.Model):\n    def __init__(self): pass\n"
    script = "import tensorflow as tf\nfrom net import Net\nnet = Net()\nnet(tf.ones([2, 3]))\n"
    _, found = _attempts({"net.py": source, "train.py": script})
    assert not any(attempt.calls for attempt in found)


def test_inputs_of_what_a_function_returns():
    source = "import keras\nclass Net(keras.Model):\n    def __init__(self): pass\ndef make():\n    return Net()\n"
    script = "import tensorflow as tf\nfrom net import Net\nnet = Net()\nnet(tf.ones([2, 3]))\n"
    candidate, found = _attempts({"net.py": source, "train.py": script})
    assert candidate.target == "net.py:make"
    assert [tensor.shape for tensor in found[0].inputs[0]] == [(3,)]


BODIES = {
    "picked from a dict, the rest handed on": (
        "import keras\ndef other(width):\n    return keras.Sequential([])\n"
        "NETS = {'net': build_net, 'other': other}\ndef make(name, width, **rest):\n"
        "    return NETS[name](width, **rest)\n"
        "make('net', 5, depth=4)",
        "return build_net(5, depth=4)",
    ),
    "all options at once": (
        "import argparse\ndef main():\n    parser = argparse.ArgumentParser()\n"
        "    parser.add_argument('--width', default=6)\n    args = parser.parse_args()\n    build_net(**vars(args))",
        "return build_net(**vars(SimpleNamespace(width=6)))",
    ),
    "one of the options that are handed on at once": (
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--width', default=6)\n"
        "def run(width):\n    build_net(width)\nif __name__ == '__main__':\n    run(**vars(parser.parse_args()))",
        "return build_net(6)",
    ),
    "an option of Click": (
        "import click\n@click.command()\n@click.option('-w', '--width', default=7)\ndef main(width):\n"
        "    build_net(width)\nmain()",
        "return build_net(7)",
    ),
    "an option of Typer": (
        "import typer\ndef main(width: int = typer.Option(8, '--w')):\n    build_net(width)\ntyper.run(main)",
        "return build_net(8)",
    ),
    "a file that is read into a configuration": (
        "import configparser\ndef main():\n    config = configparser.ConfigParser()\n    config.read('a.ini')\n"
        "    build_net(int(config['net']['width']))",
        "config.read('a.ini')",
    ),
    "what nobody gives beyond the parameters": (
        "from settings import settings\ndef main(**more):\n    build_net(settings(**more))\nmain()",
        "return build_net(settings())",
    ),
    "what has a default is left out": (
        "import sys\nbuild_net(9, depth=int(sys.argv[1]))",
        "return build_net(9)",
    ),
    "what comes after it is named": (
        "import sys\nbuild_net(9, int(sys.argv[1]), (5, 5))",
        "return build_net(9, shape=(5, 5))",
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_how_programs_hand_arguments_on(case):
    script, body = BODIES[case]
    files = {"net.py": NET, "settings.py": "def settings(width=5, **more):\n    return width\n"}
    found = _attempts(files | {"train.py": f"from net import build_net\n{script}\n"})[1]
    # By the configuration alone comes first where that can say it.
    assert body in [line for attempt in found for line in attempt.body], found


HELD = "import keras\nclass Trainer:\n    def __init__(self, width, folder):\n        self.folder = folder\n"
HELD += "        self.model = keras.Sequential([keras.layers.Dense(width)])\n"


def test_what_is_no_part_of_a_model_need_not_be_known():
    script = "import sys\nfrom net import Trainer\nTrainer(5, sys.argv[1])\n"
    (found,) = _attempts({"net.py": HELD, "train.py": script})[1]
    assert found.body == ("return Trainer(5, None).model",)
    assert found.notes == ("folder = None: train.py:3 gives sys.argv[1], which only running it tells",)


@pytest.mark.parametrize(
    ("script", "body"),
    [
        ("Maker(3).make(4)", "return Maker(3).make(4)"),
        ("def main():\n    maker = Maker(3)\n    maker.make(units=4)", "return Maker(3).make(units=4)"),
        ("class Run:\n    def __init__(self):\n        self.maker = Maker(3)\n    def go(self):\n"
         "        return self.maker.make(4)", "return Maker(3).make(4)"),
    ],
)  # fmt: skip
def test_a_method_is_called_as_the_project_calls_it(script, body):
    source = "import keras\nclass Maker:\n    def __init__(self, size):\n        self.size = size\n"
    source += "    def make(self, units):\n        return keras.Sequential([keras.layers.Dense(units)])\n"
    candidate, found = _attempts({"net.py": source, "train.py": f"from net import Maker\n{script}\n"})
    assert candidate.target == "net.py:Maker.make()"
    assert found[0].body == (body,)


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("def build_net(hp):\n    return keras.Sequential([])\nkeras_tuner.Hyperband(build_net)\n",
         "return build_net(hp=HyperParameters())"),
        ("class Net(keras_tuner.HyperModel):\n    def build(self, hp):\n        return keras.Sequential([])\nNet()\n",
         "return Net().build(hp=HyperParameters())"),
    ],
)  # fmt: skip
def test_hyperparameters_are_what_a_search_starts_from(source, body):
    (found,) = _attempts({"net.py": f"import keras\nimport keras_tuner\n{source}"})[1]
    assert (found.body, found.imports["HyperParameters"]) == ((body,), "keras_tuner.HyperParameters")


def test_a_shape_that_only_running_it_tells_is_called():
    source = "import keras\nclass Net(keras.Model):\n    def __init__(self): pass\n    def call(self, x): pass\n"
    script = "from net import Net\nfrom sizes import size\nnet = Net()\nnet.build((None, size(), 3))\n"
    files = {"net.py": source, "train.py": script, "sizes.py": "def size():\n    return 8\n"}
    called = [attempt.body for attempt in _attempts(files)[1] if attempt.calls]
    assert called == [("model = Net()", "model(tf.zeros([size or 1 for size in (None, size(), 3)]))", "return model")]


@pytest.mark.parametrize(
    ("call", "inputs"),
    [
        ("        return self.embed(x)", [((8,), "int32")]),
        ("        a, b = x\n        return self.embed(a) + self.inner(b)", [((8,), "int32")] * 2),
        ("        return self.dense(x)", None),
        ("        return x + 1", None),
    ],
)
def test_numbers_for_embeddings_are_as_good_as_any(call, inputs):
    source = "import keras\nclass Inner(keras.layers.Layer):\n    def __init__(self):\n"
    source += (
        "        self.table = keras.layers.Embedding(9, 2)\n    def call(self, x):\n        return self.table(x)\n"
    )
    source += "class Net(keras.Model):\n    def __init__(self):\n        self.embed = keras.layers.Embedding(5, 2)\n"
    source += "        self.inner = Inner()\n        self.dense = keras.layers.Dense(3)\n    def call(self, x):\n"
    (found,) = _attempts({"net.py": f"{source}{call}\n"})[1]
    assert [tuple(tensor) for tensor in (found.inputs or [()])[0]] == (inputs or [])


DATA = "import keras\nimport numpy as np\nfrom net import build_net\n(x, y), _ = keras.datasets.{}.load_data()\n"


@pytest.mark.parametrize(
    ("data", "script", "kwargs"),
    [
        ("cifar100", "build_net(len(np.unique(y)), shape=x.shape[1:])", {"width": 100, "shape": [32, 32, 3]}),
        ("mnist", "x = np.expand_dims(x, -1)\nshape = x.shape[1:]\nbuild_net(y.max() + 1, shape=shape)",
         {"width": 10, "shape": [28, 28, 1]}),
        ("mnist", "x = x.reshape(-1, 784)\nbuild_net(10, shape=x.shape[1:])", {"width": 10, "shape": [784]}),
        ("mnist", "build_net(x.shape[1], shape=(28, 28))", {"width": 28, "shape": [28, 28]}),
    ],
)  # fmt: skip
def test_shapes_of_public_data(data, script, kwargs):
    assert _first({"train.py": DATA.format(data) + script}).kwargs == kwargs


def test_shapes_of_other_data_are_not_known():
    script = "import numpy as np\nfrom net import build_net\nx = np.loadtxt('a')\nbuild_net(3, shape=x.shape[1:])\n"
    assert _first({"train.py": script}).kwargs == {"width": 3}, "the default of the shape"


def test_a_first_call_in_another_method():
    source = "import keras\nclass Net(keras.Model):\n    def __init__(self): pass\n    def call(self, x): pass\n"
    script = "import tensorflow as tf\nfrom net import Net\nclass Task:\n    def __init__(self):\n"
    script += "        self.net = Net()\n    def warm(self):\n        size = 3\n        self.net({})\n"
    _, (found, *_) = _attempts({"net.py": source, "task.py": script.format("tf.ones([1, size])")})
    assert [tuple(tensor) for tensor in found.inputs[0]] == [((3,), "float32")]
    _, found = _attempts({"net.py": source, "task.py": script.format("{'a': tf.ones([1, size])}")})
    assert [each.body[1] for each in found if each.calls] == ["model({'a': tf.ones([1, 3])})"]


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("pathlib.Path(__file__).parent / 'a.json'", "pathlib.Path('bin/train.py').parent / 'a.json'"),
        (
            "os.path.join(os.path.dirname(__file__), 'a.json')",
            "os.path.join(os.path.dirname('bin/train.py'), 'a.json')",
        ),
    ],
)
def test_a_file_that_a_program_names_by_its_own_folder(place, path):
    net = "import keras\ndef build_net(settings):\n    return keras.Sequential([])\n"
    script = f"import json, os, pathlib\nfrom net import build_net\nHERE = {place}\ndef main():\n"
    script += "    build_net(json.load(open(HERE)))\nif __name__ == '__main__':\n    main()\n"
    _, (found, *_) = _attempts({"net.py": net, "bin/train.py": script, "bin/a.json": "{}"})
    assert found.body == (f"return build_net(json.load(open({path})))",)


PICKED = "import functools, net\nNETS = {'small': functools.partial(net.build_net, 8, shape=(3,))}\n"
PICKED += "deep = functools.partial(net.build_net, depth=9)\n"


@pytest.mark.parametrize(
    ("script", "kwargs", "place"),
    [
        ("from zoo import NETS\nNETS[name]()", {"width": 8, "shape": [3]}, "zoo.py:2"),
        ("from zoo import NETS\nNETS[name](5)", {"width": 8, "depth": 5, "shape": [3]}, "train.py:2"),
        ("from zoo import NETS\nNETS[name](depth=1, shape=(7,))", {"width": 8, "depth": 1, "shape": [7]}, "train.py:2"),
        ("make = NETS.get(name)\nmake()", {"width": 8, "shape": [3]}, "zoo.py:2"),
        ("import net\nnet.build_net(6)", {"width": 6}, "train.py:2"),
        ("import zoo\nzoo.deep(5)", {"width": 5, "depth": 9}, "train.py:2"),
        (
            "import functools, net\ndef main():\n    make = functools.partial(net.build_net, 4)\n    make(depth=7)\n"
            "def other():\n    make = print\n    make(6)",
            {"width": 4, "depth": 7},
            "train.py:4",
        ),
    ],
)
def test_a_partial_gives_arguments_before_those_of_the_call(script, kwargs, place):
    found = _first({"zoo.py": PICKED, "train.py": f"{script}\n"})
    assert (found.kwargs, found.place) == (kwargs, place)


@pytest.mark.parametrize("other", ["raise SystemExit\n", "def build_net():\n    pass\n"])
def test_a_module_of_the_same_name_in_another_root_hides_nothing(other):
    run = "import helpers\n" + NET + "if __name__ == '__main__':\n    build_net(9)\n"
    files = {"run.py": other, "tf2/run.py": run, "tf2/helpers.py": ""}
    parsed = project(lambda path: files[path].encode(), files)
    found = {each.target: Attempts(parsed).of(each) for each in candidates(parsed)}
    assert found["tf2/run.py:build_net"][0].kwargs == {"width": 9}


def test_the_first_call_of_what_a_partial_made_tells_its_inputs():
    net = "import keras\nclass Net(keras.Model):\n    def __init__(self, width, depth):\n        pass\n"
    main = "import functools, net\nimport tensorflow as tf\ndef main():\n    make = functools.partial(net.Net, 4)\n"
    main += "    model = make(depth=2)\n    model(tf.zeros((1, 5)))\n"
    _, (first, *_) = _attempts({"net.py": net, "train.py": main})
    assert first.kwargs == {"width": 4, "depth": 2}
    assert [tensor.shape for tensor in first.inputs[0]] == [(5,)]
