"""Signatures by hand: small trackable objects and Keras trees as data, for tests without TensorFlow."""

from restore_guard.change.diffs import Diff
from restore_guard.judging.comparison import compare
from restore_guard.keras_tree import KerasTree, TreeNode
from restore_guard.restore_paths import RESTORE_PATHS, same_promise
from restore_guard.saver_file import SaverEntry, SaverFile
from restore_guard.signature import (
    Archive,
    GraphNode,
    H5File,
    H5Layer,
    Holder,
    ObjectGraph,
    Revival,
    Signature,
    Variable,
)


def variable(path, shape=(2,), dtype="float32", **more):
    return Variable(path, shape, dtype, trainable=True, **more)


def graph(*nodes):
    """Args: (type, variable's position or None, {edge: node}, slots); the first is the root."""
    return ObjectGraph(
        tuple(
            GraphNode(kind, position, tuple(children.items()), *([tuple(slots[0]), "making"] if slots else []))
            for kind, position, children, *slots in nodes
        )
    )


def module(**variables):
    """A root object with a variable in each attribute; a value is a shape, or (shape, dtype)."""
    forms = [
        value if isinstance(value[-1:], tuple) and isinstance(value[-1], str) else (value, "float32")
        for value in variables.values()
    ]
    return Signature(
        framework={},
        variables=tuple(variable(name, *form) for name, form in zip(variables, forms, strict=True)),
        object_graph=graph(
            ("Module", None, {name: number for number, name in enumerate(variables, 1)}),
            *(("Variable", number, {}) for number in range(len(variables))),
        ),
    )


def tree(generation, *nodes, nests=True):
    """Args: (type, role, variables, children); the first is the model."""
    return KerasTree(
        generation,
        nests,
        tuple(
            TreeNode(kind, role, kind.lower(), tuple(own), children=tuple(children))
            for kind, role, own, children in nodes
        ),
    )


def model(generation, variables, *nodes, nests=True):
    """A Keras model that only its saving tree is looked at."""
    return Signature(
        framework={},
        variables=tuple(variables),
        object_graph=graph(("Model", None, {})),
        keras_tree=tree(generation, *nodes, nests=nests),
    )


REVIVED = model(3, (variable("a/kernel"),), ("Model", "layer", (), [("a", 1)]), ("Dense", "layer", (0,), ()))
GOOD = Signature(
    framework={"tensorflow": "2.21.0"},
    variables=(variable("a/kernel"), variable("a/bias"), variable("b/kernel")),
    object_graph=graph(
        ("Model", None, {"a": 1, "b": 2}),
        ("Dense", None, {"kernel": 3, "bias": 4}),
        ("Dense", None, {"kernel": 5}, [("m", 3, 5)]),
        ("Variable", 0, {}),
        ("Variable", 1, {}),
        ("Variable", 2, {}),
    ),
    holders=(Holder("a", "Dense"), Holder("b", "Dense", calls=1)),
    aliases=(("c", "a"),),
    keras_tree=model(
        3,
        (),
        ("Model", "layer", (), [("layers", (("dense", 1), ("list", (("dense", 2),))))]),
        ("Dense", "layer", (), ()),
        ("Dense", "layer", (), ()),
    ).keras_tree,
    h5_file=H5File((H5Layer("a", "Dense", (0, 1)), H5Layer("b", "Dense", (2,)))),
    archive=Archive(config='{"module": "keras"}', revival=Revival(REVIVED)),
    whole_h5=Archive(config='{"model_config": {}}', revival=Revival(REVIVED), optimizer=(2,)),
    saver_file=SaverFile((SaverEntry("a/kernel", 0, (2,)), SaverEntry("b/kernel", 2, (2,), (0,)))),
    sources=("model.py",),
)


def compare_all(saved, head):
    """Everything that is ever asked of two signatures, as the other checkpoint and as the model."""
    same_promise(saved, head, list(RESTORE_PATHS))
    for pair in ((saved, head), (head, saved), (head, head)):
        configs = [side.archive.config for side in pair if side.archive]
        compare(*pair, list(RESTORE_PATHS), Diff({}), dict.fromkeys(configs, Revival(error="another configuration")))
