"""Values of a checkpoint that are no variable's, as hash tables have: which object refuses what another one has saved.

Source: tensorflow/python/ops/lookup_ops.py `MutableHashTable._restore_from_tensors`, `DenseHashTable`;
tensorflow/core/kernels/lookup_table_op.h `CheckKeyAndValueTensorsForImport`, lookup_table_op.cc `MutableDenseHashTable`
(a scalar is written as a row of one); data/ops/iterator_ops.py `OwnedIterator`; training/tracking/python_state.py;
tensorflow/python/checkpoint/restore.py: a key that is not there raises, and Python state is given whatever its object
has saved under a single key.
"""

from __future__ import annotations

from collections.abc import Mapping

from restore_guard.restore_paths.outcome import Refusal
from restore_guard.signature import GraphNode

State = bool | str

_KEYS = {"variable": "VARIABLE_VALUE", "table": "table-keys", "iterator": "ITERATOR_STATE", "python": "py_state"}
_NAMES = {"variable": "a variable", "iterator": "an iterator", "python": "Python state", "other": "another object"}


def refused(old: GraphNode, new: GraphNode, name: str) -> Refusal | None:
    """Why an object raises that is bound to what another one has saved under a name; None where it does not."""
    was, now = (_VARIABLE if node.variable is not None else node.state for node in (old, new))
    if (_kind(was), _kind(now)) == ("variable", "python"):
        return None
    return mismatch(was, now, f"{name}/.ATTRIBUTES/{_KEYS.get(_kind(now), '')}")


def mismatch(was: State, now: State, key: str) -> Refusal | None:
    """Why one state cannot be restored from another one.

    Args:
        key: what is looked for in the checkpoint.
    """
    kinds = _kind(was), _kind(now)
    if "nothing" in kinds or not _tells(was, now):
        return None
    if kinds[0] != kinds[1]:
        return Refusal(f"Key {key} not found in checkpoint", "kind", described(was), described(now))
    if kinds == ("table", "table"):
        return _of_tables(str(was), str(now), key)
    return None


def described(state: State) -> str:
    """A state in words, with `a` or `an`."""
    if _kind(state) != "table":
        return _NAMES.get(_kind(state), "an object of its own")
    key, value, *rows = str(state).split()
    if rows and rows[1] not in ("[]", "[1]"):
        value = f"{value} rows of {rows[1]}"
    return f"a hash table from {key}{f' rows of {rows[0]}' if rows and rows[0] not in ('[]', '[1]') else ''} to {value}"


def alike(one: Mapping[str, State], other: Mapping[str, State]) -> bool:
    """Whether two models save the same states under the same names, as far as both tell."""
    return one.keys() == other.keys() and all(_alike(state, other[name]) for name, state in one.items())


_VARIABLE = "variable"


def _kind(state: State) -> str:
    """What holds a state: `unknown` where an older manifest does not tell."""
    if not isinstance(state, str):
        return "unknown" if state else "nothing"
    return "table" if " " in state else state


def _tells(was: State, now: State) -> bool:
    """Whether both are known; what is unknown surely is no variable."""
    kinds = {_kind(was), _kind(now)}
    return "unknown" not in kinds or "variable" in kinds


def _alike(one: State, other: State) -> bool:
    if "unknown" in (_kind(one), _kind(other)):
        return True
    words, others = str(one).split(), str(other).split()
    # Older manifests have no rows.
    return words[:2] == others[:2] and (len(words) != len(others) or words == others)


def _of_tables(was: str, now: str, key: str) -> Refusal | None:
    """Args: the types of keys and values and, but in older manifests, the shapes of their rows."""
    old, new = was.split(), now.split()
    for before, after, name in zip(old[:2], new[:2], (key, key.replace("-keys", "-values")), strict=True):
        if before != after:
            message = f"tensor_name = {name}; expected dtype {after} does not equal original dtype {before}"
            return Refusal(message, "dtype", described(was), described(now))
    if len(old) == len(new) == 4 and not _fits(*map(_shape, (*old[2:], *new[2:]))):
        message = f"{key}: Expected rows of {' and '.join(new[2:])} for keys and values, got {' and '.join(old[2:])}"
        return Refusal(message, "shape", described(was), described(now))
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
