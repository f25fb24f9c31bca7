"""What `init` shows and asks on the way from what it found to what it writes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from restore_guard import terminal
from restore_guard.building import probing
from restore_guard.commands import init
from restore_guard.commands.init import Model
from restore_guard.config import Input
from restore_guard.reports import init_text


def hold(*, yes: bool) -> int:
    """Returns the exit code: 2 where nothing was written because nobody could be asked.

    Args:
        yes: asks nothing, guards every model that builds, and writes.
    """
    ask, progress = not yes and sys.stdin.isatty(), terminal.progress_bar()
    with terminal.run(progress=progress) as started:
        repository = started.repository
        found = init.look(repository, Path.cwd(), os.environ)
        with probing.Probe(found.python.path, progress) as probe:
            with progress:
                found = init.build(repository, found, probe)
            click.echo(init_text.render_survey(found))
            unbuilt = next((model for model in found.unusable if model.lacks_inputs), None)
            if ask and unbuilt is not None and (shapes := _shapes(unbuilt)):
                with progress:
                    found = init.with_inputs(repository, found, unbuilt, shapes, probe)
                click.echo(init_text.render_survey(found))
        proposed = init.plan(repository, found, _names(found) if ask and len(found.usable) > 1 else [])
        click.echo(init_text.render_plan(proposed))
        if not yes and not (ask and click.confirm("Write this?", default=True)):
            click.echo("Nothing was written." + ("" if ask else " To write this: restore-guard init --yes"))
            return 0 if ask else 2
        with progress:
            done = init.write(started, proposed)
        code = terminal.told(done)
        click.echo(init_text.render_written(proposed), nl=False)
        return code


def _shapes(model: Model) -> tuple[Input, ...]:
    """The inputs of which somebody types the shapes; none to leave the model out."""
    shapes: tuple[Input, ...] = click.prompt(
        f"Shape of an input of {model.candidate.name} without the batch, such as 784 or 28,28,1 (empty: leave it out)",
        default="",
        show_default=False,
        value_proc=terminal.asked_again(init.inputs_of),
    )
    return shapes


def _names(found: init.Survey) -> list[str]:
    names: list[str] = click.prompt(
        "Which models shall be guarded (names, or all)",
        default="all",
        value_proc=terminal.asked_again(lambda answer: init.chosen(found, answer)),
    )
    return names
