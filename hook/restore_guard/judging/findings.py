"""Causes made into findings: judged by the rules, told to a person.

Pure: what is known of the base, the history and the ignore list comes in as a `Context`.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from restore_guard.change.diffs import Place
from restore_guard.config import Config, ignores
from restore_guard.judging import causes
from restore_guard.judging.causes import Cause
from restore_guard.judging.comparison import Comparison, Trouble, newly_unsaved, troubles
from restore_guard.judging.correspondence import owner, place
from restore_guard.judging.sentences import effect, ends, listing, message
from restore_guard.promise.manifest import Accepted
from restore_guard.result import Behaviour, Finding, Status
from restore_guard.rules import RULES, level
from restore_guard.signature import Signature, Variable


@dataclass(frozen=True)
class Context:
    """What else decides how the findings of a model are judged.

    Attributes:
        model: its name.
        file: where a finding without a line is placed: the manifest.
        known: keys of the troubles that the base already has.
        accepted: the breaks that the head's manifest accepts and the base's does not.
    """

    model: str
    file: str
    config: Config
    known: Collection[tuple[str, str, bool]] = frozenset()
    accepted: Sequence[Accepted] = ()


def find(comparisons: Iterable[Comparison], context: Context) -> list[Finding]:
    """Returns the findings of one model, the gravest first; those of a rule that is off are left out."""
    findings: dict[Hashable, Finding] = {}
    for comparison in comparisons:
        for finding in _of(comparison, context):
            key = (finding.rule, finding.file, finding.line, finding.old, finding.new, finding.status)
            findings[key] = _united(findings[key], finding) if key in findings else finding
    ranks = {"error": 0, "warning": 1}
    return sorted(
        (finding for finding in ignoring(findings.values(), context) if finding.level != "off"),
        key=lambda finding: (ranks[finding.level], finding.status != "new"),
    )


def ignoring(found: Iterable[Finding], context: Context) -> list[Finding]:
    """The findings, those that are new marked where the configuration ignores them."""
    return [
        msgspec.structs.replace(finding, status="ignored", accept="")
        if finding.status == "new"
        and any(ignores(entry, context.model, finding.rule, finding.variables) for entry in context.config.ignore)
        else finding
        for finding in found
    ]


def _of(comparison: Comparison, context: Context) -> list[Finding]:
    found = causes.find(comparison)
    findings = [_finding(comparison, context, cause) for cause in found]
    findings += _newly_unsaved(comparison, context, found)
    findings += _harmless_types(comparison, context, found)
    return findings


def _united(one: Finding, other: Finding) -> Finding:
    """One cause that two comparisons show."""
    return msgspec.structs.replace(
        one,
        level="error" if "error" in (one.level, other.level) else one.level,
        restores=(*one.restores, *other.restores),
        effects=(*one.effects, *other.effects),
        variables=tuple(dict.fromkeys((*one.variables, *other.variables))),
    )


def accept_command(model: str) -> str:
    """What accepts a break of a model."""
    return f'restore-guard update {model} --accept-break "REASON"'


def known_keys(comparisons: Iterable[Comparison]) -> frozenset[tuple[str, str, bool]]:
    """What is already broken between a manifest and the base that should have kept it.

    Where a load call raised, it is no news that a value is lost in silence; the other way round it is.
    """
    keys = [trouble.key for comparison in comparisons for trouble in troubles(comparison)]
    return frozenset(keys + [(path, name, False) for path, name, _ in keys])


def never_saved(signature: Signature, unsaved: Mapping[str, Collection[str]], context: Context) -> list[Finding]:
    """`not-saved` for all that a promised path leaves out, change or no change: said when a manifest is made."""
    return [
        _not_saved(context, [variable for variable in signature.variables if variable.path in names], [path])
        for path, names in unsaved.items()
        if names
    ]


def behaviour_changed(behaviour: Behaviour, comparison: Comparison, context: Context) -> Finding:
    """Everything restores, and a real restore computes something else."""
    sites = [place(item) for item in (*comparison.model.holders, *comparison.model.variables)]
    lines = [comparison.diff.nearest_change(at) for at in sites if at is not None]
    where = next((at for at in lines if at is not None), Place(context.file, 0))
    alike = behaviour.max_difference < sys.float_info.max
    by = f"differ by up to {behaviour.max_difference:.3g}" if alike else "have another form"
    return Finding(
        rule="behaviour-changed",
        level=level("behaviour-changed", context.config),
        file=where.file,
        line=where.line,
        message=f"Everything restores, but from the same inputs and the same values the outputs {by}.",
        fix=RULES["behaviour-changed"].fix,
    )


def _finding(comparison: Comparison, context: Context, cause: Cause) -> Finding:
    old, new = ends(comparison, cause)
    where = cause.place or Place(context.file, 0)
    status = _status(context, cause)
    # Both are warnings where every value still restores; here one does not.
    default = "error" if cause.rule in ("layer-type-changed", "not-saved") else None
    paths = tuple(path for path in comparison.outcomes if path in cause.paths)
    return Finding(
        rule=cause.rule,
        level=level(cause.rule, context.config, default),
        file=where.file,
        line=where.line,
        message=message(comparison, cause, old, new),
        restores=paths,
        old=old,
        new=new,
        status=status,
        effects=tuple(effect(comparison, cause, path) for path in paths),
        fix=RULES[cause.rule].fix if status != "accepted" else "",
        accept=accept_command(context.model) if status == "new" else "",
        variables=tuple(trouble.name for trouble in cause.troubles),
    )


def _status(context: Context, cause: Cause) -> Status:
    if all(_is_accepted(trouble, context.accepted) for trouble in cause.every):
        return "accepted"
    if all(trouble.key in context.known for trouble in cause.every):
        return "pre-existing"
    return "new"


def _is_accepted(trouble: Trouble, accepted: Sequence[Accepted]) -> bool:
    for entry in accepted:
        broken = entry.broken.get(trouble.path)
        if broken is not None and (
            (trouble.raises and broken.outcome == "raises")
            or trouble.new in broken.initial
            or trouble.old in broken.unused
            or (trouble.got is not None and trouble.new in broken.misplaced)
        ):
            return True
    return False


# --- what a finding says -------------------------------------------------------------------------------------


# --- warnings that go with an outcome that restores ----------------------------------------------------------


def _newly_unsaved(comparison: Comparison, context: Context, found: Iterable[Cause]) -> list[Finding]:
    told = {trouble.new for cause in found if cause.rule == "not-saved" for trouble in cause.troubles}
    paths_of: dict[str, list[str]] = {}
    for path, name in newly_unsaved(comparison):
        if name not in told:
            paths_of.setdefault(name, []).append(path)
    groups: dict[tuple[str, ...], list[Variable]] = {}
    for name, paths in paths_of.items():
        groups.setdefault((name.partition("/")[0], *paths), []).append(comparison.news[name])
    return [_not_saved(context, variables, paths) for (_, *paths), variables in groups.items()]


def _not_saved(context: Context, variables: Sequence[Variable], paths: Sequence[str]) -> Finding:
    where = place(variables[0]) or Place(context.file, 0)
    names = [variable.path for variable in variables]
    return Finding(
        rule="not-saved",
        level=level("not-saved", context.config),
        file=where.file,
        line=where.line,
        message=f"{listing(paths)} never writes {listing(names)}: no checkpoint will restore "
        f"{'it' if len(names) == 1 else 'them'}.",
        restores=tuple(paths),
        new=names[0],
        fix=RULES["not-saved"].fix,
        variables=tuple(names),
    )


def _harmless_types(comparison: Comparison, context: Context, found: Iterable[Cause]) -> list[Finding]:
    """`layer-type-changed` as a warning: every value of the layer still restores, but does it compute the same?"""
    told = {name for cause in found for trouble in cause.every for name in (trouble.old, trouble.new)}
    told |= {cause.subject[1] for cause in found if cause.rule == "layer-type-changed"}
    findings = {}
    for name, before in comparison.same.pairs():
        variable, old = comparison.news[name], comparison.olds[before]
        if old.owner == variable.owner or not owner(name):
            continue
        if told & {name, old.path, owner(name)}:
            continue
        where = place(variable)
        if where is not None and not comparison.diff.is_changed(where):
            where = comparison.diff.nearest_change(where) or where
        where = where or Place(context.file, 0)
        findings[owner(name)] = Finding(
            rule="layer-type-changed",
            level=level("layer-type-changed", context.config, "warning"),
            file=where.file,
            line=where.line,
            message=f"{owner(name)} was a {old.owner} and is now a {variable.owner}. Every value still restores; "
            "whether it computes the same was not tried.",
            old=f"{owner(old.path)} {old.owner}",
            new=f"{owner(name)} {variable.owner}",
            fix=RULES["layer-type-changed"].fix,
            variables=(name,),
        )
    return list(findings.values())
