"""One check: two sides of a repository in, a `Result` out. Reads the user's files and changes none."""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from restore_guard import affected, builds, config, environment, findings, judge, manifest
from restore_guard.diffs import Diff, FileDiff
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.repository import Change, Repository, Side
from restore_guard.restore_paths import RESTORE_PATHS
from restore_guard.result import Finding, ModelResult, Result
from restore_guard.rules import RULES

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Project:
    """One side of the project: its configuration and the manifests of its models."""

    side: Side
    file: str
    config: config.Config
    read: Callable[[str], bytes | None]
    manifests: Mapping[str, bytes | None] = field(default_factory=dict)

    def manifest_file(self, name: str) -> str:
        return posixpath.join(self.config.manifests, f"{name}.json")

    def manifest(self, name: str) -> judge.Found:
        content = self.manifests.get(name)
        if content is None:
            return None
        try:
            return manifest.parse(content, self.manifest_file(name))
        except manifest.ManifestError as error:
            return error


def load(repository: Repository, side: Side) -> Project:
    """Reads one side's configuration and the bytes of its manifests.

    Raises:
        UsageError: no configuration, one that cannot be read, or one without a model.
    """
    read = repository.reader(side)
    found = config.load(read, rules=RULES)
    if found is None:
        raise UsageError(
            "restore-guard is not configured: add a [tool.restore-guard.models.<name>] table with "
            'builder = "package.module:function" to pyproject.toml.'
        )
    file, loaded = found
    if not loaded.models:
        raise UsageError(
            f"{file} configures no model, so nothing would be checked: add a "
            '[tool.restore-guard.models.<name>] table with builder = "package.module:function".'
        )
    _refuse_unknown(file, loaded)
    manifests = {name: read(posixpath.join(loaded.manifests, f"{name}.json")) for name in loaded.models}
    return Project(side, file, loaded, read, manifests)


def _refuse_unknown(file: str, loaded: config.Config) -> None:
    """A setting that this version would not act on must not look as if it were checked."""
    for name, model in loaded.models.items():
        for path in model.restores or ():
            if path not in RESTORE_PATHS:
                raise UsageError(
                    f"{file}: models.{name}.restores: {path} cannot be judged by this version of restore-guard; "
                    f"it judges {', '.join(RESTORE_PATHS)}."
                )
    if loaded.releases:
        raise UsageError(f"{file}: releases: this version of restore-guard does not check releases; remove the key.")
    if loaded.environment != "shared":
        raise UsageError(f'{file}: environment: this version of restore-guard only knows "shared".')


def check(
    repository: Repository,
    base: Side | None,
    head: Side,
    *,
    names: Sequence[str] = (),
    everything: bool = False,
    environ: Mapping[str, str],
    progress: Progress = lambda _: None,
) -> Result:
    """Judges every model that differs between two sides.

    Args:
        base: None where there is nothing before the head: the initial commit.
        names: models to check, affected or not; empty for all that are affected.
        everything: checks every model even if no file of it changed.

    Raises:
        UsageError: wrong configuration at the head, or a name that is not configured.
        UncheckedError: nothing can be checked at all.
    """
    project = load(repository, head)
    notes: list[str] = []
    before = _load_base(repository, base, notes)
    changes = affected.relative_to(repository.changes(base, head), repository.project)
    reasons = affected.affected(changes, _view(before), _view(project))
    chosen = _chosen(project, names, everything, reasons)
    results = [_unaffected(project, before, name) for name in project.config.models if name not in chosen and not names]
    if chosen:
        results += _judge(repository, project, before, chosen, changes, environ, progress)
    order = list(project.config.models)
    results.sort(key=lambda result: order.index(result.name))
    removed = _removed(project, before) if not names else []
    prefix = repository.project
    return Result(
        base=base.label if base else None,
        head=head.label,
        models=tuple(_relocated(result, prefix) for result in [*results, *removed]),
        notes=tuple(notes + _ignore_notes(project)),
    )


def _load_base(repository: Repository, base: Side | None, notes: list[str]) -> Project | None:
    if base is None:
        return None
    try:
        return load(repository, base)
    except UsageError as error:
        notes.append(f"The base cannot be compared with: {error}")
        return None


def _view(project: Project | None) -> affected.View | None:
    if project is None:
        return None
    sources = {name: manifest.sources(content) for name, content in project.manifests.items() if content is not None}
    return affected.View(project.config, project.read, sources)


def _chosen(project: Project, names: Sequence[str], everything: bool, reasons: Mapping[str, str]) -> list[str]:
    unknown = [name for name in names if name not in project.config.models]
    if unknown:
        known = ", ".join(project.config.models)
        raise UsageError(f"{unknown[0]} is not a configured model; {project.file} configures {known}.")
    return [name for name in project.config.models if name in names or everything or (not names and name in reasons)]


def _unaffected(project: Project, before: Project | None, name: str) -> ModelResult:
    """A model that no changed file belongs to; only a missing manifest is still said."""
    if project.manifests.get(name) is not None:
        return ModelResult(name, "unaffected")
    known = before is not None and name in before.config.models and before.manifests.get(name) is None
    file = project.manifest_file(name)
    finding = Finding(
        rule="manifest-missing",
        level=findings.level("manifest-missing", project.config),
        file=file,
        line=0,
        message=f"{name} has no manifest: run `restore-guard update {name}` and commit {file}.",
        status="pre-existing" if known else "new",
        fix=RULES["manifest-missing"].fix,
    )
    return ModelResult(name, "breaks" if finding.fails else "unaffected", manifest="missing", findings=(finding,))


def _removed(project: Project, before: Project | None) -> list[ModelResult]:
    """Models of the base that the head no longer configures."""
    results = []
    for name in before.config.models if before else ():
        if name in project.config.models:
            continue
        file = before.manifest_file(name)
        left = project.read(file) is not None
        finding = Finding(
            rule="model-removed",
            level=findings.level("model-removed", project.config, "error" if left else "warning"),
            file=project.file,
            line=0,
            message=f"{name} is no longer configured, so nobody checks its checkpoints any more"
            + (f", but its manifest {file} is still there." if left else "; its manifest is gone with it."),
            old=name,
            fix=RULES["model-removed"].fix,
        )
        results.append(
            ModelResult(name, "breaks" if finding.fails else "restores", manifest="missing", findings=(finding,))
        )
    return results


def _judge(
    repository: Repository,
    project: Project,
    before: Project | None,
    chosen: Sequence[str],
    changes: Sequence[Change],
    environ: Mapping[str, str],
    progress: Progress,
) -> list[ModelResult]:
    sides = [(project, "head")]
    if before is not None:
        sides.append((before, "base"))
    worktree = repository.root / repository.project
    python = environment.find(project.config.python, worktree, environ)
    # TensorFlow is imported while git writes the files.
    with (
        tempfile.TemporaryDirectory(prefix="restore-guard-") as folder,
        builds.Probe(python.path, progress) as probe,
    ):
        jobs = [
            job for side, kind in sides for job in _jobs(repository, side, kind, Path(folder) / kind, chosen, progress)
        ]
        built = probe.run(jobs)
    cases = []
    for name in chosen:
        head_build, base_build = built[f"head:{name}"], built.get(f"base:{name}")
        sources = _sources(project, before, name, head_build, base_build)
        cases.append(
            judge.Case(
                name=name,
                config=project.config,
                manifest_file=project.manifest_file(name),
                head_build=head_build,
                base_build=base_build,
                head_manifest=project.manifest(name),
                base_manifest=before.manifest(name) if before and name in before.config.models else None,
                diff=_diff(project, before, changes, sources),
                covered=_covered(project, name),
            )
        )
    return [judge.judge(case) for case in cases]


def _jobs(
    repository: Repository,
    project: Project,
    kind: str,
    folder: Path,
    chosen: Sequence[str],
    progress: Progress,
) -> list[builds.Job]:
    names = [name for name in chosen if name in project.config.models]
    worktree = repository.root / repository.project
    if project.side.kind == "worktree":
        root = worktree
    elif names:
        progress(f"writing the files of {project.side.label} to a temporary folder")
        folder.mkdir()
        repository.materialise(project.side, folder)
        root = folder / repository.project
    return [job(project.config, name, f"{kind}:{name}", root, worktree) for name in names]


def job(settings: config.Config, name: str, number: str, root: Path, worktree: Path) -> builds.Job:
    """The build of a configured model from the files below `root`."""
    model = settings.models[name]
    return builds.Job(
        id=number,
        root=root,
        builder=model.builder,
        kwargs=model.kwargs,
        inputs=[msgspec.to_builtins(item) for item in model.inputs],
        pythonpath=settings.pythonpath,
        worktree=worktree,
        timeout=settings.timeout,
    )


def _sources(
    project: Project, before: Project | None, name: str, head: builds.Build, base: builds.Build | None
) -> frozenset[str]:
    """Every file that either side's model is made of."""
    files = set(head.signature.sources if head.signature else ())
    files.update(base.signature.sources if base and base.signature else ())
    for side in (project, before):
        content = side.manifests.get(name) if side else None
        if content is not None:
            files |= manifest.sources(content)
    return frozenset(files)


def _diff(project: Project, before: Project | None, changes: Sequence[Change], sources: Collection[str]) -> Diff:
    """The changed files of one model, read on both sides."""
    files = {}
    for change in changes:
        old = change.old_path or change.path
        if old not in sources and change.path not in sources:
            continue
        new_content = project.read(change.path) if change.status != "D" else None
        old_content = before.read(old) if before and change.status != "A" else None
        files[old] = FileDiff(change.path if new_content is not None else None, _text(old_content), _text(new_content))
    return Diff(files)


def _text(content: bytes | None) -> str:
    return content.decode(errors="replace") if content is not None else ""


def _covered(project: Project, name: str) -> frozenset[str]:
    """What `affected` watches even if the manifest does not list it."""
    module = project.config.models[name].builder.partition(":")[0]
    return affected.closure(project.read, module, ["", *project.config.pythonpath]).files


def _ignore_notes(project: Project) -> list[str]:
    import datetime

    return [
        f"{project.file}: the ignore of {entry.rule} for {entry.model} expired on {entry.expires}: {entry.reason}"
        for entry in config.expired(project.config, datetime.date.today())
    ]


def _relocated(result: ModelResult, prefix: str) -> ModelResult:
    """Files relative to the repository, where the project is a folder of it."""
    if not prefix:
        return result
    moved = tuple(
        msgspec.structs.replace(finding, file=posixpath.join(prefix, finding.file)) if finding.file else finding
        for finding in result.findings
    )
    return msgspec.structs.replace(result, findings=moved)


__all__ = ["Project", "UncheckedError", "check", "job", "load"]
