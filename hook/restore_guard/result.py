"""The result of a check: one type that every report takes. Its JSON form is the contract `schema` 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

Verdict = Literal["restores", "breaks", "unchecked", "unaffected"]
ManifestState = Literal["current", "stale", "missing"]
Level = Literal["error", "warning", "off"]
Status = Literal["new", "pre-existing", "accepted", "migrated", "ignored"]


def worst(verdicts: Iterable[Verdict], none: Verdict = "restores") -> Verdict:
    """The verdict on all of them; `none` where there are none."""
    found = {*verdicts} or {none}
    return "breaks" if "breaks" in found else "unchecked" if "unchecked" in found else "restores"


def code_of(verdict: Verdict) -> int:
    """The exit code of a verdict."""
    return {"breaks": 1, "unchecked": 3}.get(verdict, 0)


class Struct(msgspec.Struct, frozen=True):
    """Base of the report's data."""


class Suggestion(Struct, frozen=True):
    """A repair that was tried on a copy of the head.

    Attributes:
        first, last: the lines of the head that it replaces.
        replaced, replacement: what stands there, and what would; lines without the last one's end.
        outcome: what became of old checkpoints with it, as half a sentence.
    """

    file: str
    first: int
    last: int
    replaced: str
    replacement: str
    outcome: str


class Finding(Struct, frozen=True):
    """One root cause.

    Attributes:
        file, line: in the head's source, relative to the root of the repository; line 0 where no line is known.
        message: what changed and what follows, one or two sentences.
        restores: the restore paths that it breaks.
        old, new: variable, layer, shape or type before and after.
        effects: one sentence a restore path: what its load call does now. Not in the JSON report.
        fix: what to change to keep old checkpoints restorable. Not in the JSON report.
        accept: the command that accepts the break, or "". Not in the JSON report.
        variables: all that it is about, by which it can be ignored. Not in the JSON report.
        unchecked: True where it says that the verdict cannot be known. Not in the JSON report.
        count: how many instances of the root cause it stands for.
        suggestion: a repair that was tried, and helps.
    """

    rule: str
    level: Level
    file: str
    line: int
    message: str
    restores: tuple[str, ...] = ()
    old: str | None = None
    new: str | None = None
    status: Status = "new"
    effects: tuple[str, ...] = ()
    fix: str = ""
    accept: str = ""
    variables: tuple[str, ...] = ()
    unchecked: bool = False
    count: int = 1
    suggestion: Suggestion | None = None

    @property
    def fails(self) -> bool:
        """True where this finding alone makes the check fail."""
        return self.level == "error" and self.status == "new"


class Situation(Struct, frozen=True):
    """At which stage a model is saved, and at which one it is restored."""

    saved: Literal["untrained", "trained"]
    restored: Literal["uncalled", "untrained", "trained"]


class Migrated(Struct, frozen=True):
    """What becomes of a checkpoint of the base that is migrated and restored into the head."""

    outcome: Literal["restores", "partial", "raises"]
    evidence: Literal["simulated", "witnessed"] = "simulated"
    error: str | None = None


class PathResult(Struct, frozen=True):
    """One restore path of one model; `restored` of `variables` get a saved value.

    `outputs` tells whether the restored model computes what the saved one did, where all of it restores; None where
    that was not compared, for the reason in `uncompared`.
    `situation` is the one in which it is so, where it is not so for a trained model restored into a trained one.
    `migration` is there where the change brings one.
    `certain` is False where code decides that is not simulated, and no witness has seen it.
    """

    outcome: Literal["restores", "partial", "raises", "unsupported"]
    restored: int
    variables: int
    initial: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    misplaced: tuple[str, ...] = ()
    error: str | None = None
    evidence: Literal["simulated", "witnessed"] = "simulated"
    outputs: Literal["same", "differ"] | None = None
    uncompared: str | None = None
    situation: Situation | None = None
    migration: Migrated | None = None
    certain: bool = True


Fate = Literal[
    "restored",
    "converted",
    "initial",
    "dropped",
    "elsewhere",
    "misplaced",
    "raises",
    "stopped",
    "unwritten",
    "unsupported",
]
"""What a restore path does with a variable.

`converted`: loading makes its value of several saved ones. `initial`: it keeps its initial value. `dropped`: nothing
takes the saved value. `elsewhere`: another variable takes it. `misplaced`: it gets the value of another one. `raises`:
the load call raises over it. `stopped`: it raises over others. `unwritten`: the path never writes it.
"""


class Seen(Struct, frozen=True):
    """A variable as one side has it.

    Attributes:
        owner: the class of what holds it.
        file, line: where the source of that side creates it; line 0 where that is not known.
    """

    path: str
    shape: tuple[int | None, ...] | None
    dtype: str
    owner: str | None = None
    file: str = ""
    line: int = 0


class Row(Struct, frozen=True):
    """A variable in old checkpoints and in the model of now; one side is None where it has none.

    Attributes:
        fates: {restore path: what becomes of it}; none where there is nothing to restore.
        got: {restore path: the saved variable whose value it gets, or the one that takes its value}, where that is
            another than `saved` and `now` say.
        near: what has no partner on the other side either, and its shape and type; the likest names first.
    """

    saved: Seen | None
    now: Seen | None
    fates: dict[str, Fate] = {}
    got: dict[str, str] = {}
    near: tuple[str, ...] = ()

    @property
    def is_lost(self) -> bool:
        """Whether some restore path does not bring its value to its place."""
        return not {"initial", "dropped", "misplaced", "raises"}.isdisjoint(self.fates.values())


class Behaviour(Struct, frozen=True):
    """Whether what is really saved by the base and restored into the head computes the same from the same inputs."""

    same_output: bool
    max_difference: float


class ModelResult(Struct, frozen=True):
    """One model.

    Attributes:
        notes: sentences that a reader must know to trust the verdict ("the base no longer builds: ...").
        table: all variables, in the order of the model. Not in the JSON report.
    """

    name: str
    verdict: Verdict
    variables: int = 0
    manifest: ManifestState = "current"
    restores: dict[str, PathResult] = {}
    behaviour: Behaviour | None = None
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    table: tuple[Row, ...] = ()

    @property
    def word(self) -> str:
        """The verdict for a person: a model whose only fault is its manifest is not called broken."""
        faults = {finding.rule for finding in self.findings if finding.fails}
        if self.verdict == "breaks" and faults == {"rollback-broken"}:
            return "restores, rollback broken"
        if self.verdict != "breaks" or self.manifest == "current" or not faults:
            return self.verdict
        if not all(rule.startswith(("manifest-", "build-failed")) for rule in faults):
            return self.verdict
        if not all(path.certain for path in self.restores.values()):
            return self.verdict
        lead = "not built, " if "build-failed" in faults else "restores, " if self.restores else ""
        return f"{lead}manifest {self.manifest}"

    @property
    def only_manifest(self) -> bool:
        """Whether the check fails for the manifest alone, and nothing about the model is in doubt."""
        faults = {finding.rule.startswith("manifest-") for finding in self.findings if finding.fails}
        certain = self.verdict == "breaks" and all(path.certain for path in self.restores.values())
        return certain and faults == {True}


_WORDS = (
    ("restores", "restores", "restore"),
    ("restores, manifest stale", "restores with a stale manifest", "restore with a stale manifest"),
    ("restores, manifest missing", "restores without a manifest", "restore without a manifest"),
    ("manifest missing", "has no manifest", "have no manifest"),
    ("restores, rollback broken", "restores with no way back", "restore with no way back"),
    ("breaks", "breaks", "break"),
    ("not built, manifest stale", "not built, with a stale manifest", "not built, with a stale manifest"),
    ("not built, manifest missing", "not built, without a manifest", "not built, without a manifest"),
    ("unchecked", "unchecked", "unchecked"),
    ("unaffected", "unaffected", "unaffected"),
)
"""(word of a model, in the summary of one, of several)."""


class Result(Struct, frozen=True):
    """One run; `base` and `head` are a commit's sha, "index", "worktree", or None where there is no base."""

    base: str | None
    head: str
    models: tuple[ModelResult, ...]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return worst(model.verdict for model in self.models)

    @property
    def word(self) -> str:
        """The verdict for a person, as of a model."""
        verdict = self.verdict  # once: there may be thousands of models
        words = {model.word for model in self.models if model.verdict == verdict}
        if len(words) > 1 and "breaks" not in words:
            return "not as it must be"
        return words.pop() if len(words) == 1 else verdict

    @property
    def exit_code(self) -> int:
        """0 all restore or are accepted, 1 a finding at level error, 3 something could not be checked."""
        return code_of(self.verdict)

    def summary(self) -> str:
        """The last line of every run, for example `3 models, 214 variables, 6 restore paths: 2 restore, 1 breaks`."""
        judged = [model for model in self.models if model.verdict != "unaffected"]
        paths = sum(len(model.restores) for model in judged)
        variables = sum(model.variables for model in judged)
        of_each = Counter(model.word for model in self.models)
        counts = [
            f"{count} {singular if count == 1 else plural}"
            for word, singular, plural in _WORDS
            if (count := of_each[word])
        ]
        return (
            f"{_plural(len(self.models), 'model')}, {_plural(variables, 'variable')}, "
            f"{_plural(paths, 'restore path')}: {', '.join(counts) or 'nothing checked'}"
        )


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
