"""`.keras`: the saved configuration becomes a model by the code of today; then its weights load as `.weights.h5` do.

Source: keras/src/saving/saving_lib.py `_load_model_from_fileobj`, `_model_from_config` (Keras 3), `load_model`
(Keras 2.12+). What the code makes of a configuration is nothing that data can tell: the probe tries it, and
the model's signature carries the result.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from restore_guard.restore_paths import keras_weights
from restore_guard.restore_paths.outcome import Failure, Outcome
from restore_guard.restore_paths.situations import leaving_out, optimizer_state
from restore_guard.signature import Archive, Revival, Signature

_UNKNOWN = Revival(error="what the code makes of it is not known")


def revived(saved: Signature, model: Signature, revivals: Mapping[str, Revival]) -> Signature:
    """The model that the load call makes of `saved`'s configuration; `model` itself where it makes none.

    Args:
        revivals: {configuration: what `model`'s code makes of it}; its own need not be there.
    """
    config = saved.archive.config if saved.archive else None
    if config is None:
        return model
    own = model.archive
    if own is None:
        revival = Revival(error="what the builder returns is no Keras model any more")
    else:
        revival = (own.revival if own.config == config else revivals.get(config)) or _UNKNOWN
    if revival.signature is None:
        return msgspec.structs.replace(model, archive=Archive(config=config, revival=revival))
    return msgspec.structs.replace(
        revival.signature,
        load=model.load,
        archive=Archive(config=config, revival=Revival(revival.signature, configured=revival.configured)),
    )


def restore(saved: Signature, model: Signature) -> Outcome:
    """What `keras.saving.load_model("x.keras")` does with a file that `saved` wrote.

    Args:
        model: its archive tells what its code makes of `saved`'s configuration (see `revived`).
    """
    archive = saved.archive
    if archive is None or archive.config is None:
        reason = archive.error if archive else "only a Keras model is saved as .keras"
        return Outcome("unsupported", failures=(Failure(reason or "it has no configuration"),))
    revival = (model.archive and model.archive.revival) or _UNKNOWN
    if revival.signature is None:
        return Outcome("raises", failures=(Failure(revival.error or "", revived=False),))
    outcome = keras_weights.load(saved, revival.signature, archived=True, configured=_configured(saved, revival))
    return leaving_out(outcome, (), not_wanted(saved, model))


def _configured(saved: Signature, revival: Revival) -> dict[str, str]:
    """{variable that gets its value from the configuration: the saved one whose value that is}.

    An optimizer that is wrapped in another one when it is made has another path than the saved one.
    """
    known = {variable.path for variable in saved.variables}
    same = {path: path for path in revival.configured if path in known}
    written = saved.archive.revival.configured if saved.archive and saved.archive.revival else ()
    news = [path for path in revival.configured if path not in same]
    olds = [path for path in written if path in known and path not in same]
    return {**same, **(dict(zip(news, olds, strict=True)) if len(news) == len(olds) else {})}


def not_wanted(saved: Signature, model: Signature) -> Collection[str]:
    """The saved variables that the load call leaves in the file on purpose: the optimizer's, with `compile=False`."""
    return () if model.load.compile else optimizer_state(saved)


def contents(signature: Signature) -> object:
    """The configuration, the weights as in a weights file, and the vocabularies beside them."""
    archive = signature.archive
    return archive and (archive.config, archive.error, keras_weights.contents(signature, archived=True))
