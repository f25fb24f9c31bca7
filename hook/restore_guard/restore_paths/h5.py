"""Legacy HDF5 by position: the n-th layer that has weights gets the n-th saved layer's.

Source: keras/src/legacy/saving/legacy_h5_format.py `load_weights_from_hdf5_group` (Keras 3),
keras/src/saving/legacy/hdf5_format.py (Keras 2).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from restore_guard.restore_paths import recurrent
from restore_guard.restore_paths.outcome import Failure, Outcome, compatible, settle
from restore_guard.signature import H5Layer, Signature

# HDF5 has no bfloat16: its two bytes come back as a type that NumPy casts to nothing.
UNREADABLE = "No cast function available."
_UNBUILT = (
    "Unable to load weights saved in HDF5 format into a subclassed Model which has not created its variables yet. "
    "Call the Model first, then load the weights."
)
_NESTED_MODELS = ("Model", "Sequential", "Functional")


def restore(saved: Signature, model: Signature) -> Outcome:
    """What `model.load_weights("x.h5")` does with a file that `saved` wrote."""
    if (refused := unsupported(saved, model)) is not None:
        return refused
    if "h5" in model.load.refuses:
        return Outcome("raises", failures=(Failure(model.load.refuses["h5"]),))
    return loaded(saved, model).outcome()


def loaded(saved: Signature, model: Signature) -> Load:
    """The assignment of all layers of a file to those of a model."""
    # A count that differs raises all the same.
    load = Load(saved, model, skips_shapes="h5" in model.load.skips)
    *olds, old_top = saved.h5_layers
    *news, new_top = model.h5_layers
    olds, news = [layer for layer in olds if layer.variables], [layer for layer in news if layer.variables]
    if len(olds) != len(news):
        load.fail(
            "Layer count mismatch when loading weights from file. "
            f"Model expected {len(news)} layers, found {len(olds)} saved layers.",
            *olds,
            *news,
        )
        return load
    for number, (old, new) in enumerate(zip(olds, news, strict=True)):
        names = f"layer #{number} (named {new.name} in the current model, {old.name} in the save file)"
        load.layer(old, new, f"Weight count mismatch for {names}. Layer", f"layer #{number} (named {new.name})")
    top = "Weight count mismatch for top-level weights when loading weights from file. Model"
    load.layer(old_top, new_top, top, "top-level model")
    return load


def contents(signature: Signature) -> object:
    """The layers that have weights, with their weights in order."""
    file = signature.h5_file
    if file is None or file.error:
        return file and file.error
    return [
        (layer.name, [signature.variables[position].path for position in layer.variables])
        for layer in file.layers
        if layer.variables
    ]


def unsupported(saved: Signature, model: Signature) -> Outcome | None:
    """The outcome where either side has no HDF5 form, or the model has no variables yet (Keras 2)."""
    for signature in (saved, model):
        if signature.h5_file is None:
            return Outcome("unsupported", failures=(Failure("only a Keras model is saved as HDF5"),))
        # What HDF5 has no names for can still be loaded into.
        if signature.h5_file.error and (signature is saved or not signature.h5_file.layers):
            return Outcome("unsupported", failures=(Failure(signature.h5_file.error),))
    tree = model.keras_tree
    if tree is not None and tree.generation == 2 and not tree.nodes[0].built:
        return Outcome("raises", failures=(Failure(_UNBUILT),))
    return None


class Load:
    """The assignment of saved layers to layers of the model; the first error ends it.

    Args:
        skips_shapes, skips_counts: a weight of another shape, or a layer with another number of weights, is skipped.
    """

    def __init__(
        self, saved: Signature, model: Signature, *, skips_shapes: bool = False, skips_counts: bool = False
    ) -> None:
        self.saved, self.model = saved, model
        self.skips_shapes, self.skips_counts = skips_shapes, skips_counts
        self.assigned: dict[int, int] = {}
        self.converted: dict[int, tuple[int, ...]] = {}
        self.used: set[int] = set()
        self.failures: list[Failure] = []

    def layer(self, old: H5Layer, new: H5Layer, count: str, shape: str) -> None:
        """Args: `count` and `shape` begin the sentences of the two errors that there are."""
        if self.failures:
            return
        sources = old.variables[: len(new.variables)] if self.drops_surplus(new) else old.variables
        if len(sources) != len(new.variables):
            if self.skips_counts:
                return
            received = f"Received {len(sources)} saved weight(s)"
            self.fail(f"{count} expects {len(new.variables)} weight(s). {received}", old, new)
            return
        olds, news = self.saved.variables, self.model.variables
        try:
            shapes = recurrent.converted(new, [olds[source] for source in sources], self.model)
        except recurrent.IncompatibleError as error:
            self.fail(str(error), old, new)
            return
        for number, (source, to) in enumerate(zip(sources, new.variables, strict=True)):
            stored, target = olds[source], news[to]
            stored_shape = shapes.get(number, stored.shape)
            if not self.takes(stored_shape, target.shape):
                if self.skips_shapes:
                    continue
                self.fail(
                    f"Shape mismatch in {shape} for weight {target.path}. "
                    f"Weight expects shape {target.shape}. Received saved weight with shape {stored_shape}",
                    old,
                    new,
                )
                return
            if stored.dtype == "bfloat16":
                self.fail(UNREADABLE, old, new)
                return
            if number in shapes:
                self.converted[to] = (source,)
            else:
                self.assigned[to] = source
            self.used.add(source)

    # Whether a variable of the second shape takes a value of the first.
    takes = staticmethod(compatible)

    def drops_surplus(self, new: H5Layer) -> bool:
        """Keras 2 hands a nested model's layers what they need, one after the other (`convert_nested_model`)."""
        tree = self.model.keras_tree
        return tree is not None and tree.generation == 2 and new.type in _NESTED_MODELS

    def fail(self, message: str, *layers: H5Layer) -> None:
        failing = {id(layer) for layer in layers}
        saved, model = (
            tuple(
                signature.variables[position].path
                for layer in signature.h5_layers
                if id(layer) in failing
                for position in layer.variables
            )
            for signature in (self.saved, self.model)
        )
        self.failures.append(Failure(message, saved, model))

    def keep(self, configured: Mapping[str, str]) -> None:
        """Takes for loaded what got its value when the model was made; see `reviving.configured`."""
        olds, news = (
            {variable.path: position for position, variable in enumerate(signature.variables)}
            for signature in (self.saved, self.model)
        )
        for new, old in configured.items():
            if news[new] not in self.assigned:
                self.assigned[news[new]] = olds[old]
                self.used.add(olds[old])

    def outcome(self, also: Collection[int] = ()) -> Outcome:
        """Args: also: what the file holds besides the layers."""
        return settle(
            self.saved,
            self.model,
            assigned=self.assigned,
            converted=self.converted,
            used=self.used,
            written=[*(position for layer in self.saved.h5_layers for position in layer.variables), *also],
            written_at=lambda: _addresses(self.saved),
            read_at=lambda: _addresses(self.model),
            failures=tuple(self.failures),
        )


def _addresses(signature: Signature) -> dict[int, str]:
    return {
        position: f"{layer.name}/{number}"
        for layer in signature.h5_layers
        for number, position in enumerate(layer.variables)
    }
