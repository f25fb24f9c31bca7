"""The styles in which repositories make their models: each a small one, with what must and what must not rebuild it."""

from typing import NamedTuple

HEAD = """\
import os

import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))

"""


class Style(NamedTuple):
    """A repository.

    Attributes:
        files: what is in it; `model.py` has `build`. A value that begins with "-> " is a link.
        changes: {what it is: files that differ, None for one that is gone}; each makes another model, or may.
        environ: variables that may, each with another value.
        needs: a package that is installed, or the style is left out.
        kept: False where nobody can know what the build depends on.
    """

    files: dict[str, str]
    changes: dict[str, dict[str, str | None]] = {}
    environ: dict[str, str] = {}
    needs: str | None = None
    kept: bool = True


def style(body, changes=None, files=None, *, imports="", environ=None, needs=None, kept=True):
    """`changes` are given as {path: new content}, each one a change."""
    changes = {path: {path: content} for path, content in (changes or {}).items()}
    changes["model.py"] = {"model.py": HEAD + imports + body.replace("Dense(3", "Dense(4") + "# and more\nMORE = 1\n"}
    return Style({"model.py": HEAD + imports + body, **(files or {})}, changes, environ or {}, needs, kept)


def returning(expression, before=""):
    """A builder of one Dense layer with as many units as an expression says."""
    lines = "".join(f"    {line}\n" for line in before.splitlines())
    return f"""
def build():
{lines}    model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3 + {expression})])
    return model
"""


def functional(shape, output):
    return f"def build():\n    i = tf.keras.Input({shape})\n    return tf.keras.Model(i, {output})\n"


LAYER = """
class Scale(tf.keras.layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(name="w", shape=(shape[-1],))

    def call(self, x):
        return x * self.w
"""
FUNCTIONAL = """
def build():
    i = tf.keras.Input((4,))
    return tf.keras.Model(i, Scale()(tf.keras.layers.Dense(3)(i)))
"""
BRANCHING = """
class Gate(tf.keras.layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(name="w", shape=(shape[-1],))

    def call(self, x, training=None):
        if training:
            x = x + 1.0
        for _ in range(2):
            x = x * self.w
        return x


def build():
    i = tf.keras.Input((4,))
    return tf.keras.Model(i, Gate()(tf.keras.layers.Dense(3)(i)))
"""
SUBCLASSED = """
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(3)
        self.blocks = [tf.keras.layers.Dense(2) for _ in range(2)]

    def call(self, x):
        x = self.dense(x)
        for block in self.blocks:
            x = block(x)
        return x


def build():
    model = Net()
    model(tf.zeros([1, 4]))
    return model
"""
TRAINING = """
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(3)

    @tf.function
    def call(self, x):
        if tf.reduce_mean(x) > 1:
            return self.dense(x)
        return self.dense(x) + 1.0


def build():
    model = Net()
    model.compile("adam", "mse")
    model(tf.zeros([1, 4]))
    return model
"""
MODULE = """
class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.zeros([4, 3]))

    @tf.function(input_signature=[tf.TensorSpec([None, 4])])
    def __call__(self, x):
        y = tf.zeros([])
        while y < 3.0:
            y += 1.0
        return x @ self.w + y


def build():
    net = Net()
    net(tf.zeros([1, 4]))
    return net
"""
LOOKUP = """
def build():
    i = tf.keras.Input((1,), dtype="string")
    found = tf.keras.layers.StringLookup(vocabulary=VOCABULARY)
    x = tf.keras.layers.Embedding(found.vocabulary_size(), 3)(found(i))
    return tf.keras.Model(i, x)
"""
READ = 'open(os.path.join(HERE, "{}")).read()'
WORDS = {"data/words.txt": "a\nb\nc\n"}
MORE_WORDS = {"data/words.txt": "a\nb\nc\nd\n"}
IN_WORDS = 'os.path.join(HERE, "data/words.txt")'

STYLES = {
    # Keras's own layers, and the user's
    "sequential": style(returning("0")),
    "custom layer": style(LAYER + FUNCTIONAL),
    "layer with branches": style(BRANCHING),
    "subclassed": style(SUBCLASSED),
    "compiled with tf.function": style(TRAINING),
    "module with tf.function": style(MODULE),
    "layer in a package": style(
        "from layers import Scale\n" + FUNCTIONAL,
        {"layers/scale.py": HEAD + LAYER + "# and more\nMORE = 1\n", "layers/__init__.py": "from .scale import *\n"},
        {"layers/__init__.py": "from .scale import Scale\n", "layers/scale.py": HEAD + LAYER},
    ),
    "do not convert": style(
        "@tf.autograph.experimental.do_not_convert\ndef twice(x):\n    return x if x is None else x * 2\n"
        + LAYER.replace("x * self.w", "twice(x) * self.w")
        + FUNCTIONAL
    ),
    "registered layer": style(
        LAYER.replace("\nclass", '\n@tf.keras.utils.register_keras_serializable(package="own")\nclass') + FUNCTIONAL
    ),
    "lambda layer": style(
        functional("(4,)", "tf.keras.layers.Lambda(lambda x: x if x is None else x * 2)(tf.keras.layers.Dense(3)(i))")
    ),
    "recurrent": style(functional("(4, 2)", "tf.keras.layers.Dense(3)(tf.keras.layers.LSTM(2)(i))")),
    "augmentation": style(functional("(8, 8, 3)", "tf.keras.layers.Dense(3)(tf.keras.layers.RandomFlip()(i))")),
    "metrics and losses": style(
        "def loss(y, p):\n    if y is None:\n        return p\n    return tf.reduce_mean(tf.square(y - p))\n\n"
        + returning("0").replace(
            "    return model", '    model.compile("adam", loss=loss, metrics=["mae"])\n    return model'
        )
    ),
    "checkpoint of parts": style(
        "def build():\n    return tf.train.Checkpoint(step=tf.Variable(0), w=tf.Variable(tf.zeros([3])))\n"
    ),
    # lookup layers and tables
    "lookup of a list": style('VOCABULARY = ["a", "b"]\n' + LOOKUP),
    "lookup of a file": style(f"VOCABULARY = {IN_WORDS}\n" + LOOKUP, MORE_WORDS, WORDS),
    "lookup of lines": style(f"VOCABULARY = [line.strip() for line in open({IN_WORDS})]\n" + LOOKUP, MORE_WORDS, WORDS),
    "adapted lookup": style(
        "def build():\n    found = tf.keras.layers.StringLookup()\n"
        '    found.adapt(tf.data.Dataset.from_tensor_slices(["a", "b"]).batch(2))\n'
        '    i = tf.keras.Input((1,), dtype="string")\n'
        "    return tf.keras.Model(i, tf.keras.layers.Embedding(found.vocabulary_size(), 3)(found(i)))\n"
    ),
    "text vectorization": style(
        'def build():\n    text = tf.keras.layers.TextVectorization(vocabulary=["a", "b"])\n'
        '    i = tf.keras.Input((1,), dtype="string")\n'
        "    return tf.keras.Model(i, tf.keras.layers.Embedding(4, 3)(text(i)))\n"
    ),
    "table of a file": style(
        f"TABLE = tf.lookup.TextFileInitializer({IN_WORDS}, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, "
        "tf.lookup.TextFileIndex.LINE_NUMBER)\n"
        + returning("units()")
        + "def units():\n    with tf.init_scope():\n        return int(tf.lookup.StaticHashTable(TABLE, -1).size())\n",
        MORE_WORDS,
        WORDS,
    ),
    "table in memory": style(
        "def build():\n    init = tf.lookup.KeyValueTensorInitializer(tf.constant(['a']), tf.constant([1]))\n"
        "    table = tf.lookup.StaticHashTable(init, -1)\n"
        "    return tf.train.Checkpoint(table=table, w=tf.Variable([0.0]))\n"
    ),
    "normalization": style(
        "def build():\n    i = tf.keras.Input((4,))\n    n = tf.keras.layers.Normalization(mean=0.0, variance=1.0)\n"
        "    return tf.keras.Model(i, tf.keras.layers.Dense(3)(n(i)))\n"
    ),
    # what TensorFlow reads
    "tf.io.read_file": style(
        returning(f"words({IN_WORDS})")
        + "def words(path):\n    with tf.init_scope():\n        return len(tf.io.read_file(path).numpy().split())\n",
        MORE_WORDS,
        WORDS,
    ),
    "gfile": style(returning(f"len(tf.io.gfile.GFile({IN_WORDS}).read().split())"), MORE_WORDS, WORDS),
    "text line dataset": style(
        returning(f"lines({IN_WORDS})")
        + "def lines(path):\n    with tf.init_scope():\n        return len(list(tf.data.TextLineDataset(path)))\n",
        MORE_WORDS,
        WORDS,
    ),
    "gfile glob": style(
        returning('len(tf.io.gfile.glob(os.path.join(HERE, "parts/*.txt")))'), {"parts/b.txt": ""}, {"parts/a.txt": ""}
    ),
    "read in a tf.function": style(
        returning("int(count())")
        + f"@tf.function\ndef inner():\n    return tf.size(tf.strings.split(tf.io.read_file({IN_WORDS})))\n"
        + "def count():\n    with tf.init_scope():\n        return inner()\n",
        MORE_WORDS,
        WORDS,
    ),
    # configuration
    "json": style(
        returning('json.load(open(os.path.join(HERE, "config.json")))["units"]'),
        {"config.json": '{"units": 2}'},
        {"config.json": '{"units": 1}'},
        imports="import json\n",
    ),
    "yaml": style(
        returning('yaml.safe_load(open(os.path.join(HERE, "conf/model.yaml")))["units"]'),
        {"conf/model.yaml": "units: 2\n"},
        {"conf/model.yaml": "units: 1\n"},
        imports="import yaml\n",
        needs="yaml",
    ),
    "gin": style(
        "import config\n" + returning('config.parse(os.path.join(HERE, "model.gin"))["Net.units"]'),
        {"model.gin": "Net.units = 2\n"},
        {
            "model.gin": "Net.units = 1\n",
            "config.py": "def parse(path):\n    with open(path) as f:\n"
            "        pairs = (line.split('=') for line in f if '=' in line)\n"
            "        return {key.strip(): int(value) for key, value in pairs}\n",
        },
    ),
    "ini": style(
        returning("int(CONFIG['net']['units'])"),
        {"setup.ini": "[net]\nunits = 2\n"},
        {"setup.ini": "[net]\nunits = 1\n"},
        imports="import configparser\n\nCONFIG = configparser.ConfigParser()\n"
        "CONFIG.read(os.path.join(HERE, 'setup.ini'))\n",
    ),
    "optional file": style(
        returning("units()")
        + "def units():\n    try:\n        return int(open('local.txt').read())\n"
        + "    except FileNotFoundError:\n        return 0\n",
        {"local.txt": "2"},
    ),
    "optional file that is looked for": style(
        returning("pathlib.Path(HERE, 'local.txt').exists()"), {"local.txt": "2"}, imports="import pathlib\n"
    ),
    "size of a file": style(
        returning("os.path.getsize(os.path.join(HERE, 'data.bin'))"), {"data.bin": "12"}, {"data.bin": "1"}
    ),
    "dataclass": style(
        "@dataclasses.dataclass\nclass Config:\n    units: int = 1\n" + returning("Config().units"),
        imports="import dataclasses\n",
    ),
    # data
    "csv": style(
        returning("len(list(csv.reader(open(os.path.join(HERE, 'rows.csv')))))"),
        {"rows.csv": "1\n2\n"},
        {"rows.csv": "1\n"},
        imports="import csv\n",
    ),
    "numpy text": style(
        returning("int(np.loadtxt(os.path.join(HERE, 'rows.txt')).size)"),
        {"rows.txt": "1\n2\n"},
        {"rows.txt": "1\n"},
        imports="import numpy as np\n",
    ),
    "listed folder": style(returning("len(os.listdir(os.path.join(HERE, 'parts')))"), {"parts/b": ""}, {"parts/a": ""}),
    "glob": style(
        returning("len(glob.glob(os.path.join(HERE, 'parts', '*.txt')))"),
        {"parts/b.txt": ""},
        {"parts/a.txt": ""},
        imports="import glob\n",
    ),
    "plugins": style(
        returning("len(plugins.FOUND)"),
        {"plugins/two.py": "", "plugins/one.py": "UNITS = 9\n"},
        {
            "plugins/__init__.py": "import importlib, pkgutil\nFOUND = [importlib.import_module(f'plugins.{m.name}') "
            "for m in pkgutil.iter_modules(__path__)]\n",
            "plugins/one.py": "",
        },
        imports="import plugins\n",
    ),
    "optional module": style(
        returning("MORE"),
        {"extra.py": "MORE = 2\n"},
        imports="try:\n    from extra import MORE\nexcept ImportError:\n    MORE = 0\n",
    ),
    "linked data": style(
        returning(f"len({READ.format('current.txt')})"),
        {"current.txt": "-> two.txt", "one.txt": "abc"},
        {"current.txt": "-> one.txt", "one.txt": "a", "two.txt": "ab"},
    ),
    "linked package": style(
        returning("net.UNITS"),
        {"net": "-> v2"},
        {"net": "-> v1", "v1/__init__.py": "UNITS = 1\n", "v2/__init__.py": "UNITS = 2\n"},
        imports="import net\n",
    ),
    "cached beside": style(
        returning("units()")
        + "def units():\n    path = os.path.join(HERE, 'cache.txt')\n    if not os.path.exists(path):\n"
        "        open(path, 'w').write('1')\n    n = int(open(path).read())\n    os.remove(path)\n    return n\n",
        {"cache.txt": "2"},
    ),
    "temporary file": style(
        returning("units()")
        + "def units():\n    with tempfile.TemporaryDirectory() as folder:\n        path = os.path.join(folder, 'x')\n"
        "        open(path, 'w').write('1')\n        return int(open(path).read())\n",
        imports="import tempfile\n",
    ),
    # the environment
    "os.environ.get": style(returning("int(os.environ.get('TF_UNITS', '0'))"), environ={"TF_UNITS": "2"}),
    "os.getenv": style(returning("int(os.getenv('TF_UNITS') or 0)"), environ={"TF_UNITS": "2"}),
    "os.environb": style(returning("int(os.environb.get(b'TF_UNITS', b'0'))"), environ={"TF_UNITS": "2"}),
    "variable that is set": style(
        "os.environ.setdefault('TF_UNITS', '1')\n" + returning("int(os.environ['TF_UNITS'])"), environ={"TF_UNITS": "2"}
    ),
    "all variables": style(
        returning("len([name for name in os.environ if name.startswith('TF_OWN')])"), environ={"TF_OWN_UNITS": "2"}
    ),
    "copy of all variables": style(returning("len(dict(os.environ).get('TF_OWN', ''))"), environ={"TF_OWN": "2"}),
    # what is imported on the side
    "logging": style(
        "logging.basicConfig(level=logging.INFO)\nlogging.info('x')\n" + returning("0"), imports="import logging\n"
    ),
    "absl": style("logging.info('x')\n" + returning("0"), imports="from absl import flags, logging\n", needs="absl"),
    "tqdm": style(
        returning("0", "for _ in tqdm(range(2)):\n    pass"), imports="from tqdm import tqdm\n", needs="tqdm"
    ),
    "tqdm.auto": style(returning("0"), imports="from tqdm.auto import tqdm\n", needs="tqdm"),
    "rich": style(
        "Console().print('x')\n" + returning("0"), imports="from rich.console import Console\n", needs="rich"
    ),
    "sonnet": style(
        "def build():\n    net = snt.Linear(3)\n    net(tf.zeros([1, 4]))\n    return net\n",
        imports="import sonnet as snt\n",
        needs="sonnet",
    ),
    "argparse": style(
        "ARGS = argparse.ArgumentParser().parse_args([])\n" + returning("0"), imports="import argparse\n"
    ),
    "warnings and random": style(
        "warnings.filterwarnings('ignore')\nrandom.seed(0)\ntf.random.set_seed(0)\n" + returning("0"),
        imports="import random\nimport warnings\n",
    ),
    # what nobody can follow
    "another process": style(
        returning("len(subprocess.run(['true']).args)"), imports="import subprocess\n", kept=False
    ),
    "sentencepiece": style(returning("0"), imports="import sentencepiece\n", needs="sentencepiece", kept=False),
}
