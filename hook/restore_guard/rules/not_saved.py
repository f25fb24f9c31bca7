"""not-saved: a promised restore path never writes a variable; a warning where it did not before either."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from restore_guard.change.diffs import place
from restore_guard.result import Behaviour
from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.rule import Example, Explanation, Rule, Told
from restore_guard.rules.shared.view import Sight, variable_ends
from restore_guard.signature import Variable, owner


def applies(sight: Sight) -> Subject | None:
    if sight.same_form is None or not sight.trouble.unsaved:
        return None
    old, new = sight.same_form
    return (owner(old.path), owner(new.path)) if old.path == new.path else None


def says(cause: Cause, comparison: Compared) -> str:
    paths = [path for path in comparison.outcomes if path in cause.paths]
    return f"{words.listing(paths)} wrote {words.listing(cause.names)} before and no longer does."


def notices(comparison: Compared, causes: Sequence[Cause], behaviour: Behaviour | None) -> Iterator[Told]:
    """What no checkpoint will hold from now on, and was not lacking before."""
    told = {trouble.new for cause in causes if cause.rule == RULE.name for trouble in cause.troubles}
    paths_of: dict[str, list[str]] = {}
    for path, name in _newly_unsaved(comparison):
        if name not in told:
            paths_of.setdefault(name, []).append(path)
    groups: dict[tuple[str, ...], list[Variable]] = {}
    for name, paths in paths_of.items():
        groups.setdefault((name.partition("/")[0], *paths), []).append(comparison.news[name])
    for (_, *paths), variables in groups.items():
        yield never_writes(variables, paths)


def _newly_unsaved(comparison: Compared) -> Iterator[tuple[str, str]]:
    """Yields (restore path, variable of the model) for all that a path does not write and did not lack before."""
    for path, names in comparison.unsaved_now.items():
        before = comparison.unsaved_before[path]
        for name in comparison.news:
            if name in names and comparison.same.old(name) not in before:
                yield path, name


def never_writes(variables: Sequence[Variable], paths: Sequence[str]) -> Told:
    """What restore paths leave out, change or no change."""
    names = [variable.path for variable in variables]
    return Told(
        f"{words.listing(paths)} never writes {words.listing(names)}: no checkpoint will restore "
        f"{'it' if len(names) == 1 else 'them'}.",
        place(variables[0]),
        restores=tuple(paths),
        new=names[0],
        variables=tuple(names),
        fix=_fix(paths, names),
    )


def advice(cause: Cause, comparison: Compared) -> str | None:
    return _fix([path for path in comparison.outcomes if path in cause.paths], cause.names)


def _fix(paths: Sequence[str], names: Sequence[str]) -> str | None:
    """What a path leaves out tells how to put it in."""
    if set(paths) == {"tf-checkpoint"}:
        return "Hold the layers in attributes or in a tuple instead of a list or dict, or do not promise tf-checkpoint."
    if "tf-checkpoint" not in paths and any(part.isdigit() for name in names for part in name.split("/")[:-1]):
        flat = "Hold the layers in attributes or in a flat list"
        return f"{flat}, not in a list of lists, or do not promise {words.listing(paths)}."
    if "tf-checkpoint" not in paths:
        return f"Create the weight with add_weight in a layer, or do not promise {words.listing(paths)}."
    return None


RULE = Rule(
    "not-saved",
    meaning="A promised restore path never writes this variable, so it keeps its initial value in every restore.",
    why="Saving and restoring raise nothing, and assert_consumed() passes: what was never saved is never missed. Under "
    "Keras 3 tf.train.Checkpoint does not track layers in lists and dicts of a subclassed model, and weights files "
    "leave out a raw tf.Variable.",
    example=Example("not-saved/tuple-to-list"),
    fix="Hold the layers in attributes or in a tuple, create weights with add_weight, or do not promise this path.",
    level="warning",
    breaking="error",
    explains=Explanation(applies, says, variable_ends, advice=advice),
    notices=notices,
)
