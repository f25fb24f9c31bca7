"""Which lines of a file leave to chance what it builds."""

import pytest

from restore_guard.change.chances import chances

FOUND = [
    "for name in set(names): pass",
    "for name in {'a', 'b'}: pass",
    "layers = [Dense(1, name=name) for name in frozenset(names)]",
    "x = {name: 1 for name in set(a) | set(b)}",
    "order = list(set(names))",
    "for n, name in enumerate(set(names)): pass",
    "names = {f(x) for x in y}\nfor name in names: pass",
    "class A:\n    def __init__(self):\n        self.names = set('ab')\n        for name in self.names: pass",
    "f(*set(names))",
    "title = '_'.join(set(names))",
    "for name in set(a).union(b): pass",
    "import random\nunits = random.randint(8, 64)",
    "from random import randint as draw\nunits = draw(8, 64)",
    "import numpy as np\nunits = np.random.randint(8, 64)",
    "import numpy as np\nrandom = np.random.default_rng()",
    "import uuid\nname = uuid.uuid4().hex",
    "import time\nname = f'run_{time.time()}'",
    "from datetime import datetime\nname = str(datetime.now())",
    "units = hash(name) % 7",
]
NONE = [
    "for name in sorted(set(names)): pass",
    "for name in names: pass",
    "if name in {'a', 'b'}: pass",
    "for size in {16, 32}: pass",
    "count = len(set(names))",
    "import random\nrandom.seed(1)",
    "import numpy as np\nnp.random.seed(1)",
    "import numpy as np\nrandom = np.random.default_rng(7)",
    "import tensorflow as tf\nx = tf.random.normal((2,))",
    "x = keras.random.normal((2,))",
    "for name in set(names: broken",
    "",
]


@pytest.mark.parametrize("source", FOUND)
def test_what_is_left_to_chance_is_found_on_its_line(source):
    assert chances(source.encode()) == (source.count("\n") + 1,)


@pytest.mark.parametrize("source", NONE)
def test_what_is_the_same_every_time_is_not(source):
    assert chances(source.encode()) == ()
