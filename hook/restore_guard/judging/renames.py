"""How one path became another: part by part, so that two renames on one way are two."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple


class Renaming(NamedTuple):
    """One part of a path that changed: the way to it before and after; `kind` says how.

    `index` is a place in a list, `below` a part that was put in, `above` one that is gone; `moved` is what went alone
    from or into something that stayed.
    """

    kind: str
    old: str
    new: str

    @property
    def names(self) -> frozenset[str]:
        """What the line that did it might mention."""
        return frozenset() if self.kind in ("index", "above") else frozenset(_ends(self.old, self.new))


def _ends(old: str, new: str) -> set[str]:
    return {part for part in new.split("/") if part not in old.split("/") and not part.isdigit()}


def renamings(old: str, new: str) -> list[Renaming]:
    """Returns each part of the path that changed, from the root on."""
    olds, news = old.split("/"), new.split("/")
    found = []
    for tag, a, b, c, d in SequenceMatcher(None, olds, news, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if tag == "replace" and b - a == d - c:
            for i, j in zip(range(a, b), range(c, d), strict=True):
                kind = "index" if olds[i].isdigit() and news[j].isdigit() else "renamed"
                found.append(Renaming(kind, _way(olds, i), "/".join([*olds[:i], news[j]])))
        else:
            kind = "below" if tag == "insert" else "above" if tag == "delete" else "renamed"
            found.append(Renaming(kind, "/".join(olds[:b]), "/".join([*olds[:a], *news[c:d]])))
    return found


def _way(parts: Sequence[str], last: int) -> str:
    return "/".join(parts[: last + 1])
