"""Commands and options; no logic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from restore_guard import cli_checkpoints, terminal
from restore_guard.config import WitnessMode
from restore_guard.reports import REPORTS, UPGRADE_REPORTS


def _report_options(command: Callable[..., None]) -> Callable[..., None]:
    form = click.option("--format", "form", type=click.Choice(list(REPORTS)), default="text", show_default=True)
    file = click.Path(dir_okay=False, path_type=Path)
    return form(click.option("--output", type=file, help="Write the report to a file instead.")(command))


class _Guarded(click.Group):
    """Commands of which each ends with a code of ours, also where its help cannot be written: the disk is full."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        terminal.prepare()
        terminal.finish(lambda: super(_Guarded, self).main(*arguments, **options))


@click.group(cls=_Guarded, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="restore-guard")
def main() -> None:
    """Will the checkpoints of yesterday restore into the code of today?"""


for _command in (cli_checkpoints.audit, cli_checkpoints.migrate):
    main.add_command(_command)


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
@click.option(
    "--fix",
    is_flag=True,
    help="Write stale manifests, and repairs that were tried; then fail once.",
)
@_report_options
@click.option("--project", default=".", metavar="FOLDER", help="The folder of the configuration, for a hook.")
@click.option(
    "--config",
    "settings",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Judge both sides by the configuration in this file: old commits by today's.",
)
def check(
    names: tuple[str, ...],
    base: str | None,
    head: str | None,
    staged: bool,
    worktree: bool,
    everything: bool,
    form: str,
    output: Path | None,
    witness: WitnessMode,
    fix: bool,
    project: str,
    settings: Path | None,
) -> None:
    """Judge whether old checkpoints restore after a change.

    Without refs: as a pre-commit hook, HEAD against what is staged, or what is being pushed; else HEAD
    against the files on disk.
    """
    _refuse_two_heads(head, staged, worktree)

    def run() -> int:
        from restore_guard.change import sides
        from restore_guard.commands import check as checking

        with terminal.run(project) as run:
            compared = sides.choose(run, base=base, head=head, staged=staged, worktree=worktree)
            result = checking.check(
                run, compared, names=names, everything=everything, witness=witness, settings=settings
            )
            if fix:
                from restore_guard.commands import fixing

                result = fixing.with_fixes(run, compared, result)
        terminal.write(result, form, output)
        if fix:
            with terminal.run(project) as run:
                for line in fixing.apply(run, compared, result):
                    click.echo(f"restore-guard: {line}", err=True)
        return result.exit_code

    terminal.finish(run)


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--accept-break",
    "reason",
    metavar="REASON",
    help="Accept that old checkpoints no longer restore, and say why.",
)
@click.option(
    "--migrate",
    "migration",
    metavar="REASON",
    help="Write the migration that carries old checkpoints across a break, and say why it breaks.",
)
@click.option(
    "--from",
    "checkpoint",
    metavar="CHECKPOINT",
    help="Pin the manifest to what this file holds: from now on it must restore.",
)
def update(names: tuple[str, ...], reason: str | None, migration: str | None, checkpoint: str | None) -> None:
    """Regenerate manifests from the files on disk.

    Refuses to absorb a break unless --accept-break or --migrate gives the reason, which the manifest's history keeps.
    """
    if reason is not None and migration is not None:
        raise click.UsageError("--accept-break and --migrate exclude each other.")

    def run() -> int:
        from restore_guard.commands import update as updating

        with terminal.run() as run:
            done = updating.update(
                run,
                names=names,
                reason=reason if migration is None else migration,
                migrate=migration is not None,
                checkpoint=checkpoint,
            )
        return terminal.told(done)

    terminal.finish(run)


@main.command()
@click.argument("requirements", nargs=-1, metavar="REQUIREMENT...")
@click.option(
    "--candidate",
    "candidates",
    multiple=True,
    metavar='"A B"',
    help="The requirements of another move, to see several in one table and which is the furthest that loses nothing.",
)
@click.option("--model", "names", multiple=True, metavar="NAME", help="A model to rehearse it with; by default all.")
@click.option("--format", "form", type=click.Choice(list(UPGRADE_REPORTS)), default="text", show_default=True)
def upgrade(requirements: tuple[str, ...], candidates: tuple[str, ...], names: tuple[str, ...], form: str) -> None:
    """Rehearse a move to other versions: what would every checkpoint saved today do after it?

    REQUIREMENT is such as tensorflow==2.21.0. uv makes an environment from what the project asks for, with these
    requirements in place of its own; all models are built by today's Python and there, really saved by the one and
    restored by the other. Nothing of the project changes.
    """

    def run() -> int:
        from restore_guard.commands import upgrading
        from restore_guard.reports import load_upgrade

        moves = [requirements, *map(str.split, candidates)]
        progress = terminal.progress_bar()
        with terminal.run(progress=progress) as run:
            rehearsed = upgrading.upgrade(run, moves, names=names)
        look = {"color": terminal.is_colored(), "width": terminal.width()} if form == "text" else {}
        click.echo(load_upgrade(form).render(rehearsed, **look), nl=False)
        return rehearsed.exit_code

    terminal.finish(run)


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
        from restore_guard.change import sides
        from restore_guard.commands import check as checking
        from restore_guard.commands import plan as planning

        with terminal.run() as run:
            compared = sides.choose(run, base=base, head=head, staged=staged, worktree=worktree)
            selection = checking.select(run.repository, compared, everything=everything)
            seconds = planning.seconds(run, selection.projects.head.config, selection.chosen)
        jobs = planning.share(seconds, shards)
        renderers = {"text": planning.text, "json": planning.as_json}
        click.echo(planning.matrix(jobs) if form == "matrix" else renderers[form](jobs, seconds))
        return 0

    terminal.finish(run)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="RESULT.json...", type=click.Path(path_type=Path))
@_report_options
def report(files: tuple[Path, ...], form: str, output: Path | None) -> None:
    """Join JSON reports of several jobs into one verdict.

    Each model may be in one of them only. What `plan` left to a job is unchecked until that job's report is here.
    """

    def run() -> int:
        from restore_guard.commands import joining

        result = joining.join(joining.read(files))
        terminal.write(result, form, output)
        return result.exit_code

    terminal.finish(run)


@main.command("merge-manifest")
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("ours", type=click.Path(path_type=Path))
@click.argument("theirs", type=click.Path(path_type=Path))
@click.argument("file")
def merge_manifest(base: Path, ours: Path, theirs: Path, file: str) -> None:
    """Merge a manifest, as git's merge driver: git passes %O %A %B %P. `restore-guard init --merge-driver` sets it up.

    What cannot be merged without a build is left as a conflict, for `restore-guard update` to solve.
    """

    def run() -> int:
        from restore_guard.commands import merge_manifest as merging

        problem = merging.merge_manifest(base, ours, theirs, file)
        if problem is not None:
            terminal.say(f"{file}: {problem}. Merge the code, then run: restore-guard update")
        return 0 if problem is None else 1

    terminal.finish(run)


@main.command()
@click.option("--yes", is_flag=True, help="Ask nothing: guard every model that builds, and write.")
@click.option("--dry-run", is_flag=True, help="Ask and write nothing: show what would be written.")
@click.option("--json", "as_json", is_flag=True, help="Ask nothing, and show one JSON object.")
@click.option("--merge-driver", is_flag=True, help="Only let git merge manifests by `restore-guard merge-manifest`.")
def init(yes: bool, dry_run: bool, as_json: bool, merge_driver: bool) -> None:
    """Set this repository up: find models, propose the configuration, the hook and the workflow, and write them.

    Builds what it finds, with the arguments that the repository itself uses, and writes a small module of builders
    where it needs one. Shows everything before it writes, and changes nothing that is there.
    """

    def run() -> int:
        if merge_driver:
            return _set_up_merge_driver()
        from restore_guard import set_up_dialogue

        return set_up_dialogue.hold(yes=yes, dry_run=dry_run, as_json=as_json)

    terminal.finish(run)


@main.command()
def doctor() -> None:
    """Examine this set-up, and see with a planted break that the gate goes red. Changes nothing."""

    def run() -> int:
        from restore_guard.commands import doctor as examining
        from restore_guard.reports import doctor_text

        found, progress = [], terminal.progress_bar()
        with terminal.run(progress=progress) as run:
            for finding in examining.examine(run):
                progress.clear()
                click.echo(doctor_text.render(finding, color=terminal.is_colored()))
                found.append(finding)
        return examining.exit_code(found)

    terminal.finish(run)


@main.command()
@click.option("--idle", metavar="MINUTES", type=click.FloatRange(0, min_open=True), default=30, show_default=True)
@click.option("--stop", is_flag=True, help="End every Python of yours that is kept warm.")
@click.option("--status", is_flag=True, help="Tell which are kept warm, and for how long.")
def warm(idle: float, stop: bool, status: bool) -> None:
    """Keep a Python with TensorFlow imported, so that checks on this machine start at once.

    It ends by itself after --idle minutes without a check, at logout, and when memory gets low. In CI none is
    started or used. A check says the same with and without it.
    """
    if stop and status:
        raise click.UsageError("--stop and --status exclude each other.")

    def run() -> int:
        from restore_guard.commands import warm as warming
        from restore_guard.reports import warm_text

        if stop or status:
            found = warming.stop() if stop else warming.status()
        else:
            with terminal.run() as run:
                found = [warming.keep(run, idle * 60)]
        click.echo(warm_text.render(found, ended=stop), nl=False)
        return 0

    terminal.finish(run)


@main.command()
@click.argument("kind", type=click.Choice(["config", "manifest", "migrations", "report", "upgrade"]))
def schema(kind: str) -> None:
    """Print the JSON schema of a file: the configuration, a manifest, its migrations, or a JSON report."""
    from restore_guard.commands import schema as schemas

    click.echo(schemas.render(kind), nl=False)


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


def _set_up_merge_driver() -> int:
    from restore_guard.commands import merge_driver

    with terminal.run() as run:
        for line in merge_driver.set_up(run.repository):
            click.echo(line)
    return 0


def _refuse_two_heads(head: str | None, staged: bool, worktree: bool) -> None:
    if sum((head is not None, staged, worktree)) > 1:
        raise click.UsageError("--head, --staged and --worktree exclude each other.")
