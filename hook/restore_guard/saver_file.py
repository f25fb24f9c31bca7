"""What a tf.compat.v1.train.Saver writes: variables by name, and parts of them."""

from __future__ import annotations

from restore_guard.plain_data import Site, Size, Struct


class SaverEntry(Struct, frozen=True):
    """A variable as tf.compat.v1.train.Saver keeps it: under `name`, a part of a whole of `shape` from `offset` on.

    A `strict` one, a reference variable, takes no value of another shape; a resource variable does.
    """

    name: str
    variable: int
    shape: tuple[Size | None, ...] | None
    offset: tuple[Size, ...] = ()
    strict: bool = False

    def check_part(self, size: tuple[int | None, ...] | None) -> None:
        """Raises ValueError for a part whose size and place in the whole are not known."""
        if self.offset and (size is None or None in size or not len(self.offset) == len(size) == len(self.shape or ())):
            raise ValueError(f"{self.name} is a part of no known size and place")


class SaverState(Struct, frozen=True):
    """What a Saver keeps of an object that is no variable, under names that begin with its own; see `GraphNode.state`.

    It is `other` where only the name is known.
    """

    name: str
    state: str
    site: Site | None = None


class SaverFile(Struct, frozen=True):
    """What a Saver of all variables of a TF1-style graph writes; `error` where there is no Saver.

    `by_full_name` tells a file that `tf.train.Checkpoint` wrote, in which a Saver finds the names that variables had.
    """

    entries: tuple[SaverEntry, ...] = ()
    error: str | None = None
    states: tuple[SaverState, ...] = ()
    by_full_name: bool = False

    def __post_init__(self) -> None:
        if len({(entry.name, entry.shape) for entry in self.entries}) != len({entry.name for entry in self.entries}):
            raise ValueError("parts of one tensor are of tensors of different shapes")
