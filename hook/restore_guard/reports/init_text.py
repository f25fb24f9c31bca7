"""What `init` found and would write, for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from restore_guard.commands import promising
from restore_guard.commands.init import Plan
from restore_guard.commands.survey import Model, Survey
from restore_guard.reports.wording import counted, plain

CALLS = 3
"""More of them are counted, or left out."""


def render_survey(found: Survey, install: str | None = None) -> str:
    """The models that can be guarded, and what the others lack.

    Args:
        install: the command that installs the packages that some of them lack.
    """
    lines = [f"Built with {plain(str(found.python.path))} ({plain(found.python.reason)})."]
    if found.usable:
        lines += ["", "Models that can be guarded:"]
    for model in found.usable:
        shown = f", as {plain(model.attempt.place)} makes it" if model.attempt.place else ""
        lines.append(f"  {plain(model.name)}: {_place(model)}, {counted(model.variables, 'variable')}{shown}")
        lines += _promise(found, model)
    left_out = [*_unusable(found), *_missing(found, install)]
    return "\n".join([*lines, *([""] if left_out else []), *left_out]) + "\n"


def _promise(found: Survey, model: Model) -> Iterator[str]:
    """The restore paths that it will promise, with the calls that say so, and the calls that do not tell theirs."""
    habit = promising.habit_of(found, model)
    shown = []
    for path in promising.promised(found, model):
        told = [plain(str(call)) for call in habit.of(path)[:CALLS]]
        shown.append(f"{path} ({', '.join(told)})" if told else path)
    yield f"      promises {', '.join(shown)}"
    if not habit.calls:
        yield "      as no call that saves or loads was found"
    for call in habit.unclear[:CALLS]:
        why = f"{', '.join(call.unknown)} is no constant" if call.unknown else call.why
        yield f"      not told by {plain(f'{call}: {why}')}"
    if len(habit.unclear) > CALLS:
        yield f"      nor by {counted(len(habit.unclear) - CALLS, 'further call')}"


def by_hand(model: Model) -> list[str]:
    """The lines that somebody can write so that a model which cannot be guarded as it is can be."""
    candidate = model.candidate
    if candidate.kind == "enclosed" or candidate.work is not None or not candidate.required or model.attempts:
        return []
    owner, _, name = candidate.builder.partition(":")
    arguments = ", ".join(f"{argument}=..." for argument in candidate.required)
    return [
        f"def build_{candidate.name.replace('-', '_')}():",
        f"    from {owner} import {name.partition('.')[0]}",
        "",
        f"    return {name}({arguments}){candidate.part}",
    ]


def _unusable(found: Survey) -> Iterator[str]:
    if any(model.lacks is None for model in found.unusable):
        yield "Left out:"
    for model in found.unusable:
        if model.lacks is not None:
            continue
        lines = by_hand(model)
        also = ". A function in restore_guard_models.py that chooses them can be guarded:" if lines else ""
        yield f"  {_place(model)}: {plain(model.build.failure or '')}{also}"
        yield from (f"      {line}".rstrip() for line in lines)


def _missing(found: Survey, install: str | None) -> Iterator[str]:
    """Each package once, for all models that need it."""
    for package, names in found.missing.items():
        yield f"Without {plain(package)}, which is not installed there, {', '.join(map(plain, names))} cannot be built."
    if found.missing and install is not None:
        yield f"  {plain(install)}"


def _place(model: Model) -> str:
    candidate = model.candidate
    return plain(f"{candidate.file}:{candidate.line} {candidate.target.partition(':')[2]}")


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
