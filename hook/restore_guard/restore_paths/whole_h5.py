"""`.h5` of a whole model: the saved configuration becomes a model; then its weights load by position, as `h5` does.

Last come the optimizer's variables, each the next one's of the file, where the model was compiled.

Source: keras/src/legacy/saving/legacy_h5_format.py `load_model_from_hdf5` (Keras 3),
keras/src/saving/legacy/hdf5_format.py (Keras 2); `set_weights` of optimizers.
"""

from __future__ import annotations

from restore_guard.restore_paths import h5, reviving
from restore_guard.restore_paths.outcome import Outcome, compatible
from restore_guard.restore_paths.situations import leaving_out
from restore_guard.signature import Signature

PATH = "h5"


def restore(saved: Signature, model: Signature) -> Outcome:
    """What `keras.models.load_model("x.h5")` does with a file that `saved` wrote.

    Args:
        model: its `whole_h5` tells what its code makes of `saved`'s configuration (see `reviving.revived`).
    """
    made = reviving.opened(saved, model, PATH)
    if isinstance(made, Outcome):
        return made
    if (refused := h5.unsupported(saved, made)) is not None:
        return refused
    optimizer = saved.whole_h5.optimizer if saved.whole_h5 is not None else ()
    load = h5.loaded(saved, made)
    if not load.failures:
        _train(load, optimizer, made)
        load.keep(reviving.configured(saved, model, PATH))
    return leaving_out(load.outcome(optimizer), (), reviving.not_wanted(saved, model, PATH))


def _train(load: h5.Load, written: tuple[int, ...], made: Signature) -> None:
    """Gives the optimizer of what is loaded its values; a shape that does not fit ends it without an error."""
    taken = made.whole_h5.optimizer if made.whole_h5 is not None else ()
    pairs = list(zip(written, taken, strict=False))
    olds, news = load.saved.variables, load.model.variables
    fits = [compatible(olds[source].shape, news[to].shape) for source, to in pairs]
    if any(node.slots_by == "making" for node in made.object_graph.nodes):
        # A legacy optimizer takes all or nothing.
        pairs = pairs if len(written) == len(taken) and all(fits) else []
    elif not all(fits):
        pairs = pairs[: fits.index(False)]
    for source, to in pairs:
        load.assigned[to] = source
        load.used.add(source)


def contents(signature: Signature) -> object:
    """The configuration, the layers with their weights in order, and the optimizer's."""
    archive = signature.whole_h5
    if archive is None:
        return None
    optimizer = [signature.variables[position].path for position in archive.optimizer]
    return archive.config, archive.error, h5.contents(signature), optimizer
