"""Recurrent layers in legacy HDF5: Keras 2 turns the weights of kernels for a GPU into plain ones, and back.

Source: keras/src/saving/legacy/hdf5_format.py, `preprocess_weights_for_loading`, `_convert_rnn_weights` (Keras 2).
Which weights a file holds is told from the shape of their bias alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from restore_guard.signature import H5Layer, Signature, Variable, leaf, owner

_WRAPPERS = ("Bidirectional", "TimeDistributed", "Model", "Sequential", "Functional")
_WEIGHTS = ("kernel", "recurrent_kernel", "bias")
_PLAIN = {"LSTM": "LSTM", "GRU": "GRU", "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"}

Shape = tuple[int | None, ...]


class IncompatibleError(Exception):
    """The weights cannot be converted; the message is that of Keras."""


def converted(layer: H5Layer, saved: Sequence[Variable], model: Signature) -> dict[int, Shape | None]:
    """What loading makes of the weights of recurrent layers.

    Args:
        layer: the layer that is loaded.
        saved: the variables whose values it is given, as many as it has.

    Returns:
        {position among its weights: the shape that the value has then}, of all weights that are converted.

    Raises:
        IncompatibleError: as Keras raises.
    """
    found: dict[int, Shape | None] = {}
    if model.keras_tree is None or model.keras_tree.generation == 3:
        return found
    for start, kind, target in _recurrent(layer, model):
        bias, recurrent = saved[start + 2].shape, saved[start + 1].shape
        if bias is None or not recurrent or recurrent[0] is None:
            continue
        units = recurrent[0]
        source, wanted = _format(kind, units, bias), _wanted(kind, target[2].shape)
        if source == wanted:
            continue
        if "GRU(reset_after=False)" in (source, wanted):
            raise IncompatibleError(f"{source} is not compatible with {wanted}")
        found |= {start: saved[start].shape, start + 1: recurrent, start + 2: _bias(wanted, units)}
    return found


def _recurrent(layer: H5Layer, model: Signature) -> Iterator[tuple[int, str, Sequence[Variable]]]:
    """Yields (place of the first weight, class of the layer, its three weights)."""
    types = {holder.path: holder.type for holder in model.holders}
    weights = [model.variables[position] for position in layer.variables]
    for start in range(len(weights) - 2):
        three = weights[start : start + 3]
        if tuple(leaf(variable.path) for variable in three) != _WEIGHTS:
            continue
        held = owner(three[0].path)
        kind = next((types[path] for path in (held, owner(held)) if types.get(path) in _PLAIN), None)
        if kind is not None and (layer.type == kind or layer.type in _WRAPPERS):
            yield start, kind, three


def _format(kind: str, units: int, bias: Shape) -> str:
    """The class that wrote weights with such a bias."""
    gates = 4 if _PLAIN[kind] == "LSTM" else 3
    if bias == (2 * units * gates,):
        return f"CuDNN{_PLAIN[kind]}"
    if bias == (units * gates,):
        return "LSTM" if gates == 4 else "GRU(reset_after=False)"
    if bias == (2, units * gates) and gates == 3:
        return "GRU(reset_after=True)"
    raise IncompatibleError(f"Invalid bias shape: {bias}")


def _wanted(kind: str, bias: Shape | None) -> str:
    if kind != "GRU":
        return kind
    return f"GRU(reset_after={bias is not None and len(bias) == 2})"


def _bias(kind: str, units: int) -> Shape:
    return {
        "LSTM": (4 * units,),
        "CuDNNLSTM": (8 * units,),
        "GRU(reset_after=True)": (2, 3 * units),
        "CuDNNGRU": (6 * units,),
    }[kind]
