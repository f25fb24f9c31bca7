"""Commands and options about checkpoint files; no logic."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from restore_guard import terminal
from restore_guard.config import RESTORE_PATHS

if TYPE_CHECKING:  # start-up counts
    from restore_guard.commands.builders import Builder


def _builder_options(command: Callable[..., None]) -> Callable[..., None]:
    function = click.option(
        "--builder", metavar="MODULE:FUNCTION", help="What builds the model, where nothing is configured."
    )
    return function(click.option("--kwargs", metavar="JSON", help="The arguments of --builder.")(command))


@click.command()
@click.argument("checkpoint")
@click.option("--model", "name", metavar="NAME", help="The model that it is of; by default all are tried.")
@_builder_options
@click.option("--find", is_flag=True, help="Look for the promise that it fits in git's history; builds nothing.")
@click.option("--error", metavar="TEXT", help="A message of TensorFlow or Keras that is to be explained.")
@click.option("--format", "form", type=click.Choice(["text", "json", "html"]), default="text", show_default=True)
def audit(
    checkpoint: str,
    name: str | None,
    builder: str | None,
    kwargs: str | None,
    find: bool,
    error: str | None,
    form: str,
) -> None:
    """Judge whether a checkpoint file restores into the files on disk, and whether it is intact.

    CHECKPOINT is a file (.weights.h5, .weights.json, .h5, .keras), a SavedModel, an unzipped .keras, a folder that
    a CheckpointManager or a callback of Keras has written, or what the files of a TensorFlow checkpoint begin with:
    ckpt-1 for ckpt-1.index.
    """
    if find and (builder or error or form == "html"):
        raise click.UsageError("--find builds nothing, and is told as text or json.")
    _refuse_two_models(name, builder, kwargs)

    def run() -> int:
        if find:
            return _find(checkpoint, name, form)
        from restore_guard.commands import audit as auditing
        from restore_guard.reports import audit_html, audit_json, audit_text

        with terminal.run(anywhere=builder is not None) as run:
            found = auditing.audit(run, checkpoint, name=name, builder=_builder(builder, kwargs), error=error)
        rendered = (
            {"json": audit_json.render, "html": audit_html.render}[form](found)
            if form != "text"
            else audit_text.render(found, color=terminal.is_colored(), width=terminal.width())
        )
        click.echo(rendered, nl=False)
        return found.exit_code

    terminal.finish(run)


@click.command()
@click.argument("checkpoint")
@click.argument("out")
@click.option("--model", "name", metavar="NAME", help="The model that it is of; by default the one that it fits.")
@_builder_options
@click.option("--to", type=click.Choice(RESTORE_PATHS), help="Save for another restore path than it was saved for.")
@click.option("--mapping", metavar="FILE", help="A migration of your own, instead of those in the repository.")
@click.option("--epoch", type=click.IntRange(1), help="Which epoch it is of, where it fits several.")
@click.option("--dry-run", is_flag=True, help="Show what would become of each value, and write nothing.")
@click.option("--yes", is_flag=True, help="Where no migration says what goes where: take the guess that is shown.")
def migrate(
    checkpoint: str,
    out: str,
    name: str | None,
    builder: str | None,
    kwargs: str | None,
    to: str | None,
    mapping: str | None,
    epoch: int | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Carry an old checkpoint into the model of today: CHECKPOINT stays, the new one is written to OUT.

    CHECKPOINT is a file, what the files of a TensorFlow checkpoint begin with, or a folder of them; OUT is of the
    same kind. It is written only after a fresh process has restored it and every value was compared.
    """
    _refuse_two_models(name, builder, kwargs)

    def run() -> int:
        from restore_guard.commands import migrate as migrating
        from restore_guard.reports import migrate_text

        progress = terminal.progress_bar()
        request = migrating.Request(checkpoint, out, name, _builder(builder, kwargs), to, mapping, epoch, dry_run)

        def confirm(planned: migrating.Migrated) -> bool:
            progress.clear()
            click.echo(migrate_text.render(planned, dry_run=True), nl=False)
            return yes or (sys.stdin.isatty() and click.confirm("Is this right?", default=False))

        with terminal.run(progress=progress, anywhere=builder is not None) as started:
            done = migrating.migrate(started, request, confirm=confirm)
        click.echo(migrate_text.render(done, dry_run=dry_run), nl=False)
        return done.exit_code

    terminal.finish(run)


def _find(checkpoint: str, name: str | None, form: str) -> int:
    from restore_guard.commands import finding
    from restore_guard.reports import finding_json, finding_text

    with terminal.run() as run:
        found = finding.look_up(run, checkpoint, name=name)
    click.echo(finding_json.render(found) if form == "json" else finding_text.render(found), nl=False)
    return found.exit_code


def _builder(function: str | None, kwargs: str | None) -> Builder | None:
    from restore_guard.commands.builders import Builder

    return Builder(function, kwargs or "{}") if function is not None else None


def _refuse_two_models(name: str | None, builder: str | None, kwargs: str | None) -> None:
    if name is not None and builder is not None:
        raise click.UsageError("--model and --builder exclude each other.")
    if kwargs is not None and builder is None:
        raise click.UsageError("--kwargs are those of --builder.")
