"""With what a model is called: its inputs, each under a name, and which inputs of two builds are the same."""

import functools
import re
import sys

import tensorflow as tf

from .. import frameworks

_AUTOMATIC = re.compile(r"(input|input_layer|keras_tensor)(_\d+)?|.*_input")


class Unknown(Exception):
    """It is not known how to call a model, or not with what another one is called; the message says why."""


class Tensor:
    """A tensor to make up: its shape, None where any size goes, and its dtype by name."""

    def __init__(self, shape, dtype):
        self.shape, self.dtype = shape, dtype

    def is_like(self, other):
        return (self.shape, self.dtype) == (other.shape, other.dtype)


class Call:
    """A call of a model.

    Attributes:
        tensors: {name: Tensor}: a dict's key, the name that the user gave an input, else the place among the arguments.
    """

    def __init__(self, args, kwargs, names=None):
        """`args` and `kwargs` may be nested; a `Tensor` in them is to be made up, all else is given as it is."""
        self._structure = args, kwargs
        leaves = [(place, leaf) for place, leaf in places(self._structure) if isinstance(leaf, Tensor)]
        names = names or [_label(place, len(args)) for place, _ in leaves]
        if len(names) == 1:
            names = [""]  # a caller need not name the only one
        self._names = names
        self.tensors = {name: leaf for name, (_, leaf) in zip(names, leaves)}

    def arguments(self, given):
        """(args, kwargs) with the tensors of {name: tensor}."""
        names = iter(self._names)
        return _replaced(self._structure, lambda leaf: given[next(names)] if isinstance(leaf, Tensor) else leaf)

    def sources(self, saved):
        """Which input of another build each one is: {own name: its name there}.

        Args:
            saved: the `tensors` of the other build.

        Raises:
            Unknown: an input is gone, new, or of another form.
        """
        found = {name: name for name in self.tensors if name in saved}
        gone = [name for name in saved if name not in found]
        new = [name for name in self.tensors if name not in found]
        if len(gone) == len(new) == 1:  # it has another name now
            found[new[0]] = gone[0]
            gone = new = []
        if gone or new:
            told = [f"the input {_shown(name)} is gone" for name in gone]
            raise Unknown(", ".join(told + [f"the input {_shown(name)} is new" for name in new]))
        for own, other in found.items():
            if not _fits(saved[other], self.tensors[own]):
                forms = f"was {_form(saved[other])} and is now {_form(self.tensors[own])}"
                raise Unknown(f"the input {_shown(own)} {forms}")
        return found


def _symbolic(model):
    """The call of a functional model, whose inputs have names."""
    structure = getattr(model, "_inputs_struct", None)
    if structure is None:
        structure = getattr(model, "_nested_inputs", None)
    if structure is None:
        try:
            structure = model.inputs
        except (AttributeError, ValueError):
            return None
        structure = structure[0] if structure and len(structure) == 1 else structure
    leaves = list(places(structure)) if structure is not None else []
    if not leaves or not all(_is_tensor(leaf) for _, leaf in leaves):
        return None
    names = [_name(place, leaf) for place, leaf in leaves]
    if len(set(names)) < len(names):
        names = ["/".join(place) for place, _ in leaves]
    return Call((_replaced(structure, _known),), {}, names)


def _name(place, leaf):
    """A dict's key, or the name that the user chose; else the place."""
    name = getattr(leaf, "name", "").split(":")[0]
    in_list = all(part.isdigit() for part in place)
    return name if in_list and name and not _AUTOMATIC.fullmatch(name) else "/".join(place)


class Calls:
    """How models are called: as they tell themselves, as is configured, or as a builder is heard to call them.

    A context manager: within it, each Keras model of this process is heard.
    """

    def __init__(self, configured):
        """`configured`: [{"shape": without batch, "dtype"}]."""
        self._configured, self._first, self._alive, self._plain = configured, {}, [], {}

    def __enter__(self):
        for package in ("keras", "tf_keras"):
            if package in sys.modules:
                layer = sys.modules[package].layers.Layer
                self._plain[layer] = layer.__call__
                layer.__call__ = self._hearing(layer.__call__)
        return self

    def __exit__(self, *_):
        for layer, call in self._plain.items():
            layer.__call__ = call

    def of(self, model):
        """The `Call` of a model.

        Raises:
            Unknown: there is no way to tell.
        """
        if not callable(model):
            raise Unknown(f"a {type(model).__name__} cannot be called")
        is_model = frameworks.is_model(model)
        if is_model and (symbolic := _symbolic(model)) is not None:
            return symbolic
        made = [Tensor([None, *item["shape"]], item["dtype"]) for item in self._configured]
        if made:
            return Call((made,) if is_model and len(made) > 1 else tuple(made), {})
        if self._first.get(id(model)) is None:
            raise Unknown("it is not known what the model is called with; configure inputs")
        return self._first[id(model)]

    def _hearing(self, call):
        @functools.wraps(call)
        def hearing(layer, *args, **kwargs):
            if id(layer) not in self._first and frameworks.is_model(layer):
                self._alive.append(layer)  # a dead one's id would be given to another
                given = {name: value for name, value in kwargs.items() if name != "training"}
                self._first[id(layer)] = _heard(args, given)
            return call(layer, *args, **kwargs)

        return hearing


def _heard(args, kwargs):
    """The `Call`; None without a tensor, and where something is given that cannot be given again."""
    leaves = [leaf for _, leaf in places((args, kwargs))]
    tensors = [_is_tensor(leaf) for leaf in leaves]
    plain = (type(None), bool, int, float, str)
    if not any(tensors) or not all(a or isinstance(leaf, plain) for a, leaf in zip(tensors, leaves)):
        return None
    return Call(*_replaced((args, kwargs), lambda leaf: _known(leaf) if _is_tensor(leaf) else leaf))


def _is_tensor(leaf):
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def _known(tensor):
    """What a tensor tells of the ones that may come instead: any batch."""
    sizes = list(tensor.shape)
    fixed = sizes[:1] if hasattr(tensor, "_keras_history") else []
    return Tensor([*(fixed or [None] * bool(sizes)), *sizes[1:]], tf.as_dtype(tensor.dtype).name)


def _label(place, positional):
    """How a caller tells an argument: by its keyword or place, and the key within it."""
    only = place[0] == "0" and positional == 1
    return "/".join(place[2 if only else 1 :])


def places(structure, place=()):
    """Yields (place, leaf), in the order of `_replaced`."""
    if isinstance(structure, dict):
        for name in sorted(structure, key=str):
            yield from places(structure[name], (*place, str(name)))
    elif isinstance(structure, (list, tuple)):
        for number, item in enumerate(structure):
            yield from places(item, (*place, str(number)))
    else:
        yield place, structure


def _replaced(structure, change):
    """The structure with every leaf changed."""
    if isinstance(structure, dict):
        changed = {name: _replaced(structure[name], change) for name in sorted(structure, key=str)}
        return {name: changed[name] for name in structure}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(_replaced(item, change) for item in structure))
    if isinstance(structure, (list, tuple)):
        return type(structure)(_replaced(item, change) for item in structure)
    return change(structure)


def _fits(saved, own):
    """Whether what was given to the one may be given to the other."""
    if len(saved.shape) != len(own.shape):
        return False
    sizes = all(a is None or b is None or a == b for a, b in zip(saved.shape, own.shape))
    return sizes and (_kind(saved) == _kind(own) or {_kind(saved), _kind(own)} == {"whole", "float"})


def _kind(tensor):
    dtype = tf.as_dtype(tensor.dtype)
    return "float" if dtype.is_floating else "whole" if dtype.is_integer else dtype.name


def _form(tensor):
    return f"{tensor.dtype} of shape ({', '.join('any' if size is None else str(size) for size in tensor.shape)})"


def _shown(name):
    return name or "of the model"
