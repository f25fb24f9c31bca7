"""Carries values of old checkpoints into the model of today, saves it, and proves in another process that it restores.

`place` and `verify` are tasks for two processes. Each takes many files at once, so that one build serves them all.
"""

import contextlib
import hashlib
import tempfile

import numpy as np
import tensorflow as tf

from .. import build, strategies
from ..describers import variables
from ..failures import sentence
from ..readers import sharded, values
from ..witnessing import filling, trial
from . import lookups, saving

# Bytes that are compared at once.
_PIECE = 1 << 24


def place(job):
    """Puts the values of each file into a fresh build and saves that by the plain call of a restore path.

    Args:
        job: as for `build.run`; options["files"] lists {"file", "kind", "addresses"} as `values.Values` takes them,
            "placements": [[variable, saved or None, [[axis, fill]]]], "path": the restore path to save by, "folder":
            an empty one, "root", what is beside the model (see `saving.Root`), "tables" (see `lookups.Tables`),
            "vocabularies", the addresses of those that are the file's, and "called", the name of the result where that
            says how it is written (see `saving.Root.save_as`), or None.

    Returns:
        [{"saved", "digests": {variable of which not all is in the old file: what it holds}, "uniform": {variable that
        holds nothing but zeros or ones: which}, "error"}], one for each file.

    Raises:
        ValueError: without initial values, a variable would be left that has none.
    """
    build.enter(job)
    files = job["options"]["files"]
    model = _construct(job)
    if job["strategy"] == "weightless":
        for entry in files:
            _refuse_empty(model, entry)
    return place_into(model, files, job["load"])


def strategies_of(job):
    """The strategies for `place` and `verify`: what is overwritten whole needs no initial value."""
    files = job["options"]["files"]
    needed = job["task"] == "place" and any(_needs_initial(*item) for entry in files for item in entry["placements"])
    return ["eager"] if needed or "tf1-saver" in [entry["path"] for entry in files] else ["weightless", "eager"]


def _needs_initial(path, saved, grow):
    return saved is None or any(fill == "initial" for _, fill in grow)


def _construct(job):
    weightless = job["strategy"] == "weightless"
    with strategies.without_large_weights() if weightless else contextlib.nullcontext():
        return build.construct(job)


def _refuse_empty(model, entry):
    placed = {path for path, _, _ in entry["placements"]}
    for path, variable in variables.named_variables(model):
        if path not in placed and strategies.is_large(variable):
            raise ValueError(f"{path} needs its initial value")


def place_into(model, files, call):
    """As `place`, for a model that is built already; `call` is the team's load call."""
    initial = _initial(dict(variables.named_variables(model)), files)
    tables = _initial_tables(model, files)
    return [_attempt(_place, model, initial, tables, entry, call) for entry in files]


def verify(job):
    """Restores what `place` saved into a fresh build by the team's load call, and compares every value.

    Args:
        job: as for `place`; each of the files has its answer's "saved", "digests" and "uniform" too, and "skipped", the
            variables that are not compared. Where "truth" is a folder of `trial.save`, "sources" says which of its
            variables each one of the model is to hold.

    Returns:
        [{"compared": how many, "wrong": [variable], "error"}], one for each file: "wrong" holds another value than the
        old file and the placements say.
    """
    build.enter(job)
    model = _construct(job)
    return [_attempt(_verify, model, entry, job["load"]) for entry in job["options"]["files"]]


def _attempt(function, *arguments):
    try:
        return {"error": None, **function(*arguments)}
    except Exception as error:  # whatever it is, it is about this file
        return {"error": sentence(error)}


def _place(model, initial, tables, entry, call):
    root, digests, uniform = saving.Root(model, entry["root"]), {}, {}
    own = dict(root.variables())
    unknown = [path for path, _, _ in entry["placements"] if path not in own]
    if unknown:
        raise ValueError(f"the model that was built with its values has no {unknown[0]}")
    for table, content in tables:
        lookups.write(table, *content)
    with values.Values(entry["file"], entry["kind"], entry["addresses"]) as stored:
        lookups.Tables(root, entry["tables"], stored).fill()
        for path, saved, grow in entry["placements"]:
            old = stored.get(saved) if saved is not None else None
            number = _put(own[path], old, grow, initial.get(path))
            if number is not None:
                uniform[path] = number
            if old is None or grow:
                digests[path] = _digest(filling.read(own[path]))
            del old  # before there is the next one
        counter = stored.counter()
    if entry["called"] is None:
        saved = root.save(entry["path"], entry["folder"], call, counter)
    else:
        size = sharded.largest(entry["file"]) if entry["kind"] == "sharded-weights" else None
        saved = root.save_as(entry["called"], entry["folder"], size)
    if entry["vocabularies"]:
        lookups.put_vocabularies(saved, _vocabularies(entry, entry["file"]))
    return {"saved": saved, "digests": digests, "uniform": uniform}


def _put(variable, old, grow, initial):
    """Gives a variable its saved value, or its initial one; returns 0 or 1 where that is nothing but zeros or ones."""
    if old is not None:
        value = _placed(old, variable, grow, initial)
    else:
        value = initial if initial is not None else filling.read(variable)
    if old is not None or initial is not None:
        filling.assign(variable, value)
    flat = value.reshape(-1)
    for number in (0, 1):
        marker = _marker(variable, number)
        if np.all(flat[:1] == marker) and np.all(flat == marker):
            return number
    return None


def _vocabularies(entry, file):
    """{address: vocabulary} of those that are carried."""
    found = lookups.vocabularies(file)
    return {address: found.get(address) for address in entry["vocabularies"]}


def _initial_tables(model, files):
    """(table, its content) of those of the model that one of the files overwrites."""
    edges = {tuple(table["edges"]) for entry in files for table in entry["tables"] if not table["beside"]}
    found = [lookups.find(model, chosen) for chosen in sorted(edges)]
    return [(table, lookups.read(table)) for table in found]


def _initial(own, files):
    """{variable: its initial value} of those that one file overwrites and another one needs, or that grow."""
    overwritten, needed = set(), set()
    for entry in files:
        for path, saved, grow in entry["placements"]:
            (overwritten if saved is not None else needed).add(path)
            if any(fill == "initial" for _, fill in grow):
                needed.add(path)
    return {path: np.copy(filling.read(own[path])) for path in overwritten & needed if path in own}


def _placed(value, variable, grow, initial):
    """A saved value as a variable takes it: cast, and made longer where it grew."""
    kind = variable.dtype.base_dtype.as_numpy_dtype
    if value.dtype.kind not in "OSU":
        value = value.astype(kind, copy=False)
    shape = tuple(variable.shape)
    for axis, fill in grow:
        value = _grown(value, axis, shape, fill, initial)
    return value


def _grown(value, axis, shape, fill, initial):
    """The old rows first; then zeros, their mean, or what the variable had there when it was made."""
    more = list(value.shape)
    more[axis] = shape[axis] - value.shape[axis]
    if fill == "zeros":
        rest = np.zeros(more, value.dtype)
    elif fill == "mean":
        rest = np.broadcast_to(value.mean(axis=axis, keepdims=True), more).astype(value.dtype)
    else:
        own = [slice(0, size) for size in more]
        own[axis] = slice(value.shape[axis], shape[axis])
        rest = initial[tuple(own)]
    return np.concatenate([value, rest], axis)


def _verify(model, entry, call):
    root = saving.Root(model, entry["root"])
    compared = [placement for placement in entry["placements"] if placement[0] not in entry["skipped"]]
    with values.Values(entry["file"], entry["kind"], entry["addresses"]) as stored:
        tables = lookups.Tables(root, entry["tables"], stored)
        _overwrite(root.variables(), {path for path, _, _ in entry["placements"]}, entry["uniform"])
        tables.empty()
        loaded = root.load(entry["path"], entry["saved"], call)
        here = dict(loaded.variables())
        missing = [path for path, _, _ in compared if path not in here]
        if missing:
            raise ValueError(f"the restored model has no {missing[0]}, so that it cannot be compared")
        rightful = _rightful(entry, stored)
        digests = entry["digests"]
        wrong = [path for path, _, _ in compared if not _is_right(here[path], digests.get(path), rightful(path))]
        wrong += tables.wrong()
    if entry["vocabularies"]:
        # What the load has taken of them is what is saved again.
        again = loaded.save(entry["path"], tempfile.mkdtemp(dir=entry["folder"]), call)
        found, right = _vocabularies(entry, again), _vocabularies(entry, entry["file"])
        wrong += [address for address in right if found[address] != right[address]]
    return {"compared": len(compared) + len(tables) + len(entry["vocabularies"]), "wrong": wrong}


def _rightful(entry, stored):
    """{variable: the saved value that belongs in it, or None}: by the old file, or by what its saver knows of it."""
    names = {path: saved for path, saved, _ in entry["placements"]}
    known = trial.saved_values(entry["truth"], entry["path"]) if entry["truth"] is not None else {}

    def rightful(path):
        value = known.get(entry["sources"].get(path))
        return stored.get(names[path]) if value is None and names[path] is not None else value

    return rightful


def _overwrite(own, placed, uniform):
    """Gives each variable what it is not to hold after the load: nothing but ones, or nothing but zeros.

    A large one that has no initial value is left as it is where it is zeros: memory that nobody has written to is free.
    """
    for path, variable in own:
        if path in placed and not (uniform.get(path) != 0 and strategies.is_large(variable) and _is_zero(variable)):
            filling.flood(variable, _marker(variable, 0 if uniform.get(path) == 1 else 1))


def _is_zero(variable):
    value = filling.read(variable)
    return value.dtype.kind not in "OSU" and not np.any(_bytes(value))


def _marker(variable, number):
    kind = variable.dtype.base_dtype
    return str(number).encode() if kind == tf.string else kind.as_numpy_dtype(number)


def _is_right(variable, digest, value):
    """Whether a variable holds what belongs there.

    Args:
        digest: of all that `place` put there, where that is more than a saved value.
        value: the saved one, if any.
    """
    found = filling.read(variable)
    if digest is not None and _digest(found) != digest:
        return False
    if value is None:
        return digest is not None
    if value.dtype.kind not in "OSU":
        value = value.astype(found.dtype, copy=False)
    if digest is not None:
        found = found[tuple(slice(0, size) for size in value.shape)]
    return _is_same(found, value)


def _is_same(one, other):
    """Whether two arrays are alike to the last bit: no number is equal to another one here, not even to itself."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if one.dtype.kind in "OSU":
        return repr(one.tolist()) == repr(other.tolist())
    one, other = _bytes(one), _bytes(other)
    return all(
        np.array_equal(one[start : start + _PIECE], other[start : start + _PIECE])
        for start in range(0, one.size, _PIECE)
    )


def _bytes(value):
    return np.ascontiguousarray(value).reshape(-1).view(np.uint8)


def _digest(value):
    """Equal for equal arrays."""
    content = repr(value.tolist()).encode() if value.dtype.kind in "OSU" else _bytes(value).data
    return f"{value.shape} {value.dtype.name} {hashlib.sha256(content).hexdigest()}"
