"""What `init` found and would write, for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from restore_guard.commands.discovery import Candidate
from restore_guard.commands.init import Plan, Survey
from restore_guard.reports.wording import counted, plain


def render_survey(found: Survey) -> str:
    """The models that can be guarded, and what the others lack."""
    lines = [f"Built with {plain(str(found.python.path))} ({plain(found.python.reason)})."]
    if found.usable:
        lines += ["", "Models that can be guarded:"]
    for model in found.usable:
        held = counted(model.variables, "variable")
        lines.append(f"  {plain(model.candidate.name)}: {_place(model.candidate)}, {held}")
    left_out = [*_unusable(found)]
    return "\n".join([*lines, *([""] if left_out else []), *left_out]) + "\n"


def _unusable(found: Survey) -> Iterator[str]:
    if found.unusable or found.uncallable:
        yield "Left out:"
    for model in found.unusable:
        yield f"  {_place(model.candidate)}: {plain(model.build.failure or '')}"
    for candidate in found.uncallable:
        needed = ", ".join(candidate.required)
        yield f"  {_place(candidate)}: needs {needed}. A function that chooses them can be guarded:"
        arguments = ", ".join(f"{name}=..." for name in candidate.required)
        yield f"      def build_{candidate.name.replace('-', '_')}():"
        yield f"          return {candidate.builder.partition(':')[2]}({arguments})"


def _place(candidate: Candidate) -> str:
    return plain(f"{candidate.file}:{candidate.line} {candidate.builder.partition(':')[2]}")


def render_plan(proposed: Plan) -> str:
    """Every line that would be written."""
    lines = []
    for file in proposed.files:
        lines.append(f"{'New file' if file.before is None else 'Added to'} {plain(file.path)}:")
        lines += [
            f"  | {plain(line)}" if not line.startswith(" ") else f"  | {line}" for line in file.added.splitlines()
        ]
        lines.append("")
    for path in proposed.manifests:
        lines.append(f"New file {plain(path)}: what the model's checkpoints hold, to be committed and reviewed")
    return "\n".join([*lines, *_by_hand(proposed)]) + "\n"


def _by_hand(proposed: Plan) -> Iterator[str]:
    if proposed.by_hand:
        yield ""
        yield "Left for you to do:"
    for advice in proposed.by_hand:
        first, *rest = advice.splitlines()
        yield f"  - {first}"
        yield from (f"    {line}" for line in rest)


def render_written(proposed: Plan) -> str:
    paths = [file.path for file in proposed.files]
    folders = sorted({path.rpartition("/")[0] for path in proposed.manifests})
    lines = [
        *(f"written  {plain(path)}" for path in paths),
        "Next, install the hook and commit:",
        f"  {proposed.install}",
        f"  git add {' '.join(map(shlex.quote, dict.fromkeys([*proposed.untracked, *paths, *folders])))}",
        '  git commit -m "Guard checkpoints"',
    ]
    return "\n".join(lines) + "\n"
