"""Commands and options; no logic."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import click

from restore_guard.errors import RestoreGuardError, UsageError
from restore_guard.reports import REPORTS


def _report_options(command):
    form = click.option("--format", "form", type=click.Choice(list(REPORTS)), default="text", show_default=True)
    file = click.Path(dir_okay=False, path_type=Path)
    return form(click.option("--output", type=file, help="Write the report to a file instead.")(command))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="restore-guard")
def main() -> None:
    """Will the checkpoints of yesterday restore into the code of today?"""
    # A stopped run cleans up as an interrupted one does: no temporary folder and no build stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A terminal of another encoding shows a question mark for what it lacks.
    sys.stdout.reconfigure(errors="replace")


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--base", metavar="REF", help="The commit whose checkpoints must still restore; by default the parent.")
@click.option("--head", metavar="REF", help="The commit to check.")
@click.option("--staged", is_flag=True, help="Check what is staged for the next commit.")
@click.option("--worktree", is_flag=True, help="Check the files on disk.")
@click.option("--all", "everything", is_flag=True, help="Check every model, even if no file of it changed.")
@click.option(
    "--witness",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Really save the base and restore it into the head, and compare what both compute: where the model changed "
    "and is small enough, for every model, or not at all.",
)
@_report_options
def check(
    names: tuple[str, ...],
    base: str | None,
    head: str | None,
    staged: bool,
    worktree: bool,
    everything: bool,
    form: str,
    output: Path | None,
    witness: str,
) -> None:
    """Judge whether old checkpoints restore after a change.

    Without refs: as a pre-commit hook, HEAD against what is staged, or what is being pushed; else HEAD
    against the files on disk.
    """
    _refuse_two_heads(head, staged, worktree)

    def run() -> int:
        from restore_guard import check as checking
        from restore_guard.repository import Repository

        with Repository() as repository, _progress() as progress:
            before, after = _sides(repository, base, head, staged, worktree)
            result = checking.check(
                repository,
                before,
                after,
                names=names,
                everything=everything,
                witness=witness,
                environ=os.environ,
                progress=progress,
            )
        _write(result, form, output)
        return result.exit_code

    _finish(run)


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--accept-break",
    "reason",
    metavar="REASON",
    help="Accept that old checkpoints no longer restore, and say why.",
)
def update(names: tuple[str, ...], reason: str | None) -> None:
    """Regenerate manifests from the files on disk.

    Refuses to absorb a break unless --accept-break gives the reason, which the manifest's history keeps.
    """

    def run() -> int:
        from restore_guard import update as updating
        from restore_guard.reports import update_text
        from restore_guard.repository import Repository

        with Repository() as repository, _progress() as progress:
            done = updating.update(repository, names=names, reason=reason, environ=os.environ, progress=progress)
        click.echo(update_text.render(done, color=_is_terminal(), width=_width()), nl=False)
        states = {item.state for item in done}
        return 1 if "refused" in states else 3 if "failed" in states else 0

    _finish(run)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="RESULT.json...", type=click.Path(path_type=Path))
@_report_options
def report(files: tuple[Path, ...], form: str, output: Path | None) -> None:
    """Join JSON reports of several jobs into one verdict.

    Each model may be in one of them only. What `plan` left to a job is unchecked until that job's report is here.
    """

    def run() -> int:
        from restore_guard import joining

        result = joining.join(joining.read(files))
        _write(result, form, output)
        return result.exit_code

    _finish(run)


@main.command()
@click.option("--base", metavar="REF", help="The commit whose checkpoints must still restore; by default the parent.")
@click.option("--head", metavar="REF", help="The commit to check.")
@click.option("--staged", is_flag=True, help="Plan for what is staged for the next commit.")
@click.option("--worktree", is_flag=True, help="Plan for the files on disk.")
@click.option("--all", "everything", is_flag=True, help="Plan for every model, even if no file of it changed.")
@click.option("--shards", type=click.IntRange(1, 256), required=True, help="The most jobs; GitHub runs up to 256.")
@click.option("--format", "form", type=click.Choice(["text", "json", "matrix"]), default="text", show_default=True)
def plan(
    base: str | None, head: str | None, staged: bool, worktree: bool, everything: bool, shards: int, form: str
) -> None:
    """Share the models that a change touches out among parallel jobs.

    Builds nothing. Jobs are balanced by how long builds took before. The format matrix is for a GitHub workflow:
    each job runs `check` with its models; where nothing is touched its list "include" is
    empty, which GitHub takes for an error: let a job depend on it with `if`.
    """
    _refuse_two_heads(head, staged, worktree)

    def run() -> int:
        from restore_guard import check as checking
        from restore_guard import plan as planning
        from restore_guard.repository import Repository

        with Repository() as repository:
            before, after = _sides(repository, base, head, staged, worktree)
            project, names = checking.affected_models(repository, before, after, everything=everything)
            seconds = planning.seconds(project.config, names, repository.root / repository.project, os.environ)
        jobs = planning.share(seconds, shards)
        renderers = {"text": planning.text, "json": planning.as_json}
        click.echo(planning.matrix(jobs) if form == "matrix" else renderers[form](jobs, seconds))
        return 0

    _finish(run)


@main.command()
def rules() -> None:
    """List the rules with their default levels."""
    from restore_guard.rules import RULES

    for rule in RULES.values():
        click.echo(f"{rule.name:24}{rule.level:9}{rule.meaning}")


@main.command()
@click.argument("rule")
def explain(rule: str) -> None:
    """Tell what a rule means, what causes it, and how to fix or accept it."""
    from restore_guard.reports import explanation
    from restore_guard.rules import RULES

    if rule not in RULES:
        raise click.UsageError(f"there is no rule {rule!r}; `restore-guard rules` lists them.")
    click.echo(explanation.render(RULES[rule]), nl=False)


def _refuse_two_heads(head: str | None, staged: bool, worktree: bool) -> None:
    if sum((head is not None, staged, worktree)) > 1:
        raise click.UsageError("--head, --staged and --worktree exclude each other.")


def _sides(repository, base: str | None, head: str | None, staged: bool, worktree: bool):
    """What is compared, as the options, then pre-commit, then the state of the disk say."""
    from restore_guard.repository import hook_refs

    chosen = head is not None or staged or worktree or base is not None
    pushed = hook_refs(os.environ)
    if not chosen and pushed:
        base, head = pushed
    elif not chosen and os.environ.get("PRE_COMMIT"):
        staged = True
    if head is not None:
        after = repository.commit(head)
        return repository.commit(base) if base is not None else repository.parent(after), after
    before = repository.commit(base) if base is not None else repository.head()
    return before, repository.index() if staged else repository.worktree()


def _write(result, form: str, output: Path | None) -> None:
    from restore_guard.reports import load

    if form == "text":
        rendered = load(form).render(result, color=output is None and _is_terminal(), width=_width())
    else:
        rendered = load(form).render(result)
    if output is not None:
        try:
            output.write_text(rendered, encoding="utf-8")
            rendered = result.summary()
        except OSError as error:
            # The verdict stands, whatever becomes of the report.
            click.echo(f"restore-guard: {output} cannot be written: {error.strerror}. The report:", err=True)
    try:
        click.echo(rendered, nl=not rendered.endswith("\n"))
    except BrokenPipeError:
        # A reader that has seen enough; Python flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_terminal() -> bool:
    return "NO_COLOR" not in os.environ and (sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR")))


def _width() -> int:
    import shutil

    return shutil.get_terminal_size((100, 24)).columns


def _progress():
    from restore_guard.progress import Progress

    return Progress(sys.stderr)


def _finish(run) -> None:
    try:
        code = run()
    except RestoreGuardError as error:
        kind = "wrong usage" if isinstance(error, UsageError) else "not checked"
        click.echo(f"restore-guard: {kind}: {error}", err=True)
        code = error.exit_code
    except KeyboardInterrupt:
        click.echo("restore-guard: interrupted: nothing was checked.", err=True)
        code = 130
    except Exception:
        import traceback

        traceback.print_exc()
        click.echo("restore-guard: not checked: this is a bug in restore-guard, please report it.", err=True)
        code = 3  # not 1, which says that checkpoints break
    sys.exit(code)
