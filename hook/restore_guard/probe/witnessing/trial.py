"""The two halves of a witness, each a task of its own: `save` in the base's build, `restore` in the head's.

Both build eagerly, with real values. What passes from one to the other lies in a folder that the tool makes.
"""

import os
import pickle

from .. import build
from ..describers import variables
from . import behaviour, witness


def save(job):
    """Builds a model, fills it and saves it by every path.

    Args:
        job: as for `build.run`; its options are "paths", the restore paths, and "folder", an empty one.

    Returns:
        {"saved": {restore path: {"file", "error"}}}; `error` where the path cannot save the model.
    """
    paths, folder = job["options"]["paths"], job["options"]["folder"]
    build.enter(job)
    heard = behaviour.Calls()
    heard.listen()
    model = build.construct(job)
    named = variables.named_variables(model)
    filled = witness.fill(named, witness.SAVED_SEED)
    saved = {path: _save(model, named, filled, path, folder) for path in paths}
    asked = behaviour.arguments(model, job["inputs"], heard)
    outputs = behaviour.outputs(model, named, {path: path for path, _ in named}, asked)
    _write(folder, "outputs", (asked, outputs))
    return {"saved": saved}


def restore(job):
    """Restores what `save` wrote, by one path, into a fresh build.

    Args:
        job: as for `build.run`; its options are "path", the restore path, "folder" and "file" of `save`, and
            "rivals", the other assignments that might be meant.

    Returns:
        The observation of `witness.restore`, with "behaviour": {"same_output", "max_difference"}, or None where
        the outputs cannot be compared, and "roles"; see `behaviour.judge`.
    """
    path, folder = job["options"]["path"], job["options"]["folder"]
    build.enter(job)
    model = build.construct(job)
    saved, hidden = _read(folder, path)
    result = witness.restore(model, variables.named_variables, path, job["options"]["file"], saved, hidden)
    result["behaviour"], result["roles"] = None, {}
    if result["outcome"] == "restores" and path != "keras-archive":
        named = variables.named_variables(model)
        rivals, (asked, base) = job["options"]["rivals"], _read(folder, "outputs")
        found = behaviour.judge(model, named, result["assigned"], rivals, asked, base)
        result["behaviour"], result["roles"] = found
    return result


def _save(model, named, filled, path, folder):
    own = os.path.join(folder, path)
    os.mkdir(own)
    try:
        file = witness.save(model, path, own)
    except Exception as error:  # whatever it is, this path does not support this model
        return {"file": None, "error": witness.error_text(error)}
    saved = witness.saved_values(named, filled, path, file)
    counted = [name for name, _ in witness.without_seed_state(named)]
    _write(folder, path, (saved, {name: filled[name] for name in counted if name not in saved}))
    return {"file": file, "error": None}


def _write(folder, name, value):
    with open(os.path.join(folder, f"{name}.pickle"), "wb") as file:
        pickle.dump(value, file)


def _read(folder, name):
    with open(os.path.join(folder, f"{name}.pickle"), "rb") as file:
        return pickle.load(file)
