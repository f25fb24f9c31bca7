"""Signatures by hand: small trackable objects and Keras trees as data, for tests without TensorFlow."""

from restore_guard.signature import GraphNode, KerasTree, ObjectGraph, Signature, TreeNode, Variable


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
