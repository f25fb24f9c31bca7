"""The truth: what TensorFlow itself saves and restores, and the signature that the probe reads of the same models.

Runs with the Python of a TensorFlow user: `python oracle.py`, requests as JSON lines on standard input, answers on
standard output, in order. A source is a file with a `build()`, `INPUTS` where a first call has to build the model, and
`LOAD` where it is not loaded by the plain call.

    {"op": "save", "source", "folder", "paths", "outputs"}
        -> {"signature", "unsupported": {path: error}, "untrained": [path]}
    {"op": "restore", "source", "folder", "paths", "untrained"}
        -> {"truth": {name: {"outcome", ...}}}
    {"op": "compare", "source", "folder", "paths", "rivals"}
        -> {"truth": {path: {"outcome", "behaviour", "roles", ...}}}
    {"op": "read", "folder", "paths"}
        -> {path: what a checkpoint file holds}
    {"op": "carry", "source", "folder", "entries"}
        -> {path: {"error", "outcome", ...}}, of files that are placed, saved anew and restored; see `carry.place`
    {"op": "describe", "source", "folder", "archived"}
        -> {"signature", "revivals": {configuration in a saved file of a whole model: what it makes of it}}

A model is saved before (`untrained`) and after the first training step, and restored at each stage that it has: before
its first call too. A name is a restore path alone for what was saved and is restored after training; see
`truth.name`. What `save` heard of how the model is called (`outputs`), `compare` repeats with the restored one.

`folder` passes the checkpoints and their values from a save to a restore, which may run in another version.
An answer {"failed": text} means that a model could not be built or took too long: a fault of the model, not a result.
TensorFlow is imported once; a forked child answers many requests, with the framework's global state reset before each
build, which `test_pairs.py` proves to be as good as a new process.
"""

import ast
import contextlib
import functools
import gc
import importlib.util
import json
import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "hook"))
sys.path.append(str(Path(__file__).resolve().parents[1]))

import tensorflow as tf

from differential import truth as truths
from restore_guard.probe import build, frameworks, load_call, stages, strategies
from restore_guard.probe.describers import variables
from restore_guard.probe.migrating import carry
from restore_guard.probe.readers import checkpoint_file
from restore_guard.probe.tracing import sites
from restore_guard.probe.witnessing import calls, filling, inputs, observing, trial

TIMEOUT = 300
# Python and TensorFlow keep something of every model for ever.
REQUESTS_A_CHILD = 100
MODULE = "pair_model"


def main():
    """Answers requests until standard input ends, and not before: an interruption is for who asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    tf.keras.layers  # noqa: B018 - loads Keras lazily, once for all children
    gc.freeze()  # a child's collections pass over what the import made
    child = None
    for number, line in enumerate(sys.stdin):
        if child is not None and number % REQUESTS_A_CHILD == 0:
            child.stop()
            child = None
        child = child or _Child()
        answer = child.ask(json.loads(line))
        if "failed" in answer:
            child.stop()
            child = None
        out.write(json.dumps(answer) + "\n")
    if child is not None:
        child.stop()


class _Child:
    """A forked process that answers requests."""

    def __init__(self):
        context = multiprocessing.get_context("fork")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=_answer_all, args=(other,), daemon=True)
        self.process.start()
        other.close()

    def ask(self, request):
        try:
            self.connection.send(request)
            if self.connection.poll(TIMEOUT):
                return self.connection.recv()
            return {"failed": f"{request['op']} took more than {TIMEOUT} s"}
        except (EOFError, OSError):
            return {"failed": f"{request['op']} ended its process"}

    def stop(self):
        self.process.kill()
        self.process.join()
        self.connection.close()


def _answer_all(connection):
    session = _Session()
    while True:
        request = connection.recv()
        try:
            answer = getattr(session, request.pop("op"))(**request)
        except BaseException:
            answer = {"failed": traceback.format_exc()}
        connection.send(answer)


_NO_RIVALS = {"likely": [], "possible": []}


class _NoSources:
    """Which files a build reads decides nothing here, and takes long to find out."""

    @staticmethod
    def reads():
        return {"sources": []}


class _Session:
    """The state of a child: what has to be put back before each build. Its public methods are the operations."""

    def __init__(self):
        packages = [sys.modules[name] for name in ("keras", "tf_keras") if name in sys.modules]
        self.registered = [(package, dict(package.utils.get_custom_objects())) for package in packages]

    def save(self, source, folder, paths, outputs=False):
        _, signature = self._signature(source)
        tempering = filling.Tempering()
        self._reset()
        with _heard(source, outputs) as heard:
            with tempering.at_creation():
                root, inputs = _call_builder(source)
                before = stages.finish(root, inputs)
            if frameworks.is_model(root):
                _describe_wholes(signature, root, source)
            saved = trial.keep(root, tempering, paths, folder, heard, _load_call(source))
        files = {path: one["file"] for path, one in saved.items()}
        Path(folder, "files.pickle").write_bytes(pickle.dumps(files))
        untrained = []
        if any(stage.name == "untrained" for stage in before):
            untrained = [path for path in paths if files[path] and truths.name(path, "untrained", "trained")]
            root, inputs = self._build(source)
            stages.call(root, inputs)
            own = Path(folder, "untrained")
            own.mkdir()
            kept = trial.keep(root, filling.Tempering(), untrained, str(own), None, _load_call(source))
            Path(own, "files.pickle").write_bytes(pickle.dumps({path: one["file"] for path, one in kept.items()}))
        configs = {path: signature[name]["config"] for path, name in _WHOLE.items() if signature.get(name)}
        Path(folder, "configs.pickle").write_bytes(pickle.dumps(configs))
        unsupported = {path: one["error"] for path, one in saved.items() if one["file"] is None}
        return {"signature": signature, "unsupported": unsupported, "untrained": untrained}

    def restore(self, source, folder, paths, untrained):
        """All paths share a build, each fills every variable anew."""
        if not paths:
            return {"truth": {}}
        files, truth, call = _files(folder), {}, _load_call(source)
        root, inputs = self._build(source)
        earlier = [stage.name for stage in stages.finish(root, inputs)]
        for path in paths:
            load = functools.partial(calls.load, root, path, files[path], call)
            truth[path] = trial.bring_back(root, load, path, folder, None, _NO_RIVALS, call)
        for save, its in (("trained", paths), *([("untrained", untrained)] if untrained else [])):
            truth |= self._restore_at(source, folder, save, its, ["trained", *earlier])
        return {"truth": truth}

    def compare(self, source, folder, paths, rivals=_NO_RIVALS):
        """What is called after loading is a build of its own."""
        files, truth, call = _files(folder), {}, _load_call(source)
        with _heard(source, True) as heard:
            for path in paths:
                root, inputs = self._build(source)
                stages.finish(root, inputs)
                load = functools.partial(calls.load, root, path, files[path], call)
                truth[path] = trial.bring_back(root, load, path, folder, heard, rivals, call)
        return {"truth": truth}

    def read(self, folder, paths):
        files = _files(folder)
        return {path: checkpoint_file.read({"options": {"checkpoint": files[path]}}) for path in paths}

    def carry(self, source, folder, entries):
        root, inputs = self._build(source)
        stages.finish(root, inputs)
        for entry in entries.values():
            Path(entry["folder"]).mkdir(parents=True)
        placed = dict(zip(entries, carry.place_into(root, list(entries.values()), _load_call(source)), strict=True))
        return {path: self._restore_carried(source, folder, path, answer) for path, answer in placed.items()}

    def _restore_carried(self, source, folder, path, placed):
        if placed["error"] is not None:
            return placed
        root, inputs = self._build(source)
        stages.finish(root, inputs)
        load = functools.partial(calls.load, root, path, placed["saved"], _load_call(source))
        return trial.bring_back(root, load, path, folder, None, _NO_RIVALS, _load_call(source))

    def describe(self, source, folder, archived=False):
        """What the probe reads of a model that a checkpoint in `folder` is restored into.

        `archived` asks what it makes of its own configuration as well.
        """
        root, signature = self._signature(source)
        if archived and frameworks.is_model(root):
            root, inputs = self._build(source)
            stages.finish(root, inputs)
            _describe_wholes(signature, root, source)
        elif frameworks.is_model(root):
            # What it makes of its own configuration is of no interest here.
            signature.update({name: {"package": frameworks.keras_of(root).package} for name in _WHOLE.values()})
        return {"signature": signature, "revivals": self._revivals(source, folder)}

    def _restore_at(self, source, folder, save, paths, stages_of_model):
        """{name: what restoring does} of what was saved at one stage, at each stage of the model."""
        folder = folder if save == "trained" else os.path.join(folder, save)
        files, truth = _files(folder), {}
        for stage in stages_of_model:
            root = None
            for path in paths:
                name = truths.name(path, save, stage)
                if name in (None, path):
                    continue
                # What is called after loading is a build of its own.
                if root is None or stage == "uncalled":
                    root, inputs = self._build(source)
                    if stage != "uncalled":
                        stages.call(root, inputs)
                    if stage == "trained":
                        stages.train(root)
                saved, hidden = pickle.loads(Path(folder, f"{path}.pickle").read_bytes())
                load = functools.partial(_load, root, path, files[path], inputs, stage, _load_call(source))
                loaded, truth[name] = observing.restore(root, variables.named_variables, load, saved, hidden)
                truth[name].update(trial.lost_tables(folder, path, loaded))
        return truth

    def _revivals(self, source, folder):
        """{saved configuration: what the code of `source` makes of it}."""
        configs = pickle.loads(Path(folder, "configs.pickle").read_bytes())
        made = {config: self._revive(source, path, config) for path, config in configs.items() if config is not None}
        return {config: revival for config, revival in made.items() if revival is not None}

    def _revive(self, source, path, config):
        self._reset()
        created = sites.Sites(os.path.dirname(source))
        with strategies.scope("weightless", created):
            model, _ = _call_builder(source)
            keras = frameworks.keras_of(model)
            # A configuration goes to the Keras of the model that it is to become.
            return keras and build.revival(path, config, keras.package, created, _NoSources, _load_call(source))

    def _signature(self, source):
        """What the probe reads, by the cheapest strategy that works, as in a build of its own; without sites."""
        created = sites.Sites(os.path.dirname(source))
        order = strategies.order(["tf-checkpoint"], {})
        for strategy in order:
            self._reset()
            try:
                with strategies.scope(strategy, created):
                    root, inputs = _call_builder(source)
                    signature = build.describe(root, created, _NoSources, stages.finish(root, inputs))
                keras = frameworks.keras_of(root)
                signature["load"] = load_call.described(_load_call(source), keras and keras.package)
                break
            except Exception:
                if strategy == order[-1]:
                    raise
        return root, signature

    def _build(self, source):
        self._reset()
        return _call_builder(source)

    def _reset(self):
        """Automatic names start afresh, and no class of an earlier model is registered."""
        for package, registered in self.registered:
            package.backend.clear_session()
            objects = package.utils.get_custom_objects()
            objects.clear()
            objects.update(registered)


# {restore path whose load call makes a model of its own, or may: what a signature calls its configuration}.
_WHOLE = {"keras-archive": "archive", "h5": "whole_h5"}


def _describe_wholes(signature, root, source):
    created = sites.Sites(os.path.dirname(source))
    build.describe_wholes(signature, _WHOLE, root, created, _NoSources, _load_call(source))


def _files(folder):
    """{restore path: the file that was saved}."""
    return pickle.loads(Path(folder, "files.pickle").read_bytes())


def _load(root, path, file, inputs, stage, call):
    loaded = calls.load(root, path, file, call)
    if stage == "uncalled":
        strategies.call(root, inputs)
    return loaded


@contextlib.contextmanager
def _heard(source, outputs):
    """Hears how models are called, where what they compute is asked for."""
    with inputs.Calls(_setting(source, "INPUTS", ())) if outputs else contextlib.nullcontext() as heard:
        yield heard


def _load_call(source):
    return _setting(source, "LOAD", {})


def _setting(source, name, default):
    """What a line of a source sets, read without importing it."""
    start = f"{name} = "
    lines = Path(source).read_text().splitlines()
    return next((ast.literal_eval(line[len(start) :]) for line in lines if line.startswith(start)), default)


def _call_builder(source):
    """Imports a file under a name that is the same for base and head; returns what it builds and its inputs."""
    spec = importlib.util.spec_from_file_location(MODULE, source)
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    spec.loader.exec_module(module)
    return module.build(), getattr(module, "INPUTS", ())


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
