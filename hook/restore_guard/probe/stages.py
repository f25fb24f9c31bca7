"""The stages of a model: as its builder returns it, after its first call, with the slots of its optimizer.

A checkpoint is saved before or after the first training step, and restored at any stage. A signature describes the
last one; what was otherwise at the earlier ones is told beside it.
"""

import contextlib
import sys

import tensorflow as tf

from . import frameworks, private_names, strategies
from .describers import h5_file, keras_tree, object_graph, variables


def finish(root, inputs):
    """Brings a model to its last stage: calls it where it is not built, and builds its optimizer.

    Args:
        inputs: [{"shape": without batch, "dtype"}]; an unknown dimension (None) becomes 1.

    Returns:
        The earlier `Stage`s that differ from what follows them.

    Raises:
        ValueError: a Keras model is not built and no inputs are configured.
    """
    return [stage for stage in (call(root, inputs), train(root)) if stage is not None]


class Stage:
    """What a model was at an earlier stage.

    Attributes:
        arrivals, unannounced: edges of the object graph after the first call that were not there before it.
    """

    def __init__(self, root, name):
        self.name, self.arrivals, self.unannounced = name, [], []
        # Kept: the id of an object that is gone would be given to another one.
        self.variables = [found.variable for found in variables.find(root)[0]]
        index = {id(variable): id(variable) for variable in self.variables}
        keras = frameworks.keras_of(root)
        gone = private_names.gone(keras.package if keras is not None else None)
        self.graph = object_graph.read(root, index) if name == "untrained" and "tf-checkpoint" not in gone else None
        self.tree = keras_tree.read(root, index, _NoSites) if "keras-weights" not in gone else None
        self.h5 = h5_file.read(root, index) if "h5" not in gone else None

    def data(self, index):
        """`restore_guard.signature.Stage` as data; `index` is {id(tf.Variable): position} of the finished model."""
        there = {id(variable) for variable in self.variables}
        for node in (self.graph or {}).get("nodes", ()):
            node["variable"] = index.get(node["variable"])
        for item in ((self.tree or {}).get("nodes", ()), (self.h5 or {}).get("layers", ())):
            for part in item:
                for listed in {"variables", "by_name"} & part.keys():
                    part[listed] = [index[number] for number in part[listed] if number in index]
        return {
            "name": self.name,
            "absent": [position for key, position in index.items() if key not in there],
            "arrivals": self.arrivals,
            "unannounced": self.unannounced,
            "object_graph": self.graph,
            "keras_tree": self.tree,
            "h5_file": self.h5,
        }


class _NoSites:
    """Lines of source belong to the finished model."""

    @staticmethod
    def of(value):
        return None


def call(root, inputs):
    """Calls a model whose variables may not be there yet; returns the stage before, None where nothing was to do."""
    if not strategies.is_uncalled(root, inputs):
        return None
    stage, start = Stage(root, "uncalled"), object_graph.start(root)
    before = _edges(start)
    with _Hearing() as heard:
        strategies.call(root, inputs)
    after = _edges(start)
    if before is None or after is None:
        return None
    numbers = {id(value): number for number, value in enumerate(after.objects)}
    late = {key: child for key, child in after.of.items() if key not in before.of}
    order = {}  # the same whatever else ran in between
    for parent, name, child, runs in heard.edges:
        if late.get((id(parent), name)) is child:
            runs = [order.setdefault(run, len(order) + 1) for run in runs]
            stage.arrivals.append([numbers[id(parent)], name, runs])
            del late[id(parent), name]
    known = {id(value) for value in before.objects}
    stage.unannounced = [[numbers[parent], name] for parent, name in late if parent in known]
    return stage


def train(root):
    """Makes the slots of optimizers that have none; returns the stage before, None where nothing was to do."""
    if not strategies.lacks_slots(root):
        return None
    stage = Stage(root, "untrained")
    strategies.train(root)
    return stage


class _Edges:
    """The object graph: its objects, and {(id of an object, edge): the object that it leads to}."""

    def __init__(self, objects, children):
        self.objects = objects
        self.of = {(id(value), name): child for value, named in zip(objects, children) for name, child in named}


def _edges(start):
    """None where TensorFlow refuses to save the object."""
    if start is None:
        return None
    try:
        return _Edges(*object_graph.traverse(start))
    except (ValueError, NotImplementedError):
        return None


class _Hearing:
    """Hears each edge that is added to an object, by which TensorFlow restores what it has read but nobody took yet.

    Attributes:
        edges: (object, edge, object that it leads to, numbers of the symbolic runs around it).

    Source: tensorflow/python/trackable/base.py `_handle_deferred_dependencies`; keras/src/layers/layer.py
    `_maybe_build`: Keras 3 first runs the call of a layer that has no `build` symbolically, where nothing can be
    restored.
    """

    def __init__(self):
        self.edges, self.runs, self.count = [], [], 0

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            base = tf.__internal__.tracking.Trackable
            stack.enter_context(_replaced(base, "_handle_deferred_dependencies", self.hearing))
            backend = sys.modules.get("keras.src.backend")
            if hasattr(backend, "compute_output_spec"):
                stack.enter_context(_replaced(backend, "compute_output_spec", self.running))
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        self.stack.close()

    def hearing(self, handle):
        def heard(parent, name, trackable):
            self.edges.append((parent, name, trackable, list(self.runs)))
            return handle(parent, name, trackable)

        return heard

    def running(self, run):
        def ran(*args, **kwargs):
            self.count += 1
            self.runs.append(self.count)
            try:
                return run(*args, **kwargs)
            finally:
                self.runs.pop()

        return ran


@contextlib.contextmanager
def _replaced(owner, name, wrap):
    own = getattr(owner, name)
    setattr(owner, name, wrap(own))
    try:
        yield
    finally:
        setattr(owner, name, own)
