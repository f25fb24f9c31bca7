"""The load call of a model as a part of its signature, and which restore paths have files of whole models."""

from __future__ import annotations

from restore_guard.plain_data import Struct

WHOLE = {"keras-archive": "archive", "h5": "whole_h5"}
"""{restore path whose files may be of whole models: the field of a signature with what they hold besides weights}."""


class LoadCall(Struct, frozen=True):
    """How the team calls what loads its checkpoints, as far as the call decides what is loaded.

    Attributes:
        skips: the restore paths whose load call skips what does not match, as the installed Keras takes the argument;
            one that refuses it is in `refuses`, with Keras's words.
        compile: whether `load_model` makes the optimizer too.
        whole_model: whether files of `h5` are of whole models, which `load_model` loads.
    """

    skips: tuple[str, ...] = ()
    refuses: dict[str, str] = {}
    compile: bool = True
    whole_model: bool = False

    @property
    def revives(self) -> tuple[str, ...]:
        """The restore paths whose load call makes a model of its own, of the configuration in the file."""
        return ("keras-archive", "h5") if self.whole_model else ("keras-archive",)

    def on(self, path: str) -> tuple[bool, str | None, bool, bool]:
        """What of it decides on one restore path."""
        revives = path in self.revives
        return path in self.skips, self.refuses.get(path), revives, self.compile or not revives
