"""A checkpoint file and the code of today: will this very file restore, and is it whole?

Judged by the same simulation as a check, with the file's own object graph, groups or layers as what was saved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from restore_guard import builds, check, checkpoint, environment, findings
from restore_guard.builds import Build
from restore_guard.checkpoint import Checkpoint
from restore_guard.comparison import Comparison, compare, troubles
from restore_guard.config import Config
from restore_guard.diffs import Diff
from restore_guard.errors import UsageError
from restore_guard.judge import path_result
from restore_guard.repository import Repository
from restore_guard.result import Finding, ModelResult, Verdict
from restore_guard.rules import RULES
from restore_guard.signature import Signature
from restore_guard.translation import below, in_words_of, root_edge


class Audit(msgspec.Struct, frozen=True):
    """The answer about one file.

    Attributes:
        checkpoint: what the file is, and in which state.
        models: all models that were asked about; the file is of one of them.
        findings: about the file itself.
    """

    checkpoint: Checkpoint
    models: tuple[ModelResult, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def fits(self) -> tuple[str, ...]:
        """The models into which the file restores completely."""
        return tuple(model.name for model in self.models if model.verdict == "restores")

    @property
    def verdict(self) -> Verdict:
        """A file restores where it is whole and one of the models takes all of it."""
        if self.checkpoint.state == "damaged":
            return "breaks"
        if self.checkpoint.state == "unread":
            return "unchecked"
        if self.fits:
            return "restores"
        # The one that could not be checked may be the one that the file is of.
        return "unchecked" if any(model.verdict == "unchecked" for model in self.models) else "breaks"

    @property
    def exit_code(self) -> int:
        return {"breaks": 1, "unchecked": 3}.get(self.verdict, 0)


def audit(
    repository: Repository,
    path: str,
    *,
    name: str | None,
    environ: Mapping[str, str],
    progress: Callable[[str], None] = lambda _: None,
) -> Audit:
    """Reads a checkpoint and judges it against models as the work tree builds them.

    Args:
        path: a file, a folder, or the prefix of a TensorFlow checkpoint.
        name: the model that it is of; None to try all that are configured.

    Raises:
        UsageError: no such file or model, several checkpoints in a folder, wrong configuration.
        UncheckedError: no Python with TensorFlow.
    """
    project = check.load(repository, repository.worktree())
    names = chosen(project, name)
    worktree = repository.root / repository.project
    reading = checkpoint.job("checkpoint", path, project.config.timeout)
    jobs = [reading, *(check.job(project.config, each, f"model:{each}", worktree, worktree) for each in names)]
    python = environment.find(project.config.python, worktree, environ)
    with builds.Probe(python.path, progress) as probe:
        done = probe.run(jobs)
    read = checkpoint.read(done["checkpoint"], path)
    models = tuple(judge(read, each, done[f"model:{each}"], project.config) for each in names)
    return Audit(read, models, tuple(about(read, path)))


def chosen(project: check.Project, name: str | None) -> list[str]:
    """The models to judge.

    Raises:
        UsageError: the name is not configured.
    """
    if name is not None and name not in project.config.models:
        known = ", ".join(project.config.models)
        raise UsageError(f"{name} is not a configured model; {project.file} configures {known}.")
    return [name] if name is not None else list(project.config.models)


def judge(read: Checkpoint, name: str, build: Build, config: Config) -> ModelResult:
    """The verdict on one model: whether the file restores into it, wholly and in the right places. Pure."""
    if build.signature is None:
        return _unchecked(name, f"could not be built: {build.failure}")
    if read.signature is None:
        return _unchecked(name, "not judged: what the file holds could not be read.")
    promises = config.models[name].restores or ()
    paths = checkpoint.promised(read, promises)
    if not paths:
        return _unchecked(name, f"not judged: this version does not simulate how a {read.format} restores.")
    model, notes = build.signature, []
    edge = root_edge(read.signature, model) if "tf-checkpoint" in paths else None
    if edge is not None:
        notes.append(f"The file was saved with the model as `{edge}`: judged as tf.train.Checkpoint({edge}=model).")
    comparisons = {path: compared(read.signature, below(model, edge), path) for path in paths}
    outcomes = {path: comparison.outcomes[path] for path, comparison in comparisons.items()}
    found = [finding for comparison in comparisons.values() for finding in breaks(comparison, name, read.name)]
    broken = any(troubles(comparison) for comparison in comparisons.values())
    doubtful = [path for path, outcome in outcomes.items() if not outcome.certain]
    if doubtful:
        notes.append(f"{', '.join(doubtful)}: code of a layer's own reads its variables, which is not simulated.")
    for path, comparison in comparisons.items():
        if unsaved := comparison.unsaved_now[path]:
            notes.append(
                f"{path} never writes {len(unsaved)} of the model's variables ({min(unsaved)}, ...): no such file "
                "restores them."
            )
    unable = [f"{path}: {outcome.error}" for path, outcome in outcomes.items() if outcome.kind == "unsupported"]
    return ModelResult(
        name,
        verdict="breaks" if broken or unable else "unchecked" if doubtful else "restores",
        variables=sum(not variable.seed for variable in model.variables),
        restores={
            path: path_result(outcomes[path], model, comparison.misplaced(path))
            for path, comparison in comparisons.items()
        },
        findings=tuple(found),
        notes=(*notes, *unable),
    )


def compared(saved: Signature, model: Signature, path: str) -> Comparison:
    """A file restored into a model, as data."""
    return compare(in_words_of(model, saved, path), model, [path], Diff({}))


def breaks(comparison: Comparison, name: str, file: str) -> list[Finding]:
    """What keeps a file from restoring; the levels and the ignore list of the configuration are about commits."""
    found = findings.find(comparison, findings.Context(name, file, Config()))
    return [msgspec.structs.replace(finding, accept="") for finding in found if finding.fails]


def _unchecked(name: str, note: str) -> ModelResult:
    return ModelResult(name, "unchecked", notes=(note,))


def about(read: Checkpoint, path: str) -> Sequence[Finding]:
    """What is to say of the file itself: that it is damaged, or that it holds values that are no numbers."""
    if read.damage:
        more = f" (and {len(read.damage) - 1} more)" if len(read.damage) > 1 else ""
        yield _corrupt("error", path, f"The checkpoint is damaged: {read.damage[0]}{more}.", read.damage[1:])
    if read.not_finite:
        sentences = [f"{name}: {nan} NaN, {infinite} infinite" for name, (nan, infinite) in read.not_finite.items()]
        many = f"{len(sentences)} tensors hold" if len(sentences) > 1 else "A tensor holds"
        yield _corrupt("warning", path, f"{many} values that are no finite numbers.", sentences)


def _corrupt(level: str, path: str, message: str, details: Sequence[str]) -> Finding:
    fix = RULES["checkpoint-corrupt"].fix if level == "error" else ""
    return Finding("checkpoint-corrupt", level, path, 0, message, effects=tuple(details), fix=fix)
