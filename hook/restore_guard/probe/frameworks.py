"""Which framework a model belongs to: one process can hold Keras 3, Keras 2 and tf-keras side by side."""

import functools
import importlib
import importlib.util
import os
import sys


class Keras:
    """The Keras package that a model's class comes from.

    Attributes:
        package: importable name, `keras` or `tf_keras`.
        generation: 2 or 3; decides how weights files are walked.
    """

    def __init__(self, package):
        self.package = package
        self.module = sys.modules[package]
        self.version = self.module.__version__
        self.generation = int(self.version.split(".")[0])


def attribute(value, name, default=None):
    """An attribute of a user's object; `default` where reading it raises, whatever its code raises for one it lacks."""
    try:
        return getattr(value, name, default)
    except Exception:
        return default


def keras_of(value):
    """Returns the `Keras` that a layer, model or optimizer belongs to, or None."""
    for package in ("keras", "tf_keras"):
        module = sys.modules.get(package)
        if module is None or not hasattr(module, "layers"):
            continue
        if isinstance(value, (module.layers.Layer, optimizer_of(package))):
            return Keras(package)
    return None


@functools.cache
def optimizer_of(package):
    """The class of optimizers; Keras 2.12 shows an older one in its place (keras/optimizers/__init__.py)."""
    if code_of(package) == package:
        return importlib.import_module(f"{package}.optimizers.optimizer").Optimizer
    return sys.modules[package].optimizers.Optimizer


def code_of(package):
    """The name of the package that holds the code of a Keras: `src` within it, and before 2.13 the package itself."""
    inner = f"{package}.src"
    return inner if importlib.util.find_spec(inner) is not None else package


def is_model(value):
    keras = keras_of(value)
    return keras is not None and isinstance(value, keras.module.Model)


def packages(*names):
    """{name: (its folder, its version)} of the frameworks of this process, or of those that are named."""
    modules = {name: sys.modules.get(name) for name in names or ("tensorflow", "keras", "tf_keras")}
    return {
        name: (os.path.dirname(module.__file__), module.__version__)
        for name, module in modules.items()
        if attribute(module, "__file__") and hasattr(module, "__version__")
    }


def versions():
    """Returns the versions of all that decides how a checkpoint restores, for the record."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for package in ("tensorflow", "keras", "tf_keras"):
        module = sys.modules.get(package)
        if module is not None and hasattr(module, "__version__"):
            found[package] = module.__version__
    return found
