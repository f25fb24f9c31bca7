"""The migration that the work tree asks for: what became of each variable of the last commit.

Both sides are built, and where the model is small enough really saved and restored, as a check does: lines of source
and outputs tell more than a manifest.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from restore_guard.change import affected
from restore_guard.change.run import Run
from restore_guard.commands.suspects import Suspects
from restore_guard.commands.verdicts import known_cases
from restore_guard.errors import UsageError
from restore_guard.judging.case import Case, base_signature, paths_of, readable, saved_signature
from restore_guard.judging.comparison import compare
from restore_guard.judging.evidence import outranked
from restore_guard.judging.placements import plan
from restore_guard.judging.proposal import Proposal, propose
from restore_guard.promise.manifest import Manifest
from restore_guard.promise.migrations import Migrations
from restore_guard.promise.project import Project, Projects, load
from restore_guard.rules.shared import words


def proposals(run: Run, project: Project, names: Sequence[str], reason: str) -> dict[str, Proposal]:
    """{model: what carries its checkpoints of the last commit into the work tree}; a new model has none."""
    repository = run.repository
    head = repository.head()
    try:
        before = load(repository, head) if head is not None else None
    except UsageError:
        before = None
    chosen = [name for name in names if before is not None and name in before.config.models]
    if not chosen:
        return {}
    changes = affected.relative_to(repository.changes(head, project.side), repository.project)
    suspects = Suspects(Projects(before, project), changes, chosen)
    found = {name: _proposal(project, case, reason) for name, case in known_cases(run, suspects, "auto").items()}
    return {name: proposal for name, proposal in found.items() if proposal is not None}


def _proposal(project: Project, case: Case, reason: str) -> Proposal | None:
    promise, head = readable(case.base_manifest), case.head_build.signature
    if promise is None or head is None:
        return None
    written = project.migrations(case.name)
    if isinstance(written, Migrations):
        table = written.start(promise.epoch)
        saved = saved_signature(promise, base_signature(case), paths_of(case))
        if table is not None and not plan(saved, head, [table], strict=True).problems:
            return Proposal(table, {})  # reviewed and decided already
    return proposed(case, promise, reason)


def proposed(case: Case, promise: Manifest, reason: str) -> Proposal:
    """What carries the checkpoints of a promise into the head, of a case whose head builds."""
    saved = saved_signature(promise, base_signature(case), paths_of(case))
    # What a file of a whole model is made into is another model; which variable is which is asked of this one.
    paths = [path for path in paths_of(case) if path not in case.head.load.revives] or ["tf-checkpoint"]
    (compared,) = compare(saved, case.head, paths, case.diff)
    remarks = [*map(words.not_really_tried, case.untried)]
    if case.witness is not None:
        compared, told = outranked(compared, case.witness)
        remarks += told
    return replace(propose(compared, promise.epoch, reason), remarks=tuple(remarks))
