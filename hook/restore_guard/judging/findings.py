"""Causes made into findings: judged by the rules, told to a person.

Pure: what is known of the base, the history and the ignore list comes in as a `Context`.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

import msgspec

from restore_guard.config import Config, ignores
from restore_guard.judging import causes
from restore_guard.judging.comparison import Comparison, troubles
from restore_guard.judging.sentences import effect, message
from restore_guard.promise.manifest import Accepted, AcceptedLoad
from restore_guard.result import Behaviour, Finding, Status
from restore_guard.rules import RULES, explanation, not_saved
from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Cause, Trouble
from restore_guard.rules.shared.rule import Rule, Told
from restore_guard.signature import Signature


class Context(msgspec.Struct, frozen=True):
    """What else decides how the findings of a model are judged.

    Attributes:
        model: its name.
        file: where a finding without a line is placed: the manifest.
        known: keys of the troubles that the base already has.
        accepted: the breaks that the head's manifest accepts and the base's does not.
        certain: keys of the troubles that count; None for all: no chance decides.
        behaviour: whether both sides compute the same; None where that was not tried.
        migrated: the restore paths whose checkpoints a migration of the change carries across.
    """

    model: str
    file: str
    config: Config
    known: Collection[tuple[str, str, bool]] = frozenset()
    accepted: Sequence[Accepted | AcceptedLoad] = ()
    behaviour: Behaviour | None = None
    certain: Collection[tuple[str, str, bool]] | None = None
    migrated: Collection[str] = frozenset()


def findings_of(comparisons: Iterable[Comparison], context: Context) -> list[Finding]:
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


def _of(comparison: Comparison, context: Context) -> Iterator[Finding]:
    found = causes.root_causes(comparison)
    for cause in found:
        if context.certain is not None and not all(trouble.key in context.certain for trouble in cause.every):
            continue
        rule = RULES[cause.rule]
        yield rule.finding(_told(comparison, context, cause, rule), context.config, context.file)
    for rule in RULES.values():
        for told in rule.notices(comparison, found, context.behaviour):
            yield rule.finding(told, context.config, context.file)


def _united(one: Finding, other: Finding) -> Finding:
    """One cause that two comparisons show."""
    return msgspec.structs.replace(
        one,
        level="error" if "error" in (one.level, other.level) else one.level,
        restores=(*one.restores, *other.restores),
        effects=(*one.effects, *other.effects),
        variables=tuple(dict.fromkeys((*one.variables, *other.variables))),
    )


def known_keys(comparisons: Iterable[Comparison]) -> frozenset[tuple[str, str, bool]]:
    """What is already broken between a manifest and the base that should have kept it.

    Where a load call raised, it is no news that a value is lost in silence; the other way round it is.
    """
    keys = [trouble.key for comparison in comparisons for trouble in troubles(comparison)]
    return frozenset(keys + [(path, name, False) for path, name, _ in keys])


def never_saved(signature: Signature, unsaved: Mapping[str, Collection[str]], context: Context) -> list[Finding]:
    """`not-saved` for all that a promised path leaves out, change or no change: said when a manifest is made."""
    # A whole model is loaded into what its configuration makes, which may have other variables than the builder's.
    revived = [archive.revival.signature for _, archive in signature.wholes if archive.revival is not None]
    known = {
        variable.path: variable for made in (*revived, signature) if made is not None for variable in made.variables
    }
    return [
        not_saved.RULE.finding(
            not_saved.never_writes([variable for name, variable in known.items() if name in names], [path]),
            context.config,
            context.file,
        )
        for path, names in unsaved.items()
        if names
    ]


def _told(comparison: Comparison, context: Context, cause: Cause, rule: Rule) -> Told:
    explains = explanation(rule.name)
    old, new = explains.ends(cause, comparison)
    status = _status(context, cause)
    paths = tuple(path for path in comparison.outcomes if path in cause.paths)
    return Told(
        message(comparison, cause),
        cause.place,
        restores=paths,
        old=old,
        new=new,
        status=status,
        effects=tuple(effect(comparison, cause, path) for path in paths),
        variables=tuple(dict.fromkeys(trouble.name for trouble in cause.own)),
        count=cause.count,
        fix=explains.advice(cause, comparison) if status != "accepted" else None,
        level=rule.breaking,
        accept=words.accept_command(context.model) if status == "new" else "",
    )


def _status(context: Context, cause: Cause) -> Status:
    if all(trouble.path in context.migrated for trouble in cause.every):
        return "migrated"
    if all(trouble.path in context.migrated or is_accepted(trouble, context.accepted) for trouble in cause.every):
        return "accepted"
    if all(trouble.key in context.known for trouble in cause.every):
        return "pre-existing"
    return "new"


def is_accepted(trouble: Trouble, accepted: Sequence[Accepted | AcceptedLoad]) -> bool:
    """Whether an entry of the history covers a trouble."""
    for entry in accepted:
        broken = entry.on(trouble.path)
        if broken is not None and (
            # Where the load call raises, nothing restores at all.
            broken.outcome == "raises"
            or trouble.new in broken.initial
            or trouble.old in broken.unused
            or (trouble.got is not None and trouble.new in broken.misplaced)
        ):
            return True
    return False


# --- what a finding says -------------------------------------------------------------------------------------
