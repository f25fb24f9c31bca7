"""`.keras`: the saved configuration becomes a model by the code of today; then its weights load as `.weights.h5` do.

Source: keras/src/saving/saving_lib.py `_load_model_from_fileobj`, `_model_from_config` (Keras 3), `load_model`
(Keras 2.12+).
"""

from __future__ import annotations

from restore_guard.restore_paths import keras_weights, reviving
from restore_guard.restore_paths.outcome import Outcome
from restore_guard.restore_paths.situations import leaving_out
from restore_guard.signature import Signature

PATH = "keras-archive"


def restore(saved: Signature, model: Signature) -> Outcome:
    """What `keras.saving.load_model("x.keras")` does with a file that `saved` wrote.

    Args:
        model: its archive tells what its code makes of `saved`'s configuration (see `reviving.revived`).
    """
    made = reviving.opened(saved, model, PATH)
    if isinstance(made, Outcome):
        return made
    configured = reviving.configured(saved, model, PATH)
    outcome = keras_weights.load(saved, made, archived=True, configured=configured)
    return leaving_out(outcome, (), reviving.not_wanted(saved, model, PATH))


def contents(signature: Signature) -> object:
    """The configuration, the weights as in a weights file, and the vocabularies beside them."""
    archive = signature.archive
    return archive and (archive.config, archive.error, keras_weights.contents(signature, archived=True))
