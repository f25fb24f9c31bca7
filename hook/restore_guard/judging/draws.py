"""Two builds of one commit that differ: whether that decides what restores, and what holds in spite of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from restore_guard.change.diffs import Diff, Place
from restore_guard.judging.case import Case, base_signature, paths_of, readable
from restore_guard.judging.comparison import Comparison, compare, troubles
from restore_guard.restore_paths import same_promise
from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Trouble
from restore_guard.rules.shared.facts import Draw
from restore_guard.signature import Signature, Variable

_VALUES = "keras-weights"
"""The restore path that stands for those whose load call makes a model of its own: two builds have the same values."""


def is_suspicious(case: Case) -> bool:
    """Whether the head may be built otherwise by chance, as far as it shows without a further build.

    Its files leave something to chance; nothing changed, its Python neither, and the two sides differ; the base
    is not what its own manifest says; or a witness was built with other variables.
    """
    head, base, promise = case.head_build.signature, base_signature(case), readable(case.base_manifest)
    if head is None:
        return False
    paths = paths_of(case)
    if case.chances:
        return True
    if base is not None and case.is_unchanged and not same_promise(base, head, paths):
        return True
    if base is not None and promise is not None and not promise.pinned:
        kept = [path for path in promise.restores if path not in base.load.revives]
        if not same_promise(promise.signature, base, kept):
            return True
    return _is_witnessed_otherwise(case, head)


def _is_witnessed_otherwise(case: Case, head: Signature) -> bool:
    known = {variable.path for variable in head.variables}
    seen = case.witness.observations if case.witness is not None else {}
    return any(
        not {*each.assigned, *each.initial, *each.changed_otherwise} <= known
        for path, each in seen.items()
        if path not in head.load.revives
    )


def differ(one: Signature, other: Signature, paths: Sequence[str]) -> bool:
    """Whether two builds are not alike in what restoring looks at."""
    return not same_promise(one, other, [path for path in paths if path not in other.load.revives])


def drawn(case: Case) -> Draw | None:
    """How the head's two builds differ; None where there is one, or both are alike."""
    other = case.second
    if other is None or not differ(case.head, other, paths_of(case)):
        return None
    head, found = case.head, _between(case, other)
    old, new, what = _difference(other, head)
    decides = tuple(dict.fromkeys(trouble.path for trouble in found))
    return Draw(what, old, new, decides, _place(case, head))


def certain(
    case: Case, second: Signature, saved: Signature, compared: Sequence[Comparison]
) -> frozenset[tuple[str, str, bool]]:
    """Keys of the troubles that no chance decides: the head's other build has them too, in variables that agree.

    Args:
        second: the head's other build.
        compared: `saved` in the head that is judged.
    """
    undecided = {
        (trouble.path, name) for trouble in _between(case, second) for name in (trouble.old, trouble.new) if name
    }
    undecided |= {(path, name) for path in case.head.load.revives for other, name in undecided if other == _VALUES}
    others = compare(saved, second, paths_of(case), case.diff, case.head_revivals)
    shared = {trouble.key for each in others for trouble in troubles(each)}
    return frozenset(
        trouble.key
        for each in compared
        for trouble in troubles(each)
        if trouble.key in shared and not {(trouble.path, trouble.old), (trouble.path, trouble.new)} & undecided
    )


def _between(case: Case, second: Signature) -> list[Trouble]:
    """What does not restore from the one build into the other.

    What a file of a whole model is made into is asked of one of the two only.
    """
    paths = [_VALUES if path in case.head.load.revives else path for path in paths_of(case)]
    compared = compare(second, case.head, list(dict.fromkeys(paths)), Diff({}))
    return [trouble for each in compared for trouble in troubles(each)]


def _difference(one: Signature, other: Signature) -> tuple[str | None, str | None, str]:
    """The first variable that differs, in either build, and in words."""
    olds, news = ([item for item in each.variables if not item.seed] for each in (one, other))
    before = {item.path: item for item in olds}
    for item in news:
        old = before.get(item.path)
        if old is not None and (old.shape, old.dtype, old.owner) != (item.shape, item.dtype, item.owner):
            forms = _form(old), _form(item)
            return *forms, f"{item.path} is {forms[0]} in the one and {forms[1]} in the other"
    after = {item.path for item in news}
    gone, new = [path for path in before if path not in after], [path for path in after if path not in before]
    if gone or new:
        sides = words.listing(sorted(gone)) or "nothing", words.listing(sorted(new)) or "nothing"
        return *sides, f"{sides[0]} in the one is {sides[1]} in the other"
    for old, item in zip(olds, news, strict=True):
        if old.path != item.path:
            return old.path, item.path, f"{old.path} is in the place that {item.path} has in the other"
    return None, None, "their checkpoints hold the same variables in another order"


def _form(item: Variable) -> str:
    return f"{words.shape(item)} {item.dtype} of {item.owner}" if item.owner else f"{words.shape(item)} {item.dtype}"


def _place(case: Case, head: Signature) -> Place | None:
    """The line that leaves something to chance: the one nearest to where variables are created, in their file."""
    created = {item.site.file: item.site.line for item in head.variables if item.site is not None}
    return min(
        case.chances,
        key=lambda at: (at.file not in created, abs(at.line - created.get(at.file, 0))),
        default=None,
    )
