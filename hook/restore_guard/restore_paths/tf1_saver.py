"""tf.compat.v1.train.Saver: by the name of each variable's operation, all of the graph's variables or none.

A resource variable takes a value of any shape: the graph fails where it is used, or computes something else. Hash
tables, and whatever else is in the graph's collection of saveables, go by their names too. A checkpoint of
`tf.train.Checkpoint` is read by the names that its variables had when it was saved.

Source: tensorflow/python/training/saver.py `Saver.restore`, `saver_from_object_based_checkpoint`,
saveable_object_util.py `op_list_to_dict`, resource_variable_ops.py `shape_safe_assign_variable_op` (it knows no shape
before the file is read); core/kernels/restore_v2_op, core/util/tensor_bundle/tensor_bundle.cc (`BundleReader::Lookup`,
`LookupSlice`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec

from restore_guard.restore_paths import stored_state
from restore_guard.restore_paths.outcome import Failure, Outcome, Refusal, settle
from restore_guard.saver_file import SaverEntry
from restore_guard.signature import Signature, Variable


def restore(saved: Signature, model: Signature) -> Outcome:
    """What `tf.compat.v1.train.Saver().restore(session, path)` does with a file that `saved` wrote."""
    for signature in (saved, model):
        file = signature.saver_file
        if file is None or file.error:
            reason = file.error if file is not None else "only a tf.Graph is saved by tf.compat.v1.train.Saver"
            return Outcome("unsupported", failures=(Failure(reason or ""),))
    stored = {entry.name: entry for entry in saved.saver_entries}
    cut = _cut(saved.saver_entries) if len(stored) < len(saved.saver_entries) else {}
    olds, news = saved.variables, model.variables
    assigned: dict[int, int] = {}
    used: set[int] = set()
    failures = []
    for entry in _restored(saved, model):
        part = stored.get(entry.name)
        parts: Sequence[SaverEntry] = cut.get(entry.name) or (() if part is None else (part,))
        message = _mismatch(olds, parts, news, entry) if parts else _missing(saved, entry.name)
        if message:
            paths = tuple(olds[part.variable].path for part in parts)
            failures.append(Failure(message, paths, (news[entry.variable].path,)))
            continue
        # A variable that is cut otherwise than the saved one takes its values from several.
        covering = [part for part in parts if _overlap(olds, part, news, entry)] if entry.offset else parts
        assigned[entry.variable] = (covering or parts)[0].variable
        for part in covering:
            used.add(part.variable)
    failures += _refused(saved, model)
    outcome = settle(
        saved,
        model,
        # The operations that assign run after all that read: one that cannot read leaves every variable alone.
        assigned={} if failures else assigned,
        used=set() if failures else used,
        written=[entry.variable for entry in saved.saver_entries],
        written_at=lambda: _addresses(saved),
        read_at=lambda: _addresses(model),
        failures=tuple(failures),
    )
    lost = {state.name for state in saved.saver_states} - {state.name for state in model.saver_states}
    outcome = msgspec.structs.replace(outcome, lost=tuple(sorted(lost)))
    if failures:
        return outcome
    taken = ((stored[entry.name], entry) for entry in _restored(saved, model))
    reshaped = [news[entry.variable].path for part, entry in taken if part.shape != entry.shape]
    return msgspec.structs.replace(outcome, reshaped=tuple(reshaped))


def contents(signature: Signature) -> object:
    """Every name with its shape, dtype and cut."""
    file = signature.saver_file
    if file is None or file.error:
        return file and file.error
    return sorted(
        (entry.name, entry.offset, entry.shape, signature.variables[entry.variable].dtype) for entry in file.entries
    )


def states(signature: Signature) -> dict[str, str]:
    """{name: state} of what a Saver keeps and is no variable."""
    return {state.name: state.state for state in signature.saver_states}


def _refused(saved: Signature, model: Signature) -> Iterator[Failure]:
    """The objects that find nothing of their name, or what another kind of object has saved."""
    held = states(saved)
    for name, now in states(model).items():
        key = f"{name}-keys" if " " in now else name
        if (was := held.get(name)) is None:
            message, now = _missing(saved, key), stored_state.described(now)
            yield Failure(message, (), (name,), refusal=Refusal(message, "added", "nothing", now))
        elif (refusal := stored_state.mismatch(was, now, key)) is not None:
            yield Failure(refusal.message, (name,), (name,), refusal=refusal)


def _restored(saved: Signature, model: Signature) -> Collection[SaverEntry]:
    """What of a graph is restored: of the parts of a tensor the last one alone where full names decide."""
    if saved.saver_file is None or not saved.saver_file.by_full_name:
        return model.saver_entries
    return {entry.name: entry for entry in model.saver_entries}.values()


def _missing(saved: Signature, name: str) -> str:
    if saved.saver_file is not None and saved.saver_file.by_full_name:
        return f"Existing variables not in the checkpoint: {name}"
    return f"Key {name} not found in checkpoint"


def _cut(entries: Sequence[SaverEntry]) -> dict[str, list[SaverEntry]]:
    """{name: the parts of its tensor}."""
    parts: dict[str, list[SaverEntry]] = {}
    for entry in entries:
        parts.setdefault(entry.name, []).append(entry)
    return parts


def _mismatch(
    olds: Sequence[Variable], parts: Sequence[SaverEntry], news: Sequence[Variable], entry: SaverEntry
) -> str | None:
    part, dtype = parts[0], news[entry.variable].dtype
    stored = olds[part.variable].dtype
    if stored != dtype:
        return f"tensor_name = {entry.name}; expected dtype {dtype} does not equal original dtype {stored}"
    if part.shape != entry.shape and (entry.strict or entry.offset or part.offset):
        return (
            f"Assign requires shapes of both tensors to match. {entry.name} has shape {list(entry.shape or ())} in the "
            f"graph and {list(part.shape or ())} in the checkpoint"
        )
    if dtype in _NEVER_CUT_OTHERWISE and _place(news, entry) not in [_place(olds, part) for part in parts]:
        return f"Dtype {_NEVER_CUT_OTHERWISE[dtype]} not supported."
    return None


# The types that no slice is copied of, by TensorFlow's names (`BundleReader::GetSliceValue`).
_NEVER_CUT_OTHERWISE = {"float16": "half", **{name: name for name in ("uint16", "uint32", "uint64", "string")}}


def _place(variables: Sequence[Variable], entry: SaverEntry) -> tuple[object, object]:
    """Where a part lies in its tensor."""
    size = variables[entry.variable].shape
    return (entry.offset or (0,) * len(size or ()), size) if entry.offset or entry.shape == size else ((), None)


def _overlap(olds: Sequence[Variable], part: SaverEntry, news: Sequence[Variable], entry: SaverEntry) -> bool:
    """Whether a saved part of a tensor holds something of a variable that is a part of it too."""
    if not part.offset:
        return True
    sizes = _size(olds[part.variable]), _size(news[entry.variable])
    return all(
        a < b + size_b and b < a + size_a
        for a, b, size_a, size_b in zip(part.offset, entry.offset, *sizes, strict=True)
    )


def _size(part: Variable) -> tuple[int, ...]:
    """The size of a part of a tensor: `SaverEntry.check_part` has made sure that it is known."""
    return tuple(size for size in part.shape or () if size is not None)


def _addresses(signature: Signature) -> dict[int, str]:
    return {entry.variable: entry.name for entry in signature.saver_entries}
