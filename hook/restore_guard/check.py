"""One check: two sides of a repository in, a `Result` out. Reads the user's files and changes none."""

from __future__ import annotations

import contextlib
import dataclasses
import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from restore_guard import (
    affected,
    builds,
    config,
    environment,
    findings,
    judge,
    locked,
    lockfiles,
    manifest,
    releases,
    revivals,
    temporary,
    witnesses,
)
from restore_guard.diffs import Diff, FileDiff
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.repository import Change, Repository, Side, pointer
from restore_guard.result import Finding, ModelResult, Result
from restore_guard.rules import RULES
from restore_guard.signature import Revival

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

    def sources(self, name: str) -> frozenset[str]:
        """The files that the build of a model read when its manifest was written."""
        content = self.manifests.get(name)
        return manifest.sources(content) if content is not None else frozenset()

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
    manifests = {name: read(posixpath.join(loaded.manifests, f"{name}.json")) for name in loaded.models}
    return Project(side, file, loaded, read, manifests)


def check(
    repository: Repository,
    base: Side | None,
    head: Side,
    *,
    names: Sequence[str] = (),
    everything: bool = False,
    notes: Sequence[str] = (),
    witness: witnesses.Mode = "auto",
    environ: Mapping[str, str],
    progress: Progress = lambda _: None,
) -> Result:
    """Judges every model that differs between two sides.

    Args:
        base: None where there is nothing before the head: the initial commit.
        names: models to check, affected or not; empty for all that are affected.
        everything: checks every model even if no file of it changed.
        notes: what the reader must know of the two sides.
        witness: whether real checkpoints are saved and restored; see `judge.Case.wants_witness`.

    Raises:
        UsageError: wrong configuration at the head, or a name that is not configured.
        UncheckedError: nothing can be checked at all.
    """
    project = load(repository, head)
    notes = list(notes)
    before = _load_base(repository, base, notes)
    changes = affected.relative_to(repository.changes(base, head), repository.project)
    reasons = affected.affected(changes, _view(before), _view(project))
    chosen = _chosen(project, names, everything, reasons)
    results = [_unaffected(project, before, name) for name in project.config.models if name not in chosen and not names]
    if chosen:
        results += _judge(repository, project, before, chosen, changes, witness, environ, progress)
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
    return affected.View(project.config, project.read, {name: project.sources(name) for name in project.manifests})


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
    witness: witnesses.Mode,
    environ: Mapping[str, str],
    progress: Progress,
) -> list[ModelResult]:
    sides = {"head": project} | ({"base": before} if before is not None else {})
    released = releases.read(repository, project.config.releases, chosen)
    chosen_pythons = pythons(repository, sides, environ, progress)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(temporary.folder())
        # TensorFlow is imported while git writes the files.
        warm = {python: stack.enter_context(builds.Probe(python, progress)) for python in {*chosen_pythons.values()}}
        probes = {kind: warm[python] for kind, python in chosen_pythons.items()}
        restores = promised_paths(project, before, chosen)
        jobs = {kind: _jobs(repository, side, kind, folder / kind, restores, progress) for kind, side in sides.items()}
        built: dict[str, builds.Build] = {}
        for probe in warm.values():
            built |= probe.run([job for kind in sides if probes[kind] is probe for job in jobs[kind].values()])
        built = _without_pointers(built, jobs, sides)
        cases = {
            name: _case(project, before, name, changes, built[f"head:{name}"], built.get(f"base:{name}"), released)
            for name in chosen
        }
        cases = _revived(cases, jobs, probes)
        cases = _witnessed(cases, jobs, probes, witness, folder / "witness")
    return [judge.judge(case) for case in cases.values()]


def pythons(
    repository: Repository, sides: Mapping[str, Project], environ: Mapping[str, str], progress: Progress
) -> dict[str, Path]:
    """{side: the Python that builds it}: one for both, unless each commit's lock file is to decide."""
    settings = sides["head"].config
    if settings.environment == "shared":
        found = environment.find(settings.python, repository.root / repository.project, environ)
        return dict.fromkeys(sides, found.path)
    found_pythons = {}
    for kind, side in sides.items():
        progress(f"making the environment of {side.side.label} from its lock file")
        found_pythons[kind] = locked.python(lockfiles.find(side.read), locked.cache(environ), environ)
    return found_pythons


def promised_paths(project: Project, before: Project | None, chosen: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """{model: the restore paths that either side promises}, so that both are built alike."""
    promised: dict[str, tuple[str, ...]] = {}
    for name in chosen:
        for side in filter(None, (project, before)):
            found, model = side.manifest(name), side.config.models.get(name)
            kept = found.restores if isinstance(found, manifest.Manifest) else ()
            promised[name] = tuple({*promised.get(name, ()), *kept, *((model and model.restores) or ())})
    return promised


def _jobs(
    repository: Repository,
    project: Project,
    kind: str,
    folder: Path,
    restores: Mapping[str, tuple[str, ...]],
    progress: Progress,
) -> dict[str, builds.Job]:
    """{model: its build from one side}."""
    names = [name for name in restores if name in project.config.models]
    worktree = repository.root / repository.project
    if project.side.kind == "worktree":
        root = worktree
    elif names:
        progress(f"writing the files of {project.side.label} to a temporary folder")
        folder.mkdir()
        repository.materialise(project.side, folder)
        root = folder / repository.project
        repository.fill(root, (path for name in names for path in project.sources(name)))
    return {name: job(project.config, name, f"{kind}:{name}", root, worktree, restores[name]) for name in names}


def job(
    settings: config.Config, name: str, number: str, root: Path, worktree: Path, restores: Sequence[str]
) -> builds.Job:
    """The build of a configured model from the files below `root`, good for judging `restores`."""
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
        restores=restores,
    )


def _without_pointers(
    built: Mapping[str, builds.Build], jobs: Mapping[str, Mapping[str, builds.Job]], sides: Mapping[str, Project]
) -> dict[str, builds.Build]:
    """A build that read a pointer of Git LFS has read something else than the file that it stands for."""
    checked = dict(built)
    for kind, side in sides.items():
        for name, job in jobs[kind].items():
            build = built[job.id]
            read = build.signature.sources if build.signature else side.sources(name)
            if found := next((path for path in read if pointer(job.root / path)), None):
                failure = (
                    f"{found} is a pointer of Git LFS here, not the file itself: run `git lfs pull`, or "
                    f"`restore-guard update {name}` where its manifest does not list the file yet"
                )
                checked[job.id] = dataclasses.replace(build, signature=None, failure=failure)
    return checked


def _case(
    project: Project,
    before: Project | None,
    name: str,
    changes: Sequence[Change],
    head: builds.Build,
    base: builds.Build | None,
    released: releases.Releases,
) -> judge.Case:
    return judge.Case(
        name=name,
        config=project.config,
        manifest_file=project.manifest_file(name),
        head_build=head,
        base_build=base,
        head_manifest=project.manifest(name),
        base_manifest=before.manifest(name) if before and name in before.config.models else None,
        diff=_diff(project, before, changes, _sources(project, before, name, head, base)),
        covered=covered(project, name),
        releases=released.promises.get(name, ()),
        unread_releases=released.unread.get(name, ()),
    )


def _revived(
    cases: Mapping[str, judge.Case], jobs: Mapping[str, Mapping[str, builds.Job]], probes: Mapping[str, builds.Probe]
) -> dict[str, judge.Case]:
    """The cases with what either side's code makes of the configurations in old `.keras` files."""
    asked: dict[builds.Probe, list[revivals.Question]] = {probe: [] for probe in probes.values()}
    for name, case in cases.items():
        for kind, build in (("head", case.head_build), ("base", case.base_build)):
            if build is not None:
                asked[probes[kind]] += revivals.questions(jobs[kind][name], build.signature, case.old_signatures)
    known: dict[str, dict[str, Revival]] = {}
    for probe, questions in asked.items():
        known |= revivals.ask(probe, questions)
    return {
        name: dataclasses.replace(
            case, head_revivals=known.get(f"head:{name}", {}), base_revivals=known.get(f"base:{name}", {})
        )
        for name, case in cases.items()
    }


def _witnessed(
    cases: Mapping[str, judge.Case],
    jobs: Mapping[str, Mapping[str, builds.Job]],
    probes: Mapping[str, builds.Probe],
    mode: witnesses.Mode,
    folder: Path,
) -> dict[str, judge.Case]:
    """The cases with what real checkpoints show, where that is wanted and can be tried."""
    trials, seen = [], {}
    for name, case in cases.items():
        obstacle = judge.obstacle(case)
        if obstacle is None and (mode == "always" or (mode == "auto" and judge.is_worth_a_witness(case))):
            trials.append(witnesses.Trial(name, jobs["base"][name], jobs["head"][name], judge.paths_of(case)))
        elif obstacle is not None and mode == "always":
            seen[name] = witnesses.Witness(failures=(obstacle,))
    if trials:
        seen |= witnesses.run(probes["base"], probes["head"], trials, folder)
    return {
        name: dataclasses.replace(case, witness=seen.get(name), must_be_witnessed=mode == "always")
        for name, case in cases.items()
    }


def _sources(
    project: Project, before: Project | None, name: str, head: builds.Build, base: builds.Build | None
) -> frozenset[str]:
    """Every file that either side's model is made of."""
    files = set(head.signature.sources if head.signature else ())
    files.update(base.signature.sources if base and base.signature else ())
    for side in (project, before):
        files |= side.sources(name) if side else frozenset()
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


def covered(project: Project, name: str) -> frozenset[str]:
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


__all__ = ["Project", "UncheckedError", "check", "covered", "job", "load", "promised_paths", "pythons"]
