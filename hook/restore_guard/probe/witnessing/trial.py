"""The two halves of a witness, each a task of its own: `save` in the base's build, `restore` in the head's.

What passes from one to the other lies in a folder that the tool makes. A process does all restore paths, each of
them into a fresh build, as loading leaves more behind than the values of variables.
"""

import os
import pickle

import tensorflow as tf

from .. import build, failures, load_call, names
from ..describers import variables
from . import calls, cuts, files, filling, inputs, observing, outputs, roles, tables

# Whose files keep what hash tables hold.
_WITH_TABLES = ("tf-checkpoint",)
_GRAVITY = {"restores": 0, "partial": 1, "raises": 2, None: -1}


def save(job):
    """Builds a model with values as training leaves them, saves it by every path and records what it computes.

    Args:
        job: as for `build.run`; its options are "paths", the restore paths, and "folder", an empty one.

    Returns:
        {"saved": {restore path: {"file", "error"}}}; `error` where the path cannot save the model.
    """
    build.enter(job)
    tempering = filling.Tempering()
    with inputs.Calls(job["inputs"]) as heard:
        with tempering.at_creation():
            model = build.construct(job)
        options = job["options"]
        return {"saved": keep(model, tempering, options["paths"], options["folder"], heard, job["load"])}


def keep(model, tempering, paths, folder, heard, call):
    """Saves a model by every path into a folder, with what it holds and computes.

    Args:
        tempering: the `filling.Tempering` under which it was built.
        heard: the `inputs.Calls` of its builder; None where what it computes is of no interest.
        call: the team's load call.

    Returns:
        {restore path: {"file", "error"}}.
    """
    named = variables.named_variables(model)
    filled, natural = tempering.complete(named)
    # To write an .h5 of the whole model, Keras 2 builds metrics, which a later file would hold.
    last = sorted(paths, key=lambda path: path == "h5" and path in load_call.revives(call))
    saved = {path: _save(model, named, filled, path, folder, call) for path in last}
    _write(folder, "natural", natural)
    _write(folder, "cuts", cuts.of(named) if isinstance(model, tf.Graph) else {})
    _write(folder, "outputs", _recorded(model, named, natural, heard) if heard else "they were not recorded")
    return saved


def lost_tables(folder, path, root):
    """Which hash tables of what was saved reach none of a root into which it was restored just now.

    Returns:
        {"tables": the addresses of all that are known, "lost": of those that are lost}.
    """
    marks = _read(folder, f"{path} tables")
    found = {"tables": sorted(marks), "lost": tables.lost(root, marks)}
    tables.unmarked(root, marks)
    return found


def saved_values(folder, path):
    """{variable: its value} of what `save` saved by one path, also of what the file keeps in a form of its own."""
    saved, hidden = _read(folder, path)
    return {**hidden, **saved}


def _save(model, named, filled, path, folder, call):
    own = os.path.join(folder, path)
    os.mkdir(own)
    marks = tables.marked(model) if path in _WITH_TABLES else {}
    try:
        file = calls.save(model, path, own, call)
    except Exception as error:  # whatever it is, this path does not support this model
        return {"file": None, "error": observing.error_text(error)}
    finally:
        tables.unmarked(model, marks)
    _write(folder, f"{path} tables", marks)
    saved = files.saved_values(named, filled, path, file)
    counted = [name for name, _ in filling.without_seed_state(named)]
    _write(folder, path, (saved, {name: filled[name] for name in counted if name not in saved}))
    return {"file": file, "error": None}


def _recorded(model, named, natural, heard):
    """The `outputs.Record` of a model, or why there is none."""
    for path, variable in named:
        if path in natural:
            filling.assign(variable, natural[path])
    try:
        return outputs.record(model, named, heard.of(model))
    except inputs.Unknown as unknown:
        return str(unknown)


def restore(job):
    """Restores what `save` wrote, by each path into a fresh build.

    Args:
        job: as for `build.run`; its options are "files", {restore path: what `save` returned}, "folder" of `save`,
            "package", the Keras that loads files of whole models, and "rivals", see `roles.find`.

    Returns:
        {"restored": {restore path: what `bring_back` returns, or {"failure"}}}.
    """
    build.enter(job)
    build.import_builder(job)
    options, counted, restored = job["options"], names.Names(), {}
    with inputs.Calls(job["inputs"]) as heard:

        def tried(path, construct):
            try:
                model = construct()
                load = loading(model, path, options["files"][path], options["package"], job["load"])
                return bring_back(model, load, path, options["folder"], heard, options["rivals"], job["load"])
            except failures.FlagsSetError:  # a process that begins with the flags is to do it all
                raise
            except Exception as error:  # the builder's, or that a path is not for such a root
                return {"failure": observing.error_text(error)}

        for path in load_call.revives(job["load"]):
            if path in options["files"]:
                # A program that loads such a file may have called no builder, which can set what holds for all layers.
                restored[path] = tried(path, lambda: None)
        for path in options["files"]:
            counted.reset()
            made = tried(path, lambda: build.construct(job))
            if path not in restored or _GRAVITY[made.get("outcome")] > _GRAVITY[restored[path].get("outcome")]:
                restored[path] = made
    return {"restored": restored}


def loading(model, path, file, package, call):
    """A function that loads a file by the team's load call and returns the root that has its values."""
    if path in load_call.revives(call):
        return lambda: calls.load_whole(file, package, call)
    return lambda: calls.load(model, path, file, call)


def bring_back(model, load, path, folder, heard, rivals, call):
    """Restores what `keep` has saved by a path and holds what comes of it against what was saved.

    Args:
        model: a fresh build; what of it loading a whole model does not touch is of no interest.
        load: see `loading`.
        heard: the `inputs.Calls` of its builder; None where what it computes is of no interest.
        call: the team's load call.

    Returns:
        The observation of `observing.restore`, with "behaviour", {"same_output", "max_difference"}, or None for the
        reason in "uncompared", "refusal", the error of a model that raises where the saving one computed something,
        "roles", see `roles.find`, and "exchanged", see `outputs.Held.exchanged`.
    """
    saved, hidden = _read(folder, path)
    made = None if path in load_call.revives(call) else model
    parts = _read(folder, "cuts")
    loaded, result = observing.restore(made, variables.named_variables, load, saved, hidden, parts)
    result.update(lost_tables(folder, path, loaded))
    result.update(behaviour=None, uncompared=None, refusal=None, roles={}, exchanged={})
    if heard is None or result["outcome"] == "raises":
        result["uncompared"] = "not everything restores"
        return result
    # The state of an optimizer that the file never holds decides nothing.
    unheld = variables.of_optimizers(loaded) - saved.keys() if result["initial"] else ()
    missed = [name for name in result["initial"] if name not in unheld]
    # What loading has made new had no value that it could keep.
    changed = result["changed_otherwise"] + (missed if loaded is not model else [])
    if set(missed) - set(changed):
        result["uncompared"] = "not everything restores"
        return result
    try:
        held, recorded = _held(loaded, folder, heard, result)
        if changed:
            _convert(held, recorded, changed, result)
        if result["outcome"] == "restores" or not (missed or result["unused"] or result["changed_otherwise"]):
            result["behaviour"] = held.difference()
            result["roles"] = roles.find(held, result["assigned"], rivals, {**hidden, **saved})
            if not result["roles"] and not result["behaviour"]["same_output"]:
                result["exchanged"] = held.exchanged()
        else:
            result["uncompared"] = "not everything restores"
    except inputs.Unknown as unknown:
        result["uncompared"] = str(unknown)
        if isinstance(unknown, outputs.RefusedError):
            result["refusal"] = unknown.said
    return result


def _held(loaded, folder, heard, result):
    """The restored model, held against what was recorded of the saving one."""
    recorded = _read(folder, "outputs")
    if isinstance(recorded, str):
        raise inputs.Unknown(recorded)
    named, natural = variables.named_variables(loaded), _read(folder, "natural")
    for path, variable in named:
        source = result["assigned"].get(path)
        if source in natural:
            filling.assign(variable, natural[source].astype(variable.dtype.as_numpy_dtype))
    try:
        call = heard.of(loaded)
    except inputs.Unknown:
        call = recorded.call
    return outputs.Held(loaded, named, call, recorded), recorded


def _convert(held, recorded, changed, result):
    """Takes for converted what loading gave values that are in no file, where the model computes what was saved.

    All that is taken for it must be felt: the variables of each layer in the restored model, the saved values that
    no variable got in the saving one.
    """
    owners = {}
    for path in changed:
        owners.setdefault(path.rpartition("/")[0], []).append(path)
    # A model that cannot be called says why.
    if not held.difference()["same_output"] or not set(result["unused"]) <= set(recorded.felt):
        return
    if all(held.feels(paths) for paths in owners.values()):
        result["converted"].update(dict.fromkeys(changed, result["unused"]))
        result.update(outcome="restores", changed_otherwise=[], unused=[], initial=[])


def _write(folder, name, value):
    with open(os.path.join(folder, f"{name}.pickle"), "wb") as file:
        pickle.dump(value, file)


def _read(folder, name):
    with open(os.path.join(folder, f"{name}.pickle"), "rb") as file:
        return pickle.load(file)
