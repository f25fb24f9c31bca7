"""Legacy HDF5 by name: a layer gets the weights of the saved layer that has its name; others are skipped in silence.

Source: `load_weights_from_hdf5_group_by_name`, beside `load_weights_from_hdf5_group`.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec

from restore_guard.restore_paths.h5 import Load, contents, unsupported
from restore_guard.restore_paths.outcome import Outcome, compatible
from restore_guard.signature import Signature


class _LoadByName(Load):
    @staticmethod
    def takes(stored: tuple[int | None, ...] | None, target: tuple[int | None, ...] | None) -> bool:
        """Keras compares with the variable's shape as it was declared, which no value has if a part is unknown."""
        return target is not None and None not in target and compatible(stored, target)


def restore(saved: Signature, model: Signature) -> Outcome:
    """What `model.load_weights("x.h5", by_name=True)` does with a file that `saved` wrote."""
    if (refused := unsupported(saved, model)) is not None:
        return refused
    skips = "h5-by-name" in model.load.skips
    load = _LoadByName(saved, model, skips_shapes=skips, skips_counts=skips)
    *olds, old_top = saved.h5_layers
    *news, new_top = model.h5_layers
    named = defaultdict(list)
    for new in news:
        named[new.name].append(new)
    for number, old in enumerate(olds):
        for new in named[old.name]:
            name = f"layer #{number} (named {new.name})"
            load.layer(old, new, f"Weight count mismatch for {name}. Layer", name)
    if new_top.by_name is not None:
        new_top = msgspec.structs.replace(new_top, variables=new_top.by_name)
    load.layer(
        old_top, new_top, "Weight count mismatch for top-level weights of model. Model", "model for top-level weight"
    )
    return load.outcome()


__all__ = ["contents", "restore"]
