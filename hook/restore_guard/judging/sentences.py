"""What a finding says to a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from restore_guard.judging import causes
from restore_guard.judging.causes import Cause
from restore_guard.judging.comparison import Comparison, Trouble
from restore_guard.judging.correspondence import leaf
from restore_guard.restore_paths.outcome import gist
from restore_guard.signature import Holder, Variable


def ends(comparison: Comparison, cause: Cause) -> tuple[str | None, str | None]:
    """The old and the new side, as its first variable shows them."""
    trouble = cause.troubles[0]
    old, new = comparison.olds.get(trouble.old), comparison.news.get(trouble.new)
    if cause.rule == "layer-type-changed":
        before, after = cause.subject
        return _typed(before, comparison.old_holders), _typed(after, comparison.new_holders)
    if cause.rule == "variable-misplaced":
        return trouble.got, trouble.new
    if cause.rule == "shape-changed":
        return f"{old.path} {_shape(old)}", f"{new.path} {_shape(new)}"
    if cause.rule == "dtype-changed":
        return f"{old.path} {old.dtype}", f"{new.path} {new.dtype}"
    if _moved(cause):
        outcome = comparison.outcomes[trouble.path]
        return outcome.saved_addresses.get(trouble.old), outcome.model_addresses.get(trouble.new)
    return trouble.old, trouble.new


def _moved(cause: Cause) -> bool:
    return cause.rule == "variable-renamed" and cause.subject == (None, None)


def _typed(path: str, holders: Mapping[str, Holder]) -> str:
    return f"{path} {holders[path].type}" if path in holders else path


def _shape(variable: Variable) -> str:
    return "unknown" if variable.shape is None else f"({', '.join(map(str, variable.shape))})"


def message(comparison: Comparison, cause: Cause, old: str | None, new: str | None) -> str:
    sentence = _sentence(comparison, cause, old, new)
    others = len({trouble.name for trouble in cause.consequences} - {trouble.name for trouble in cause.troubles})
    if others:
        sentence += f" Because of it, {_count(others, 'other variable')} no longer restore{'s' if others == 1 else ''}."
    return sentence


def _sentence(comparison: Comparison, cause: Cause, old: str | None, new: str | None) -> str:
    before, after = cause.subject
    names = list(dict.fromkeys(trouble.name for trouble in cause.troubles))
    if cause.rule == "variable-renamed" and _moved(cause):
        return f"{listing(names)} moved within the checkpoint, from {old} to {new}."
    if cause.rule == "variable-renamed":
        return f"{before} was renamed to {after} ({_parts(names, after)})."
    if cause.rule == "variable-added":
        return f"{after} is new ({_parts(names, after)}): old checkpoints hold no value for it."
    if cause.rule == "config-incompatible":
        return "A saved configuration can no longer be made into a model by this code."
    if cause.rule == "variable-missing" and before is None:
        return "The load call raises for a reason that names no variable."
    if cause.rule == "variable-missing":
        site = comparison.olds[cause.troubles[0].old].site
        origin = f", created at {site.file}:{site.line} before" if site is not None else ""
        return f"{before} is gone ({_parts(names, before)}{origin}): its values in old checkpoints are dropped."
    if cause.rule == "layer-type-changed":
        types = _type(comparison.old_holders, before), _type(comparison.new_holders, after)
        renamed = f"{before} was a {types[0]} and is now " + (f"{after}, " if after != before else "")
        return f"{renamed}a {types[1]}."
    if cause.rule == "variable-misplaced":
        return f"{listing(dict.fromkeys(map(_misplacing, cause.troubles)))}."
    if cause.rule == "sharing-changed" and old is None:
        was = causes.alias_of(new, dict(comparison.saved.aliases))
        return f"{after} was {f'another name of {was}' if was else 'shared with another layer'} and is now on its own."
    if cause.rule == "sharing-changed":
        now = causes.alias_of(old, dict(comparison.model.aliases))
        return f"{before} was on its own and is now {f'another name of {now}' if now else 'one with another layer'}."
    if cause.rule == "not-saved":
        paths = [path for path in comparison.outcomes if path in cause.paths]
        return f"{listing(paths)} wrote {listing(names)} before and no longer does."
    pairs = dict.fromkeys((comparison.olds[t.old], comparison.news[t.new]) for t in cause.troubles)
    if cause.rule == "shape-changed":
        return f"{listing(f'{b.path}: shape {_shape(a)} is now {_shape(b)}' for a, b in pairs)}."
    return f"{listing(f'{b.path}: dtype {a.dtype} is now {b.dtype}' for a, b in pairs)}."


def _misplacing(trouble: Trouble) -> str:
    if trouble.new == trouble.got and trouble.old is not None:
        return f"{trouble.new} now does what {trouble.old} did, and gets the value of {trouble.got} still"
    return f"{trouble.new} gets the value of {trouble.got}"


def _type(holders: Mapping[str, Holder], path: str) -> str:
    return holders[path].type if path in holders else "layer"


def _parts(names: Sequence[str], top: str) -> str:
    parts = [name.removeprefix(f"{top}/") if name != top else leaf(name) for name in names]
    return f"{_count(len(parts), 'variable')}: {listing(parts)}"


def listing(names: Iterable[str], most: int = 4) -> str:
    listed = list(names)
    shown = ", ".join(listed[:most])
    return shown if len(listed) <= most else f"{shown} and {len(listed) - most} more"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def effect(comparison: Comparison, cause: Cause, path: str) -> str:
    """What the load call of one path does with the variables of a cause."""
    outcome = comparison.outcomes[path]
    mine = [trouble for trouble in cause.every if trouble.path == path]
    if outcome.kind == "raises":
        names = {name for trouble in mine for name in (trouble.old, trouble.new) if name}
        first = min((outcome.failures_of[name] for name in names if name in outcome.failures_of), default=None)
        if first is None and not names:
            first = next((n for n, why in enumerate(outcome.failures) if not (why.saved or why.model)), None)
        # A load call tells one error; a cause that it does not get to has none of its own.
        return f"{path} raises: {gist(outcome.failures[first].message)}" if first is not None else f"{path} raises"
    initial = len({trouble.new for trouble in mine} & outcome.initials)
    unused = len({trouble.old for trouble in mine} & outcome.unuseds)
    wrong = len({trouble.new for trouble in mine if trouble.got not in (None, trouble.old)})
    reshaped = len({trouble.new for trouble in mine} & set(outcome.reshaped))
    parts = []
    if initial:
        parts.append(f"{_count(initial, 'variable')} keep{'s its' if initial == 1 else ' their'} initial value")
    if unused:
        parts.append(f"{_count(unused, 'saved value')} {'is' if unused == 1 else 'are'} dropped")
    if wrong:
        parts.append(f"{_count(wrong, 'variable')} get{'s' if wrong == 1 else ''} the value of another")
    if reshaped:
        parts.append(f"{_count(reshaped, 'variable')} take{'s' if reshaped == 1 else ''} a value of another shape")
    return f"{path} raises nothing: {', '.join(parts)}"
