"""Whether a repair helps: the repaired build, judged as the head was. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from restore_guard.change.diffs import Diff
from restore_guard.judging.case import Case, base_signature, paths_of, readable, saved_signature
from restore_guard.judging.comparison import compare, troubles
from restore_guard.result import Finding
from restore_guard.signature import Signature


def lost(case: Case, model: Signature) -> Counter[str]:
    """{restore path: how many troubles old checkpoints have with what the head's code, or a repair of it, builds}.

    Files of whole models are left out: what they become is asked of the code once more, which a trial does not.
    """
    paths = [path for path in paths_of(case) if path not in model.load.revives]
    saved = saved_signature(readable(case.base_manifest), base_signature(case), paths_of(case))
    if saved is None:
        return Counter()
    compared = compare(saved, model, paths, Diff({}))
    return Counter(trouble.path for comparison in compared for trouble in troubles(comparison))


def mended(finding: Finding, before: Counter[str], after: Counter[str]) -> tuple[list[str], list[str]] | None:
    """(restore paths of a finding that restore with a repair, those with less trouble); None where it does not help.

    Args:
        before, after: what is `lost` without the repair and with it.
    """
    if any(after[path] > before[path] for path in after):
        return None
    better = [path for path in finding.restores if after[path] < before[path]]
    return ([path for path in better if not after[path]], [path for path in better if after[path]]) if better else None


def outcome(finding: Finding, restored: Sequence[str], better: Sequence[str]) -> str:
    """What a repair does, as half a sentence."""
    parts = [f"restores on {' and '.join(restored)}"] if restored else []
    parts += [f"loses less on {' and '.join(better)}"] if better else []
    rest = [path for path in finding.restores if path not in (*restored, *better)]
    parts += [f"nothing changes on {' and '.join(rest)}"] if rest else []
    return f"{', '.join(parts)}, tried"
