"""What `init` shows and asks on the way from what it found to what it writes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click
from msgspec.structs import replace

from restore_guard import terminal
from restore_guard.building import probing
from restore_guard.change.run import Run
from restore_guard.commands import init, missing, promising
from restore_guard.commands.init import Plan
from restore_guard.commands.survey import Model, Survey
from restore_guard.config import Input, RestorePath
from restore_guard.errors import UsageError
from restore_guard.reports import init_json, init_text


def hold(*, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Returns the exit code: 2 where nothing was written because nobody could be asked.

    Args:
        yes: asks nothing, guards every model that builds, and writes.
        dry_run: asks and writes nothing.
        as_json: asks nothing, and shows one JSON object instead of text.
    """
    ask, progress = not (yes or dry_run or as_json) and sys.stdin.isatty(), terminal.progress_bar()
    show: Callable[[str], None] = (lambda _: None) if as_json else click.echo
    with terminal.run(progress=progress) as started:
        repository = started.repository
        found = init.look(repository, Path.cwd(), os.environ)
        install = None
        if found.unusable:
            with probing.Probe(found.python.path, progress) as probe:
                allowed = _allowed(found) if ask else []
                with progress:
                    found = init.build(repository, found, probe, allowed=allowed)
                install = _install(repository.root / found.folder, found)
                show(init_text.render_survey(found, install))
                unbuilt = next((model for model in found.unusable if model.lacks_inputs), None)
                if ask and unbuilt is not None and (shapes := _shapes(unbuilt)):
                    with progress:
                        found = init.with_inputs(repository, found, unbuilt, shapes, probe)
                    show(init_text.render_survey(found, install))
        names = _names(found) if ask and len(found.usable) > 1 else []
        if ask and found.usable:
            found = replace(found, asked=_paths())
        try:
            proposed = init.plan(repository, found, names)
        except UsageError:
            if as_json:
                click.echo(init_json.render(found, None, written=False, install=install), nl=False)
            raise
        show(init_text.render_plan(proposed))
        written = not dry_run and (yes or ask and click.confirm("Write this?", default=True))
        if as_json:
            code = _write(started, proposed, lambda _: None) if written else 0 if dry_run else 2
            click.echo(init_json.render(found, proposed, written=written, install=install), nl=False)
            return code
        if not written:
            click.echo("Nothing was written." + ("" if ask else " To write this: restore-guard init --yes"))
            return 0 if ask or dry_run else 2
        return _write(started, proposed, click.echo)


def _write(started: Run, proposed: Plan, show: Callable[[str], None]) -> int:
    done, proposed = init.write(started, proposed)
    code = terminal.told(done) if show is click.echo else terminal.code_of(done)
    show(init_text.render_written(proposed).rstrip("\n"))
    return code


def _install(project: Path, found: Survey) -> str | None:
    if not found.missing:
        return None
    return missing.line(found.missing, lambda name: (project / name).is_file(), str(found.python.path))


def _allowed(found: Survey) -> list[str]:
    """The files that somebody lets be imported although that does something."""
    files = []
    for file, names in init.working_files(found).items():
        work = next(model.candidate.work for model in found.unusable if model.name == names[0])
        assert work is not None
        question = f"Importing {file} runs {work.call} ({work.file}:{work.line}). Do it, to build {', '.join(names)}?"
        if click.confirm(question, default=False):
            files.append(file)
    return files


def _shapes(model: Model) -> tuple[Input, ...]:
    """The inputs of which somebody types the shapes; none to leave the model out."""
    shapes: tuple[Input, ...] = click.prompt(
        f"Shape of an input of {model.name} without the batch, such as 784 or 28,28,1 (empty: leave it out)",
        default="",
        show_default=False,
        value_proc=terminal.asked_again(init.inputs_of),
    )
    return shapes


def _names(found: Survey) -> list[str]:
    names: list[str] = click.prompt(
        "Which models shall be guarded (names, or all)",
        default="all",
        value_proc=terminal.asked_again(lambda answer: init.chosen(found, answer)),
    )
    return names


def _paths() -> tuple[RestorePath, ...]:
    paths: tuple[RestorePath, ...] = click.prompt(
        "Which restore paths shall be promised (names, or those that are shown)",
        default="shown",
        value_proc=terminal.asked_again(promising.paths_of),
    )
    return paths
