"""What restoring sharded weights really does, held against what restoring a `.weights.h5` of the same model does.

    python tests/differential/sharded.py FOLDER PAIR...

Runs with the Python of a TensorFlow user. Prints {pair: {form: what restoring did, or why it is not saved}} as JSON,
without the pairs of which no `.weights.h5` can be saved, with the forms "keras-weights", "sharded" (a shard for a few
variables) and "apart" (a shard for each variable, where their sizes allow it).
"""

import json
import multiprocessing
import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from differential import oracle
from restore_guard.probe import stages
from restore_guard.probe.describers import variables
from restore_guard.probe.witnessing import calls, filling, observing

PAIRS = Path(__file__).parents[1] / "pairs"
FORMS = {"keras-weights": None, "sharded": 4, "apart": 1}


def main(folder, *pairs):
    # What one pair leaves in the framework is no matter of the next.
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=20) as pool:
        found = pool.starmap(_compare, [(name, os.path.join(folder, name)) for name in pairs], chunksize=1)
    saved = {name: forms for name, forms in found if "unsaved" not in forms["keras-weights"]}
    print(json.dumps(saved))


def _compare(name, folder):
    return name, _Compared().compare(name, folder)


class _Compared(oracle._Session):
    def compare(self, name, folder):
        """Saves by every form; returns {form: what restoring it into the head does}."""
        os.makedirs(folder)
        root, inputs = self._build(PAIRS / name / "base.py")
        stages.finish(root, inputs)
        named = variables.named_variables(root)
        filled = filling.fill(named, filling.MODEL_SEED + 1)
        saved = {path: filled[path] for path, _ in filling.without_seed_state(named)}
        return {form: self._restored(name, root, folder, form, saved) for form in FORMS}

    def _restored(self, name, root, folder, form, saved):
        try:
            file = _save(root, folder, form)
        except Exception as error:
            return {"unsaved": type(error).__name__}
        head, inputs = self._build(PAIRS / name / "head.py")
        stages.finish(head, inputs)
        _, done = observing.restore(
            head, variables.named_variables, lambda: calls.load(head, "keras-weights", file, {}), saved, {}
        )
        # The text names the file; what has raised, and where, is the same sentence else.
        done["error"] = re.sub(r"\S*model\.weights\.\w+", "FILE", done["error"] or "")
        return done


def _save(root, folder, form):
    if FORMS[form] is None:
        return calls.save(root, "keras-weights", folder, {})
    file = os.path.join(folder, form, "model.weights.json")
    os.makedirs(os.path.dirname(file), exist_ok=True)
    sizes = [len(variable.numpy().tobytes()) for variable in root.variables + _slots(root)]
    root.save_weights(file, max_shard_size=max(sizes, default=1) * FORMS[form] / 2**30)
    return file


def _slots(root):
    optimizer = getattr(root, "optimizer", None)
    return list(optimizer.variables) if optimizer is not None else []


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main(*sys.argv[1:])
