"""A checkpoint file and the code of today: will this very file restore, and is it whole?

Judged by the same simulation as a check, with the file's own object graph, groups or layers as what was saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from restore_guard import rules
from restore_guard.build import Build
from restore_guard.building import checkpoint, pythons, revivals
from restore_guard.building.checkpoint import Checkpoint, Reading
from restore_guard.building.workshop import BuildOrder, Workshop
from restore_guard.change.diffs import Diff
from restore_guard.change.run import Run
from restore_guard.commands import builders
from restore_guard.commands.builders import Builder
from restore_guard.config import Config
from restore_guard.judging import findings, quoted
from restore_guard.judging.comparison import Comparison, compare, troubles
from restore_guard.judging.results import path_result
from restore_guard.judging.table import table
from restore_guard.judging.translation import in_words_of, root_edge
from restore_guard.promise.around import below, without
from restore_guard.restore_paths import is_of_weights_alone, reviving
from restore_guard.result import Finding, ModelResult, Verdict, code_of
from restore_guard.rules.shared import words
from restore_guard.rules.shared.facts import Facts
from restore_guard.signature import Revival, Signature


class Audit(msgspec.Struct, frozen=True):
    """The answer about one file.

    Attributes:
        checkpoint: what the file is, and in which state.
        models: all models that were asked about; the file is of one of them.
        findings: about the file itself.
        explained: what an error that was quoted means here.
    """

    checkpoint: Checkpoint
    models: tuple[ModelResult, ...]
    findings: tuple[Finding, ...] = ()
    explained: tuple[str, ...] = ()

    @property
    def fits(self) -> tuple[str, ...]:
        """The models into which the file restores completely."""
        return tuple(model.name for model in self.models if model.verdict == "restores")

    @property
    def shown(self) -> tuple[ModelResult, ...]:
        """The models into which the file restores; else the one that takes most of it."""
        fitting = tuple(model for model in self.models if model.name in self.fits)
        return fitting or tuple(sorted(self.models, key=restored, reverse=True)[:1])

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
        unchecked = not self.models or any(model.verdict == "unchecked" for model in self.models)
        return "unchecked" if unchecked else "breaks"

    @property
    def exit_code(self) -> int:
        return code_of(self.verdict)


def restored(model: ModelResult) -> int:
    """How many of its variables get a value, at best."""
    return max((path.restored for path in model.restores.values()), default=0)


def audit(run: Run, path: str, *, name: str | None, builder: Builder | None = None, error: str | None = None) -> Audit:
    """Reads a checkpoint and judges it against models as the work tree builds them.

    Args:
        path: a file, a folder, or the prefix of a TensorFlow checkpoint.
        name: the model that it is of; None to try all that are configured.
        builder: builds the model that it is of, whatever is configured.
        error: a message of a load call, to be explained.

    Raises:
        UsageError: no such file or model, several checkpoints in a folder, wrong configuration.
        UncheckedError: no Python with TensorFlow.
    """
    project = builders.project(run.repository, builder)
    names = project.named([name] if name is not None else [])
    settings, side = project.config, project.side
    reading = Reading([path], settings.timeout)
    python = pythons.of_side(run, settings, side)
    with Workshop(run) as workshop:
        (read,) = reading.run(workshop, python)
        orders = [
            BuildOrder(
                each, python, side, settings, each, checkpoint.wanted(read, settings.models[each].restores or ())
            )
            for each in names
            if read.signature is not None
        ]
        built = workshop.build(orders)
        asked = [
            question
            for order in orders
            for question in revivals.questions(order, built[order.id].signature, [read.signature])
        ]
        revived = revivals.ask(workshop, asked)
    models = {order.name: (built[order.id], revived.get(order.id, {})) for order in orders}
    nearest = _nearest(read, models)
    judged = tuple(
        judge(read, each, build, settings, known) if each in nearest else _other(each, build)
        for each, (build, known) in models.items()
    )
    found = Audit(read, judged, tuple(about(read, path)))
    if error is None:
        return found
    explained = quoted.explain(error, read.state, next(iter(found.shown), None))
    return msgspec.structs.replace(found, explained=tuple(explained))


def judge(read: Checkpoint, name: str, build: Build, config: Config, revived: Mapping[str, Revival]) -> ModelResult:
    """The verdict on one model: whether the file restores into it, wholly and in the right places. Pure.

    Args:
        revived: {configuration in the file: what the model's code makes of it}.
    """
    if build.signature is None:
        return _unchecked(name, f"could not be built: {build.failure}")
    if (refused := read.refused_by(build.signature)) is not None:
        return ModelResult(name, "breaks", variables=build.signature.count, notes=(f"{refused}.",))
    of_graph = ("tf1-saver",) if build.signature.saver_file is not None else ()
    paths = checkpoint.promised(read, config.models[name].restores or of_graph)
    model, notes = build.signature, []
    if "tf1-saver" in paths and model.saver_file is None:
        return _unchecked(name, "not judged: how names of TensorFlow 1 match what is no tf.Graph is not simulated.")
    _, saved = read.content
    if any(is_of_weights_alone(path, saved, model) for path in paths):
        return _unchecked(name, "not judged: what load_model makes of the configuration in an .h5 is not simulated.")
    edge = root_edge(saved, model) if "tf-checkpoint" in paths else None
    saved, beside = without(saved, edge)
    if edge is not None:
        notes.append(_around(edge, beside))
    comparisons = {path: compared(saved, below(model, edge), path, revived) for path in paths}
    outcomes = {path: comparison.outcomes[path] for path, comparison in comparisons.items()}
    found = [finding for comparison in comparisons.values() for finding in breaks(comparison, name, read.name)]
    broken = any(troubles(comparison) for comparison in comparisons.values())
    doubtful = [path for path, outcome in outcomes.items() if not outcome.certain]
    custom = [path for path in doubtful if path not in model.unfamiliar]
    if custom:
        notes.append(f"{', '.join(custom)}: code of a layer's own reads its variables, which is not simulated.")
    notes += [f"{path}: {model.unfamiliar[path]}." for path in doubtful if path in model.unfamiliar]
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
        variables=model.count,
        restores={
            path: path_result(outcomes[path], comparison.model, comparison.misplaced(path))
            for path, comparison in comparisons.items()
        },
        findings=tuple(found),
        notes=(*notes, *unable),
        table=table(list(comparisons.values())),
    )


def compared(saved: Signature, model: Signature, path: str, revived: Mapping[str, Revival] | None = None) -> Comparison:
    """A file restored into a model, as data."""
    target = reviving.revived(saved, model, revived or {}, path) if path in model.load.revives else model
    (found,) = compare(in_words_of(target, saved, path), model, [path], Diff({}, compared=False), revived)
    return found


def breaks(comparison: Comparison, name: str, file: str) -> list[Finding]:
    """What keeps a file from restoring; the levels and the ignore list of the configuration are about commits."""
    found = findings.findings_of([comparison], findings.Context(name, file, Config()))
    return [msgspec.structs.replace(finding, accept="") for finding in found if finding.fails]


def _around(edge: str, beside: Sequence[str]) -> str:
    """What is said of a file that holds more than the model."""
    as_root = "judged from there on" if "/" in edge else f"judged as tf.train.Checkpoint({edge}=model)"
    more = f" What it holds around the model is not judged: {words.listing(beside)}." if beside else ""
    return f"The file was saved with the model as `{edge}`: {as_root}.{more}"


def _nearest(read: Checkpoint, models: Mapping[str, tuple[Build, Mapping[str, Revival]]]) -> set[str]:
    """The models that a file may be of, as far as it does not say so by not restoring.

    A `.keras` file loads whatever is asked for, as its own configuration makes it: it is of what is likest to that.
    """
    if read.signature is None or read.signature.archive is None:
        return set(models)
    likeness = {
        name: _likeness(made, build.signature)
        for name, (build, revived) in models.items()
        if build.signature is not None
        for made in [reviving.revived(read.signature, build.signature, revived, "keras-archive")]
        if made.archive and made.archive.revival and made.archive.revival.signature
    }
    return {name for name in models if likeness.get(name, 1.0) >= max(likeness.values(), default=0.0)}


def _likeness(one: Signature, other: Signature) -> float:
    """The share of two models' variables that both have."""
    forms = [{(v.path, v.shape) for v in signature.variables if not v.seed} for signature in (one, other)]
    return len(forms[0] & forms[1]) / max(1, len(forms[0] | forms[1]))


def _other(name: str, build: Build) -> ModelResult:
    return ModelResult(
        name,
        "breaks",
        variables=build.signature.count if build.signature is not None else 0,
        notes=("The configuration in the file makes another model.",),
    )


def _unchecked(name: str, note: str) -> ModelResult:
    return ModelResult(name, "unchecked", notes=(note,))


def about(read: Checkpoint, path: str) -> list[Finding]:
    """What is to say of the file itself: that it is damaged, or that it holds values that are no numbers."""
    return rules.about(Facts(read.name, path, damage=read.damage, not_finite=read.not_finite))
