"""Repairs that were tried: each is built from a copy of the head and judged, and only one that helps is suggested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from restore_guard.building.workshop import BuildOrder, Workshop
from restore_guard.change.states import Change
from restore_guard.errors import UncheckedError
from restore_guard.judging.case import Case
from restore_guard.judging.mended import lost, mended, outcome
from restore_guard.judging.repairs import Repair, repairs
from restore_guard.promise.project import Projects
from restore_guard.result import Finding, ModelResult, Suggestion

MOST = 3
"""Findings of a model whose repairs are tried, and repairs of a finding."""


SLOWEST = 20.0
"""Seconds; a model that builds longer is not built several times more."""


def with_suggestions(
    projects: Projects,
    changes: Sequence[Change],
    case: Case,
    result: ModelResult,
    orders: Mapping[str, BuildOrder],
    workshop: Workshop,
) -> ModelResult:
    """The result, its failing findings with the repair that helps them most.

    Args:
        changes: the files that differ, relative to the project.
        case: what the result was judged by.
        orders: the builds of either side.
    """
    broken = [finding for finding in result.findings if finding.fails and finding.restores][:MOST]
    tried: dict[str, tuple[Finding, Repair]] = {}
    for finding in broken:
        for repair in list(_repairs(projects, changes, case, finding))[:MOST]:
            tried[f"repair:{len(tried)}:{case.name}"] = finding, repair
    if not tried or case.head_build.seconds > SLOWEST:
        return result
    order, read = orders[f"head:{case.name}"], projects.head.read
    texts = {number: _text(read(repair.file)) for number, (_, repair) in tried.items()}
    variants = {number: (order, repair.file, repair.apply(texts[number])) for number, (_, repair) in tried.items()}
    try:
        built = workshop.build_variants(variants)
    except (OSError, UncheckedError):
        return result  # the verdict stands without a trial
    before = lost(case, case.head)
    best: dict[int, tuple[int, Suggestion]] = {}
    for number, (finding, repair) in tried.items():
        signature = built[number].signature
        helps = mended(finding, before, lost(case, signature)) if signature is not None else None
        if helps is not None:
            rank = 2 * len(helps[0]) + len(helps[1])
            replaced = "\n".join(texts[number].splitlines()[repair.first - 1 : repair.last])
            suggestion = Suggestion(
                *(repair.file, repair.first, repair.last, replaced, "\n".join(repair.lines)), outcome(finding, *helps)
            )
            if rank > best.get(id(finding), (0, suggestion))[0]:
                best[id(finding)] = rank, suggestion
    found = tuple(
        msgspec.structs.replace(item, suggestion=best[id(item)][1]) if id(item) in best else item
        for item in result.findings
    )
    return msgspec.structs.replace(result, findings=found)


def _repairs(projects: Projects, changes: Sequence[Change], case: Case, finding: Finding) -> list[Repair]:
    base, head = projects
    old = next((each.old_path or each.path for each in changes if each.path == finding.file), finding.file)
    before, now = _text(base.read(old)) if base is not None else "", _text(head.read(finding.file))
    signature = case.head_build.signature
    if not before or not now or signature is None:
        return []
    files = [path for path in signature.sources if path.endswith(".py")]
    return list(repairs(finding, before, now, [(path, _text(head.read(path))) for path in files]))


def _text(content: bytes | None) -> str:
    """Nothing where it is no UTF-8: it would not be written as it was."""
    try:
        return (content or b"").decode()
    except UnicodeDecodeError:
        return ""
