"""Which framework a model belongs to: one process can hold Keras 3, Keras 2 and tf-keras side by side."""

import importlib
import sys


class Keras:
    """The Keras package that a model's class comes from, with the few private parts that are read.

    Attributes:
        package: importable name, `keras` or `tf_keras`.
        generation: 2 or 3; decides how weights files are walked.
        saving: the module `saving_lib`, whose walk is used rather than imitated.
    """

    def __init__(self, package):
        self.package = package
        self.module = sys.modules[package]
        self.version = self.module.__version__
        self.generation = int(self.version.split(".")[0])
        self.saving = importlib.import_module(f"{package}.src.saving.saving_lib")

    def walk(self, saveable):
        """Yields (attribute, value) in the order of `saving_lib._load_state`."""
        if self.generation == 3:
            return self.saving._walk_saveable(saveable)
        return self.saving._walk_trackable(saveable)

    def is_saveable(self, value):
        if self.generation == 3:
            base = importlib.import_module("keras.src.saving.keras_saveable").KerasSaveable
            return isinstance(value, base)
        return self.saving._is_keras_trackable(value)

    @property
    def nests_containers(self):
        """True since Keras 3.14: a list within a list is walked as well (keras PR 22362)."""
        return hasattr(self.saving, "_container_path_present")

    def snake_case(self, name):
        """The name by which an item of a container is addressed in a weights file."""
        if self.generation == 3:
            return importlib.import_module("keras.src.utils.naming").to_snake_case(name)
        return importlib.import_module(f"{self.package}.src.utils.generic_utils").to_snake_case(name)


def keras_of(value):
    """Returns the `Keras` that a layer, model or optimizer belongs to, or None."""
    for package in ("keras", "tf_keras"):
        module = sys.modules.get(package)
        if module is None or not hasattr(module, "layers"):
            continue
        kinds = [module.layers.Layer, module.optimizers.Optimizer]
        if isinstance(value, tuple(kinds)):
            return Keras(package)
    return None


def is_model(value):
    keras = keras_of(value)
    return keras is not None and isinstance(value, keras.module.Model)


def versions():
    """Returns the versions of all that decides how a checkpoint restores, for the record."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for package in ("tensorflow", "keras", "tf_keras"):
        module = sys.modules.get(package)
        if module is not None and hasattr(module, "__version__"):
            found[package] = module.__version__
    return found
