"""One build: import the builder, call it, read the signature of what it returns."""

import contextlib
import importlib
import os
import sys

import tensorflow as tf

from . import arguments, frameworks, load_call, loading_code, names, pretrained, private_names, stages, strategies
from .describers import (
    h5_file,
    interface,
    keras_config,
    keras_tree,
    object_graph,
    saver_file,
    takes,
    variables,
    whole_h5,
)
from .failures import BuildError, EagernessAskedError, FlagsSetError
from .tracing import calls, eagerness, environment, places, protection, sites, sources


def run(job):
    """Builds a model and returns {"signature", "trace"} as plain data; the trace says what the build depends on.

    Args:
        job: {"root", "project", "pythonpath", "builder", "kwargs", "inputs", "worktree"}; `restore_guard.build.Job`
            explains them. "strategy" is one of `strategies.order`.

    Raises:
        BuildError: the builder is missing, returned nothing that can be saved, or came from another folder.
        Exception: whatever the builder itself raises.
    """
    created, read = enter(job)
    heard = calls.Calls()
    heard.listen()
    questions = eagerness.Eagerness()
    if job["strategy"] == "graph":
        questions.listen()
    with strategies.scope(job["strategy"], created):
        model = make(job)
        before = stages.finish(model, job["inputs"])
        _refuse_foreign(read, job)
        if questions.asked is not None and strategies.is_eager():
            raise EagernessAskedError(f"the code asks for {questions.asked}, which a graph does not answer")
        signature = describe(model, created, read, before)
        if not signature["inputs"]:
            given = [{"name": "", "shape": [None, *item["shape"]], "dtype": item["dtype"]} for item in job["inputs"]]
            signature["inputs"] = heard.of(model) or given
        if frameworks.is_model(model):
            describe_wholes(signature, job["restores"], model, created, read, job["load"])
        keras = frameworks.keras_of(model)
        signature["load"] = load_call.described(job["load"], keras and keras.package)
        signature.update(read.reads())
    trace = {**read.dependencies(), **created.trace()}
    trace["environ"] = {name: value for name, value in trace["environ"].items() if name not in job["environ"]}
    return {"signature": signature, "trace": trace}


def revive(job):
    """What the code of `job` makes of the configuration in a file of a whole model: `restore_guard.signature.Revival`.

    Args:
        job: as for `run`; its options are "path", the restore path of the file, "config" (JSON) and "package"
            (`keras` or `tf_keras`).
    """
    created, read = enter(job)
    with strategies.scope(job["strategy"], created):
        # A class is found by its module, or registered when that is imported; a policy may be set by the builder.
        make(job)
        _refuse_foreign(read, job)
        options = job["options"]
        return revival(options["path"], options["config"], options["package"], created, read, job["load"])


def enter(job):
    """Makes the job's folder the one to import from; returns what hears creations and reading."""
    root = os.path.realpath(job["root"])
    os.chdir(root)
    loading_code.unfamiliar(frameworks.packages())  # now, since what is read for it is no file of the build
    read = sources.Sources(root, job["project"])
    read.listen()
    protection.begin(job)
    # The user has named these: a module of the root that has the same name is not what is meant.
    sys.path[:0] = [os.path.normpath(os.path.join(root, path)) for path in [*job["pythonpath"], ""]]
    created = sites.Sites(root)
    created.listen()
    return created, read


def construct(job):
    """Calls the builder; returns a model that has all variables of a trained one."""
    model = make(job)
    stages.finish(model, job["inputs"])
    return model


def make(job):
    """Returns what the builder makes."""
    builder = import_builder(job)
    with _watched_flags(job), pretrained.left_out():
        model = builder(**arguments.fitted(builder, job["kwargs"]))
    _check(model, job["builder"])
    return model


def _flags():
    """The environment variables that decide what an import of TensorFlow or Keras gives."""
    return {name: value for name, value in environment.unheard().items() if name.startswith(_IMPORTANT)}


_IMPORTANT = ("KERAS_", "TF_USE_LEGACY_KERAS", "TF2_BEHAVIOR", "TF_KERAS")


@contextlib.contextmanager
def _watched_flags(job):
    """What was imported already was imported without what the user's code sets meanwhile.

    Raises:
        FlagsSetError: the code has set some flags to other values.
    """
    before = {**_flags(), **job.get("flags", {})}
    yield
    flags = {name: value for name, value in _flags().items() if before.get(name) != value}
    if flags:
        raise FlagsSetError(flags)


def describe_wholes(signature, restores, model, created, read, load):
    """Puts into a signature what files of whole models hold besides the weights, as far as some restore paths need it.

    Args:
        load: the team's load call.
    """
    for path in load_call.revives(load):
        if path in restores:
            signature[_FORMS[path][0]] = found = _archive(path, model, created, read, load)
            if path == "h5" and found["config"] is not None and whole_h5.has_lambda(found["config"]):
                signature["unread"] = {**signature["unread"], path: whole_h5.LAMBDA}


def _archive(path, model, created, read, load):
    """What `restore_guard.signature.Archive` holds."""
    config, error = _FORMS[path][1].serialize(model)
    package = frameworks.keras_of(model).package
    return {
        "package": package,
        "config": config,
        "error": error,
        "revival": revival(path, config, package, created, read, load) if config is not None else None,
        **({"optimizer": whole_h5.written(model, _index(model))} if path == "h5" else {}),
    }


_FORMS = {"keras-archive": ("archive", keras_config), "h5": ("whole_h5", whole_h5)}
"""{restore path: (what a signature calls that part, what describes it)}."""


def revival(path, config, package, created, read, load):
    """What today's code makes of the configuration in such a file, as data."""
    config, rates = keras_config.with_other_rates(config)
    names.afresh()
    model, error, place = _FORMS[path][1].deserialize(config, package, created.root, load)
    signature = None
    if model is not None:
        signature = describe(model, created, read)
        if path == "h5":
            signature["whole_h5"] = {"package": package, "optimizer": whole_h5.taken(model, _index(model))}
    return {
        "signature": signature,
        "error": error,
        "site": place,
        "configured": keras_config.configured(model, rates) if model is not None else [],
    }


def _index(model):
    return {id(found.variable): number for number, found in enumerate(variables.find(model)[0])}


def describe(model, created, read, before=()):
    """Returns the signature of a built model; `restore_guard.signature.Signature` is its other half.

    Args:
        before: the earlier stages of the model, of `stages.finish`.
    """
    found, holders, aliases = variables.find(model)
    if isinstance(model, tf.Graph):
        created.of_operations([item.variable for item in found])
    index = {id(item.variable): number for number, item in enumerate(found)}
    named = {item.path: item.variable for item in found}
    return {
        "framework": frameworks.versions(),
        "variables": [_variable(item, created) for item in found],
        "holders": [_holder(item, created, named) for item in holders],
        "aliases": aliases,
        **_forms(model, index, created),
        **interface.read(model),
        "takes": takes.read(model, created),
        "sources": read.reads()["sources"],
        "created": list(created.objects),
        "eager": strategies.is_eager(),
        "stages": [stage.data(index) for stage in before],
    }


def _forms(model, index, created):
    """What each restore path writes; without those for which this version of a framework lacks what is read."""
    keras = frameworks.keras_of(model)
    gone = private_names.gone(keras.package if keras is not None else None)
    packages = frameworks.packages("tensorflow", *([keras.package] if keras is not None else []))
    return {
        "object_graph": object_graph.read(model, index, created)
        if "tf-checkpoint" not in gone
        else {"error": gone["tf-checkpoint"]},
        "keras_tree": keras_tree.read(model, index, created) if "keras-weights" not in gone else None,
        "h5_file": h5_file.read(model, index) if "h5" not in gone else None,
        "saver_file": saver_file.read(model, index, created) if "tf1-saver" not in gone else None,
        "unread": gone,
        "unfamiliar": loading_code.unfamiliar(packages),
    }


def _holder(item, created, named):
    return {
        "path": item.path,
        "type": type(item.value).__name__,
        "calls": private_names.calls(item.value),
        "site": created.of(item.value),
        "trained": private_names.trained(item.value, named),
    }


def _variable(item, created):
    owner = item.owner
    own = owner is not None and _is_users(owner, created)
    site = (created.of(item.variable) if own else created.of(owner)) or created.of(item.variable)
    return {
        "path": item.path,
        "shape": item.variable.shape.as_list() if item.variable.shape.rank is not None else None,
        "dtype": item.variable.dtype.base_dtype.name,
        "trainable": bool(item.variable.trainable),
        "owner": type(owner).__name__ if owner is not None else None,
        "owner_name": _name(owner),
        "seed": item.seed,
        "site": site,
        "built": None if own else created.of(item.variable),
    }


def _is_users(owner, created):
    """True where the owner's class is of the repository: its own line of `add_weight` says more then."""
    module = sys.modules.get(type(owner).__module__)
    path = os.path.realpath(getattr(module, "__file__", None) or os.sep)
    return path.startswith(created.root)


def _name(owner):
    name = frameworks.attribute(owner, "name")
    return name if isinstance(name, str) else None


def import_builder(job):
    """Returns the function of the user's that makes the model.

    Raises:
        FlagsSetError: importing it sets what TensorFlow should have been imported with.
    """
    module_name, _, function = job["builder"].partition(":")
    with _watched_flags(job):
        module = importlib.import_module(module_name)
    target = module
    for part in function.split("."):
        if not hasattr(target, part):
            raise BuildError(f"{module_name} has no {function!r}: correct `builder` or define the function.")
        target = getattr(target, part)
    return target


def _check(model, builder):
    trackable = (tf.__internal__.tracking.Trackable, tf.Graph)
    if isinstance(model, dict) and model and all(isinstance(value, trackable) for value in model.values()):
        return
    if not isinstance(model, trackable):
        raise BuildError(
            f"{builder} returned {type(model).__name__}; a Keras model, tf.Module, tf.train.Checkpoint, "
            "a dict of those, or a tf.Graph is needed."
        )


def _refuse_foreign(read, job):
    """An editable install or a PYTHONPATH may import the work tree instead of the commit that is judged."""
    if job["worktree"] and os.path.realpath(job["worktree"]) != os.path.realpath(job["root"]):
        foreign = read.foreign(places.Places(job["worktree"], job["project"]).top)
        if foreign:
            raise BuildError(
                f"module {foreign[0]} was imported from the work tree, not from the commit that is checked "
                "(an editable install or PYTHONPATH comes first). "
                'Name the folder of the sources in the configuration, for example pythonpath = ["src"].'
            )
