"""Values of a checkpoint that are no variable's, as hash tables have: which object refuses what another one has saved.

Source: tensorflow/python/ops/lookup_ops.py `MutableHashTable._restore_from_tensors`, `DenseHashTable`;
tensorflow/core/kernels/lookup_table_op.h `CheckKeyAndValueTensorsForImport`, lookup_table_op.cc `MutableDenseHashTable`
(a scalar is written as a row of one); tensorflow/python/checkpoint/restore.py: a key that is not there raises.
"""

from __future__ import annotations

from restore_guard.signature import GraphNode


def refused(old: GraphNode, new: GraphNode, name: str) -> str | None:
    """Why an object raises that is bound to what another one has saved under a name; None where it does not.

    Iterators and Python state are told neither from each other nor from the tables of older manifests.
    """
    if isinstance(old.state, str) and isinstance(new.state, str):
        return _of_tables(old.state.split(), new.state.split(), name)
    if old.state and new.variable is not None:
        return _missing(name, "VARIABLE_VALUE")
    if isinstance(new.state, str) and old.variable is not None:
        return _missing(name, "table-keys")
    return None


def _missing(name: str, what: str) -> str:
    return f"Key {name}/.ATTRIBUTES/{what} not found in checkpoint"


def _of_tables(old: list[str], new: list[str], name: str) -> str | None:
    """Args: `old`, `new` are the types of keys and values and, but in older manifests, the shapes of their rows."""
    for was, now in zip(old[:2], new[:2], strict=True):
        if was != now:
            return f"tensor_name = {name}; expected dtype {now} does not equal original dtype {was}"
    if len(old) == len(new) == 4 and not _fits(*map(_shape, (*old[2:], *new[2:]))):
        return f"{name}: Expected rows of {' and '.join(new[2:])} for keys and values, got {' and '.join(old[2:])}"
    return None


Shape = tuple[int, ...]


def _fits(old_key: Shape, old_value: Shape, key: Shape, value: Shape) -> bool:
    """Whether a table takes these rows; only a MutableHashTable has keys without dimensions."""
    if not key:
        return old_key + value == old_value
    # A scalar key of a DenseHashTable takes rows of any length.
    return bool(old_key) and key in (old_key, (1,)) and value == old_value


def _shape(text: str) -> Shape:
    return tuple(map(int, filter(None, text.strip("[]").split(","))))
