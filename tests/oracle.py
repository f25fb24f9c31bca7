"""The truth about the pairs: what TensorFlow itself saves and restores.

    python tests/oracle.py tests/pairs OUT.json [--paths tf-checkpoint,keras-weights] [--only GLOB] [--self]

Runs with the Python of a TensorFlow user. TensorFlow is imported once; every build is a forked child, so that
automatic names start afresh. OUT.json: {pair: {restore path: {"outcome", "assigned", "initial", "unused",
"changed_otherwise", "not_saved", "error"}}}; `not_saved` lists the base's variables not in the file.
An outcome `failed` means that a pair could not be built or took too long: a fault of the pair, not a result.
"""

import argparse
import concurrent.futures
import fnmatch
import importlib.util
import json
import multiprocessing
import os
import sys
import tempfile
import traceback
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "hook"))

from restore_guard.probe import witness
from restore_guard.probe.variables import named_variables

RESTORE_PATHS = ["tf-checkpoint", "keras-weights"]
CHILDREN = 2
TIMEOUT = 120
FORK = multiprocessing.get_context("fork")


class ChildFailed(Exception):
    """A child raised or took too long; the text says how."""


def main(argv=None):
    """Judge every pair and write OUT.json; the exit code is 1 if a pair failed."""
    options = _parse(argv)
    names = _pair_names(options.pairs, options.only)
    judge = _Judge(options.pairs, options.paths, options.self)
    with concurrent.futures.ProcessPoolExecutor(CHILDREN, mp_context=FORK) as pool:
        results = dict(zip(names, pool.map(judge, names), strict=True))
    options.output.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    failed = [name for name in names if any(path["outcome"] == "failed" for path in results[name].values())]
    print(f"{len(names)} pairs, {len(failed)} failed", *failed, sep="\n  ", file=sys.stderr)
    return 1 if failed or not names else 0


def _parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pairs", type=Path, metavar="PAIRS_DIR")
    parser.add_argument("output", type=Path, metavar="OUT.json")
    parser.add_argument("--paths", type=lambda text: text.split(","), default=RESTORE_PATHS)
    parser.add_argument("--only", default="*", metavar="GLOB", help="of <rule>/<case>")
    parser.add_argument("--self", action="store_true", help="restore base into base")
    return parser.parse_args(argv)


def _pair_names(folder, pattern):
    names = sorted(str(base.parent.relative_to(folder)) for base in folder.glob("*/*/base.py"))
    return [name for name in names if fnmatch.fnmatch(name, pattern)]


class _Judge:
    """Judges one pair; a class, so that the pool can send it to a worker."""

    def __init__(self, folder, restore_paths, itself):
        self._folder, self._restore_paths, self._itself = folder, restore_paths, itself

    def __call__(self, name):
        pair = self._folder / name
        head = pair / ("base.py" if self._itself else "head.py")
        with tempfile.TemporaryDirectory() as folder:
            try:
                saved = _in_child(_save_all, pair / "base.py", self._restore_paths, folder)
                return {path: _restore(pair / "base.py", head, path, saved[path]) for path in saved}
            except ChildFailed as failure:
                return {path: _without_observation("failed", str(failure)) for path in self._restore_paths}


def _save_all(source, restore_paths, folder):
    """In a child: build, fill and save by every path. Out: {restore path: what `_save` tells}."""
    root = _build(source)
    variables = named_variables(root)
    filled = witness.fill(variables, witness.SAVED_SEED)
    return {path: _save(root, variables, filled, path, folder) for path in restore_paths}


def _save(root, variables, filled, restore_path, folder):
    own_folder = os.path.join(folder, restore_path)
    os.mkdir(own_folder)
    try:
        file = witness.save(root, restore_path, own_folder)
    except Exception as error:  # whatever it is, this path does not support this model
        return {"error": witness.error_text(error)}
    values = witness.saved_values(variables, filled, restore_path, file)
    paths = [path for path, _ in witness.without_seed_state(variables)]
    return {"file": file, "values": values, "not_saved": sorted(set(paths) - set(values))}


def _restore(base, head, restore_path, saved):
    if "error" in saved:
        return _without_observation("unsupported", saved["error"])
    result = _in_child(_restore_into, head, restore_path, saved)
    if result["outcome"] == "raises":
        unchanged = result if head == base else _in_child(_restore_into, base, restore_path, saved)
        if unchanged["outcome"] == "raises":
            return _without_observation("unsupported", unchanged["error"])
    return {**result, "not_saved": saved["not_saved"]}


def _restore_into(source, restore_path, saved):
    """In a child: build, and restore what another build saved."""
    return witness.restore(_build(source), named_variables, restore_path, saved["file"], saved["values"])


def _without_observation(outcome, error):
    lists = {name: [] for name in ("initial", "unused", "changed_otherwise", "not_saved")}
    return {"outcome": outcome, "error": error, "assigned": {}, **lists}


def _build(source):
    """Import a file of a pair, by a name that is the same for base and head, and call its builder."""
    spec = importlib.util.spec_from_file_location("pair_model", source)
    module = importlib.util.module_from_spec(spec)
    sys.modules["pair_model"] = module
    spec.loader.exec_module(module)
    return module.build()


def _in_child(function, *arguments):
    """Call a function in a forked child. Out: what it returns. Errors: ChildFailed."""
    receiver, sender = FORK.Pipe(duplex=False)
    child = FORK.Process(target=_send_result, args=(sender, function, arguments))
    child.start()
    sender.close()
    try:
        if not receiver.poll(TIMEOUT):
            raise ChildFailed(f"{function.__name__} took more than {TIMEOUT} s")
        succeeded, result = receiver.recv()
    except EOFError:
        raise ChildFailed(f"{function.__name__} died") from None
    finally:
        child.kill()
        child.join()
    if not succeeded:
        raise ChildFailed(result)
    return result


def _send_result(sender, function, arguments):
    try:
        result = True, function(*arguments)
    except BaseException:
        result = False, traceback.format_exc()
    sender.send(result)
    sender.close()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
