"""Carries values of old checkpoints into the model of today, saves it, and proves in another process that it restores.

`place` and `verify` are tasks for two processes. Each takes many files at once, so that one build serves them all.
"""

import hashlib
import tempfile

import numpy as np
import tensorflow as tf

from .. import build
from ..describers import variables
from ..failures import sentence
from ..readers import sharded, values
from ..witnessing import filling, trial
from . import lookups, saving


def place(job):
    """Puts the values of each file into a fresh build and saves that by the plain call of a restore path.

    Args:
        job: as for `build.run`; options["files"] lists {"file", "kind", "addresses"} as `values.Values` takes them,
            "placements": [[variable, saved or None, [[axis, fill]]]], "path": the restore path to save by, "folder":
            an empty one, "root", what is beside the model (see `saving.Root`), "tables" (see `lookups.Tables`),
            "vocabularies", the addresses of those that are the file's, and "called", the name of the result where that
            says how it is written (see `saving.Root.save_as`), or None.

    Returns:
        [{"saved", "digests": {variable: what it holds}, "error"}], one for each file.
    """
    build.enter(job)
    return place_into(build.construct(job), job["options"]["files"])


def place_into(model, files):
    """As `place`, for a model that is built already."""
    initial = _initial(dict(variables.named_variables(model)), files)
    tables = _initial_tables(model, files)
    return [_attempt(_place, model, initial, tables, entry) for entry in files]


def verify(job):
    """Restores what `place` saved into a fresh build by the team's load call, and compares every value.

    Args:
        job: as for `place`; each of the files has its answer's "saved" and "digests" too, and "skipped", the
            variables that are not compared. Where "truth" is a folder of `trial.save`, "sources" says which of its
            variables each one of the model is to hold.

    Returns:
        [{"compared": how many, "wrong": [variable], "error"}], one for each file: "wrong" holds another value than the
        old file and the placements say.
    """
    build.enter(job)
    model = build.construct(job)
    return [_attempt(_verify, model, entry, job["load"]) for entry in job["options"]["files"]]


def _attempt(function, *arguments):
    try:
        return {"error": None, **function(*arguments)}
    except Exception as error:  # whatever it is, it is about this file
        return {"error": sentence(error)}


def _place(model, initial, tables, entry):
    root, digests = saving.Root(model, entry["root"]), {}
    own = dict(root.variables())
    unknown = [path for path, _, _ in entry["placements"] if path not in own]
    if unknown:
        raise ValueError(f"the model that was built with its values has no {unknown[0]}")
    for table, content in tables:
        lookups.write(table, *content)
    with values.Values(entry["file"], entry["kind"], entry["addresses"]) as stored:
        lookups.Tables(root, entry["tables"], stored).fill()
        for path, saved, grow in entry["placements"]:
            if saved is not None:
                filling.assign(own[path], _placed(stored.get(saved), own[path], grow, initial.get(path)))
            elif path in initial:
                filling.assign(own[path], initial[path])
            digests[path] = _digest(filling.read(own[path]))
        counter = stored.counter()
    if entry["called"] is None:
        saved = root.save(entry["path"], entry["folder"], counter)
    else:
        size = sharded.largest(entry["file"]) if entry["kind"] == "sharded-weights" else None
        saved = root.save_as(entry["called"], entry["folder"], size)
    if entry["vocabularies"]:
        lookups.put_vocabularies(saved, _vocabularies(entry, entry["file"]))
    return {"saved": saved, "digests": digests}


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
        value = value.astype(kind)
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
        _overwrite(root.variables(), entry["digests"])
        tables.empty()
        loaded = root.load(entry["path"], entry["saved"], call)
        here = dict(loaded.variables())
        missing = [path for path, _, _ in compared if path not in here]
        if missing:
            raise ValueError(f"the restored model has no {missing[0]}, so that it cannot be compared")
        rightful = _rightful(entry, stored)
        wrong = [path for path, _, _ in compared if not _is_right(here[path], entry["digests"][path], rightful(path))]
        wrong += tables.wrong()
    if entry["vocabularies"]:
        # What the load has taken of them is what is saved again.
        again = loaded.save(entry["path"], tempfile.mkdtemp(dir=entry["folder"]))
        found, right = _vocabularies(entry, again), _vocabularies(entry, entry["file"])
        wrong += [address for address in right if found[address] != right[address]]
    return {"compared": len(compared) + len(tables) + len(entry["vocabularies"]), "wrong": wrong}


def _rightful(entry, stored):
    """{variable: the saved value that belongs in it, or None}: by the old file, or by what its saver knows of it."""
    if entry["truth"] is None:
        names = {path: saved for path, saved, _ in entry["placements"]}
        return lambda path: stored.get(names[path]) if names[path] is not None else None
    saved = trial.saved_values(entry["truth"], entry["path"])
    return lambda path: saved.get(entry["sources"].get(path))


def _overwrite(own, digests):
    """Gives each variable what it is not to hold after the load."""
    for path, variable in own:
        if path in digests:
            for marker in (1, 0):
                value = np.full(tuple(variable.shape), _marker(variable, marker))
                if _digest(value) != digests[path]:
                    break
            filling.assign(variable, value)


def _marker(variable, number):
    kind = variable.dtype.base_dtype
    return str(number).encode() if kind == tf.string else kind.as_numpy_dtype(number)


def _is_right(variable, digest, value):
    """Whether a variable holds what `place` put there, and where it has a saved value all of that value."""
    found = filling.read(variable)
    if _digest(found) != digest:
        return False
    if value is None:
        return True
    if value.dtype.kind not in "OSU":
        value = value.astype(found.dtype)
    return _digest(found[tuple(slice(0, size) for size in value.shape)]) == _digest(value)


def _digest(value):
    """Equal for equal arrays."""
    if value.dtype.kind in "OSU":
        content = repr(value.tolist()).encode()
    else:
        content = np.ascontiguousarray(value).view(np.uint8).data if value.size and value.ndim else value.tobytes()
    return f"{value.shape} {value.dtype.name} {hashlib.sha256(content).hexdigest()}"
