"""Outcomes made into findings: one for each root cause, on the line that caused it.

Pure: what the rules say of a `Comparison`, with what is known of the base, the history and the ignore list.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from restore_guard.comparison import Comparison, Trouble, newly_unsaved, troubles
from restore_guard.config import Config
from restore_guard.correspondence import leaf, owner, place
from restore_guard.diffs import Place
from restore_guard.manifest import Accepted
from restore_guard.result import Finding, Status
from restore_guard.rules import RULES
from restore_guard.signature import Variable


@dataclass(frozen=True)
class Context:
    """What else decides how findings of a model are judged.

    Attributes:
        model: its name.
        file: where a finding without a line is placed: the manifest.
        known: keys of the troubles that the base already has.
        accepted: the breaks that the head's manifest accepts and the base's does not.
    """

    model: str
    file: str
    config: Config
    known: Collection[tuple[str, str]] = frozenset()
    accepted: Sequence[Accepted] = ()


@dataclass
class Cause:
    """Troubles with one root: `primary` where the head's line of its variables was itself changed."""

    rule: str
    place: Place | None
    primary: bool
    troubles: list[Trouble] = field(default_factory=list)
    consequences: list[Trouble] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return list(dict.fromkeys(trouble.path for trouble in self.troubles + self.consequences))


def find(comparison: Comparison, context: Context) -> list[Finding]:
    """Returns the findings of one model, the gravest first."""
    found = [_finding(comparison, context, cause) for cause in causes(comparison)]
    found += _coverage(comparison, context)
    found += _types(comparison, context)
    ranks = {"error": 0, "warning": 1}
    return sorted((finding for finding in found if finding.level != "off"), key=lambda f: (ranks[f.level], f.status != "new"))


def level(rule: str, config: Config, default: str | None = None) -> str:
    """The level of a rule: the configuration's word, else the rule's own."""
    return config.rules.get(rule, default or RULES[rule].level)


def known_keys(comparison: Comparison) -> frozenset[tuple[str, str]]:
    """What is already broken between a manifest and the base that should have kept it."""
    return frozenset(trouble.key for trouble in troubles(comparison))


# --- root causes ---------------------------------------------------------------------------------------------


def causes(comparison: Comparison) -> list[Cause]:
    """Groups all troubles by root cause.

    A variable whose own line did not change did not cause anything: it is counted as a consequence of the
    nearest cause, where there is one.
    """
    view = _View(comparison)
    groups: dict[Hashable, Cause] = {}
    for trouble in troubles(comparison):
        rule = view.rule(trouble)
        where, primary = view.locate(trouble, rule)
        key = (rule, view.group(trouble, rule))
        cause = groups.setdefault(key, Cause(rule, where, primary))
        if primary and not cause.primary:
            cause.place, cause.primary = where, True
        cause.troubles.append(trouble)
    return _fold(list(groups.values()), view)


def _fold(found: list[Cause], view: _View) -> list[Cause]:
    """Adds consequences to the cause they follow from; several that share a line without a cause become one."""
    primaries = [cause for cause in found if cause.primary]
    kept = list(primaries)
    for cause in found:
        if cause.primary:
            continue
        roots = [root for root in primaries if view.follows(cause, root)]
        if not roots:
            roots = [other for other in kept if not other.primary and (other.rule, other.place) == (cause.rule, cause.place)]
            if roots:
                roots[0].troubles.extend(cause.troubles)
            else:
                kept.append(cause)
            continue
        nearest = min(roots, key=lambda root: view.distance(root, cause))
        nearest.consequences.extend(cause.troubles)
    return kept


class _View:
    """A comparison with the look-ups that grouping needs."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison, self.diff = comparison, comparison.diff
        self.saved = {variable.path: variable for variable in comparison.saved.variables}
        self.model = {variable.path: variable for variable in comparison.model.variables}
        paired = set(comparison.pairs.values())
        self.kept_saved = _prefixes(path for path in self.saved if path in paired)
        self.kept_model = _prefixes(comparison.pairs)
        self.aliases_saved = dict(comparison.saved.aliases)
        self.aliases_model = dict(comparison.model.aliases)

    def pair(self, trouble: Trouble) -> tuple[Variable | None, Variable | None]:
        return self.saved.get(trouble.old), self.model.get(trouble.new)

    def rule(self, trouble: Trouble) -> str:
        old, new = self.pair(trouble)
        if old is None and new is None:
            return "variable-missing"
        if old is None:
            if _alias(new.path, self.aliases_saved):
                return "sharing-changed"
            return "layer-type-changed" if self.retyped(new.path) else "variable-added"
        if new is None:
            if _alias(old.path, self.aliases_model):
                return "sharing-changed"
            return "layer-type-changed" if self.retyped(old.path) else "variable-missing"
        if trouble.unsaved:
            return "not-saved"
        if old.owner != new.owner and self.retyped(new.path):
            return "layer-type-changed"
        if old.shape != new.shape:
            return "shape-changed"
        if old.dtype != new.dtype:
            return "dtype-changed"
        if trouble.got is not None:
            return "variable-misplaced"
        return "variable-renamed"

    def retyped(self, path: str) -> bool:
        """True where both sides have the owner, under one path, with another type."""
        at = owner(path)
        olds = {variable.owner for variable in self.saved.values() if owner(variable.path) == at}
        news = {variable.owner for variable in self.model.values() if owner(variable.path) == at}
        return bool(at and olds and news and not olds & news)

    def group(self, trouble: Trouble, rule: str) -> Hashable:
        old, new = self.pair(trouble)
        if old is None and new is None:
            return trouble.path
        if rule == "variable-renamed" and old.path != new.path:
            return _renaming(old.path, new.path)
        if rule == "variable-renamed":
            return "moved"
        if rule == "variable-added":
            return _top(new.path, self.kept_model)
        if rule == "variable-missing":
            return _top(old.path, self.kept_saved)
        return owner((new or old).path)

    def locate(self, trouble: Trouble, rule: str) -> tuple[Place | None, bool]:
        """Returns (line of the head, whether that line is the cause itself)."""
        old, new = self.pair(trouble)
        at = place(new) if new is not None else None
        if at is not None and self.diff.is_changed(at):
            return at, True
        if new is None and old is not None and place(old) is not None:
            removed = self.diff.head(place(old)) is None
            where = self.diff.removal(place(old)) if removed else None
            return (where, True) if where else (self.diff.nearest_change(place(old)) or place(old), False)
        if at is None:
            return None, rule in ("variable-added", "variable-missing")
        return self.diff.nearest_change(at) or at, False

    def follows(self, cause: Cause, root: Cause) -> bool:
        """A consequence has a root in the same file, or is an optimizer's slot, or comes from no changed line."""
        if cause.place is None or root.place is None or self.of_optimizer(cause):
            return True
        return cause.place.file == root.place.file

    def of_optimizer(self, cause: Cause) -> bool:
        return all("optimizer" in (trouble.new or trouble.old or "").split("/") for trouble in cause.troubles)

    def distance(self, root: Cause, cause: Cause) -> int:
        if root.place is None or cause.place is None:
            return 0
        return abs(root.place.line - cause.place.line)


def _alias(path: str, aliases: Mapping[str, str]) -> str | None:
    """The object that a path, or what holds it, was another name of."""
    while path:
        if path in aliases:
            return aliases[path]
        path = owner(path)
    return None


def _prefixes(paths: Iterable[str]) -> set[str]:
    found = set()
    for path in paths:
        while path and path not in found:
            found.add(path)
            path = owner(path)
    return found


def _top(path: str, kept: set[str]) -> str:
    """The topmost object above a variable that is wholly new, or wholly gone."""
    while owner(path) and owner(path) not in kept:
        path = owner(path)
    return path


def _renaming(old: str, new: str) -> tuple[str, str]:
    """The part of the path that was renamed, alike for all variables below it."""
    olds, news = old.split("/"), new.split("/")
    while len(olds) > 1 and len(news) > 1 and olds[-1] == news[-1]:
        olds, news = olds[:-1], news[:-1]
    return "/".join(olds), "/".join(news)


# --- findings ------------------------------------------------------------------------------------------------


def _finding(comparison: Comparison, context: Context, cause: Cause) -> Finding:
    view = _View(comparison)
    rule = RULES[cause.rule]
    old, new = _ends(view, cause)
    where = cause.place or Place(context.file, 0)
    status = _status(context, cause)
    default = "error" if cause.rule in ("layer-type-changed", "not-saved") else None
    return Finding(
        rule=cause.rule,
        level=level(cause.rule, context.config, default),
        file=where.file,
        line=where.line,
        message=_message(view, cause, old, new),
        restores=tuple(path for path in comparison.outcomes if path in cause.paths),
        old=old,
        new=new,
        status=status,
        effects=tuple(_effect(comparison, cause, path) for path in comparison.outcomes if path in cause.paths),
        fix=rule.fix,
        accept=accept_command(context.model) if status == "new" else "",
    )


def accept_command(model: str) -> str:
    return f'restore-guard update {model} --accept-break "REASON"'


def _status(context: Context, cause: Cause) -> Status:
    every = cause.troubles + cause.consequences
    if all(_is_accepted(trouble, context.accepted) for trouble in every):
        return "accepted"
    if all(trouble.key in context.known for trouble in every):
        return "pre-existing"
    names = [name for trouble in cause.troubles for name in [trouble.new or trouble.old] if name]
    for entry in context.config.ignore:
        if (
            fnmatchcase(context.model, entry.model)
            and entry.rule == cause.rule
            and names
            and all(fnmatchcase(name, entry.variable) for name in names)
        ):
            return "ignored"
    return "new"


def _is_accepted(trouble: Trouble, accepted: Sequence[Accepted]) -> bool:
    for entry in accepted:
        broken = entry.broken.get(trouble.path)
        if broken is not None and (
            (trouble.raises and broken.outcome == "raises")
            or trouble.new in broken.initial
            or trouble.old in broken.unused
        ):
            return True
    return False


def _ends(view: _View, cause: Cause) -> tuple[str | None, str | None]:
    """The old and the new side of a finding, as its first variable shows them."""
    trouble = cause.troubles[0]
    old, new = view.pair(trouble)
    if cause.rule == "variable-renamed" and old.path == new.path:
        outcome = view.comparison.outcomes[trouble.path]
        return outcome.saved_addresses.get(old.path), outcome.model_addresses.get(new.path)
    if cause.rule == "shape-changed":
        return f"{old.path} {_shape(old)}", f"{new.path} {_shape(new)}"
    if cause.rule == "dtype-changed":
        return f"{old.path} {old.dtype}", f"{new.path} {new.dtype}"
    if cause.rule == "layer-type-changed":
        at = owner((new or old).path)
        return f"{at} {_type(view.saved, at)}", f"{at} {_type(view.model, at)}"
    return (old.path if old else None), (new.path if new else None)


def _type(variables: Mapping[str, Variable], at: str) -> str | None:
    return next((variable.owner for variable in variables.values() if owner(variable.path) == at), None)


def _shape(variable: Variable) -> str:
    return "unknown" if variable.shape is None else f"({', '.join(map(str, variable.shape))})"


def _message(view: _View, cause: Cause, old: str | None, new: str | None) -> str:
    sentence = _SENTENCES[cause.rule](view, cause, old, new)
    if cause.consequences:
        names = dict.fromkeys(trouble.new or trouble.old for trouble in cause.consequences)
        sentence += f" {_count(len(names), 'other variable')} no longer restore{'s' if len(names) == 1 else ''} because of it."
    return sentence


def _renamed(view: _View, cause: Cause, old: str | None, new: str | None) -> str:
    trouble = cause.troubles[0]
    if trouble.old == trouble.new:
        names = _listing(trouble.new for trouble in cause.troubles)
        return f"{names} moved within the model: its checkpoint address was {old}, now it is {new}."
    before, after = _renaming(trouble.old, trouble.new)
    return f"{before} was renamed to {after} ({_leaves(cause, after)})."


def _added(view: _View, cause: Cause, old: str | None, new: str | None) -> str:
    top = _top(cause.troubles[0].new, view.kept_model)
    return f"{top} is new ({_leaves(cause, top)}): old checkpoints hold no value for it."


def _missing(view: _View, cause: Cause, old: str | None, new: str | None) -> str:
    if cause.troubles[0].old is None:
        return "The load call raises for a reason that names no variable."
    top = _top(cause.troubles[0].old, view.kept_saved)
    site = view.saved[cause.troubles[0].old].site
    origin = f", created at {site.file}:{site.line} before" if site is not None else ""
    return f"{top} is gone ({_leaves(cause, top)}{origin}): the values in old checkpoints are dropped."


def _shape_message(view: _View, cause: Cause, old: str | None, new: str | None) -> str:
    names = dict.fromkeys((trouble.old, trouble.new) for trouble in cause.troubles)
    parts = [
        f"{view.model[after].path}: shape {_shape(view.saved[before])} is now {_shape(view.model[after])}"
        for before, after in names
        if view.saved[before].shape != view.model[after].shape
    ]
    return f"{_listing(parts)}."


def _dtype_message(view: _View, cause: Cause, old: str | None, new: str | None) -> str:
    names = dict.fromkeys((trouble.old, trouble.new) for trouble in cause.troubles)
    parts = [f"{after}: dtype {view.saved[before].dtype} is now {view.model[after].dtype}" for before, after in names]
    return f"{_listing(parts)}."


def _type_message(view: _View, cause: Cause, old: str | None, new: str | None) -> str:
    at, _, before = (old or "").rpartition(" ")
    return f"{at} was a {before} and is now a {(new or '').rpartition(' ')[2]}."


def _unsaved_message(view: _View, cause: Cause, old: str | None, new: str | None) -> str:
    names = _listing(dict.fromkeys(trouble.new for trouble in cause.troubles))
    paths = _listing(cause.paths)
    return f"{names}: {paths} wrote {'it' if len(cause.troubles) == 1 else 'them'} before and no longer does."


def _misplaced_message(view: _View, cause: Cause, old: str | None, new: str | None) -> str:
    parts = [f"{trouble.new} gets the value of {trouble.got}" for trouble in cause.troubles]
    return f"{_listing(dict.fromkeys(parts))}."


def _sharing_message(view: _View, cause: Cause, old: str | None, new: str | None) -> str:
    if old is None:
        return f"{new} was another name of {_alias(new, view.aliases_saved)} and is now a variable of its own."
    return f"{old} was a variable of its own and is now another name of {_alias(old, view.aliases_model)}."


_SENTENCES: dict[str, Callable[[_View, Cause, str | None, str | None], str]] = {
    "variable-renamed": _renamed,
    "variable-added": _added,
    "variable-missing": _missing,
    "shape-changed": _shape_message,
    "dtype-changed": _dtype_message,
    "layer-type-changed": _type_message,
    "not-saved": _unsaved_message,
    "variable-misplaced": _misplaced_message,
    "sharing-changed": _sharing_message,
}


def _leaves(cause: Cause, top: str) -> str:
    names = dict.fromkeys(
        (trouble.new or trouble.old).removeprefix(top).lstrip("/") or leaf(top) for trouble in cause.troubles
    )
    return f"{_count(len(names), 'variable')}: {_listing(names)}"


def _listing(names: Iterable[str], most: int = 4) -> str:
    listed = list(names)
    shown = ", ".join(listed[:most])
    return shown if len(listed) <= most else f"{shown} and {len(listed) - most} more"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _effect(comparison: Comparison, cause: Cause, path: str) -> str:
    outcome = comparison.outcomes[path]
    if outcome.kind == "raises":
        error = (outcome.error or "").splitlines()
        return f"{path} raises: {error[0] if error else 'an error without a message'}"
    mine = [trouble for trouble in cause.troubles + cause.consequences if trouble.path == path]
    initial = len({t.new for t in mine if t.new in outcome.initial})
    unused = len({t.old for t in mine if t.old in outcome.unused})
    parts = []
    if initial:
        parts.append(f"{_count(initial, 'variable')} keep{'s its' if initial == 1 else ' their'} initial value")
    if unused:
        parts.append(f"{_count(unused, 'saved value')} {'is' if unused == 1 else 'are'} dropped")
    return f"{path} raises nothing: {' and '.join(parts) or 'values land elsewhere'}"


def _coverage(comparison: Comparison, context: Context) -> list[Finding]:
    """`not-saved` for what no checkpoint of the new code will hold."""
    told = {trouble.new for cause in causes(comparison) if cause.rule == "not-saved" for trouble in cause.troubles}
    groups: dict[tuple[str, ...], list[str]] = {}
    paths_of: dict[str, list[str]] = {}
    for path, name in newly_unsaved(comparison):
        if name not in told:
            paths_of.setdefault(name, []).append(path)
    for name, paths in paths_of.items():
        groups.setdefault((*paths, _top_owner(name)), []).append(name)
    return [
        not_saved(context, names, key[:-1], place(comparison.new(names[0]))) for key, names in groups.items()
    ]


def _top_owner(path: str) -> str:
    return path.partition("/")[0]


def not_saved(context: Context, names: Sequence[str], paths: Sequence[str], at: Place | None) -> Finding:
    """The finding that a path never writes some variables, change or no change."""
    rule = RULES["not-saved"]
    where = at or Place(context.file, 0)
    return Finding(
        rule=rule.name,
        level=level(rule.name, context.config),
        file=where.file,
        line=where.line,
        message=f"{_listing(paths)} never writes {_listing(names)}: no checkpoint will restore {'it' if len(names) == 1 else 'them'}.",
        restores=tuple(paths),
        new=names[0],
        fix=rule.fix,
    )


def _types(comparison: Comparison, context: Context) -> list[Finding]:
    """`layer-type-changed` as a warning, where every value of the layer still restores."""
    view = _View(comparison)
    told = {
        trouble.new or trouble.old for cause in causes(comparison) for trouble in cause.troubles + cause.consequences
    }
    changed: dict[tuple[str, str | None, str | None], list[str]] = {}
    for new, old in comparison.pairs.items():
        before, after = view.saved[old], view.model[new]
        if before.owner != after.owner and new not in told and old not in told and owner(new):
            changed.setdefault((owner(new), before.owner, after.owner), []).append(new)
    found = []
    for (at, before, after), names in changed.items():
        where = place(view.model[names[0]])
        if where is not None and not comparison.diff.is_changed(where):
            where = comparison.diff.nearest_change(where) or where
        where = where or Place(context.file, 0)
        found.append(
            Finding(
                rule="layer-type-changed",
                level=level("layer-type-changed", context.config, "warning"),
                file=where.file,
                line=where.line,
                message=f"{at} was a {before} and is now a {after}. Every value still restores; "
                "whether it computes the same is not known.",
                old=f"{at} {before}",
                new=f"{at} {after}",
                fix=RULES["layer-type-changed"].fix,
            )
        )
    return found
