"""Files of whole models: their configuration becomes a model by the code of today, into which their values go.

What the code makes of a configuration is nothing that data can tell: the probe tries it, and the model's signature
carries the result. `LoadCall.revives` says which restore paths have such files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from restore_guard.restore_paths.outcome import Failure, Outcome
from restore_guard.restore_paths.situations import optimizer_state
from restore_guard.signature import Archive, Revival, Signature

_SUFFIX = {"keras-archive": ".keras", "h5": ".h5"}
UNKNOWN = Revival(error="what the code makes of it is not known")


def revived(saved: Signature, model: Signature, revivals: Mapping[str, Revival], path: str) -> Signature:
    """The model that the load call of a path makes of `saved`'s configuration; `model` itself where it makes none.

    Args:
        revivals: {configuration: what `model`'s code makes of it}; its own need not be there.
    """
    archive = saved.whole(path)
    config = archive.config if archive else None
    if config is None:
        return model
    own = model.whole(path)
    if own is None:
        revival = Revival(error="what the builder returns is no Keras model any more")
    else:
        revival = (own.revival if own.config == config else revivals.get(config)) or UNKNOWN
    if revival.signature is None:
        return model.with_whole(path, Archive(config=config, revival=revival))
    made = revival.signature.whole(path)
    archive = Archive(
        config=config,
        revival=Revival(revival.signature, configured=revival.configured),
        optimizer=made.optimizer if made is not None else (),
    )
    return msgspec.structs.replace(revival.signature.with_whole(path, archive), load=model.load)


def opened(saved: Signature, model: Signature, path: str) -> Signature | Outcome:
    """What the load call makes of the configuration in a file, see `revived`; the outcome where it makes nothing."""
    archive = saved.whole(path)
    if archive is None or archive.config is None:
        reason = archive.error if archive else f"only a Keras model is saved as {_SUFFIX[path]}"
        return Outcome("unsupported", failures=(Failure(reason or "it has no configuration"),))
    revival = revival_of(model, path)
    if revival.signature is None:
        return Outcome("raises", failures=(Failure(revival.error or "", revived=False),))
    return revival.signature


def revival_of(model: Signature, path: str) -> Revival:
    """What the code makes of the configuration in a file; see `revived`."""
    archive = model.whole(path)
    return (archive and archive.revival) or UNKNOWN


def configured(saved: Signature, model: Signature, path: str) -> dict[str, str]:
    """{variable that gets its value from the configuration: the saved one whose value that is}.

    An optimizer that is wrapped in another one when it is made has another path than the saved one.
    """
    given = revival_of(model, path).configured
    known = {variable.path for variable in saved.variables}
    same = {name: name for name in given if name in known}
    news = [name for name in given if name not in same]
    olds = [name for name in revival_of(saved, path).configured if name in known and name not in same]
    return {**same, **(dict(zip(news, olds, strict=True)) if len(news) == len(olds) else {})}


def not_wanted(saved: Signature, model: Signature, path: str) -> Collection[str]:
    """The saved variables that the load call leaves in the file on purpose: the optimizer's, with `compile=False`.

    So it does with those of an `.h5` that even unchanged code does not take: Keras 3 makes the optimizer of what it
    loads without slots.
    """
    if not model.load.compile:
        return optimizer_state(saved)
    written = saved.whole(path)
    if written is None or not written.optimizer:
        return ()
    made = revival_of(saved, path).signature
    own = made.whole(path) if made is not None else None
    taken = len(own.optimizer) if own is not None else 0
    return {saved.variables[position].path for position in written.optimizer[taken:]}
