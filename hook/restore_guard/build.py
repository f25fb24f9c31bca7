"""What is asked of the probe, and what it answers: plain data that builds and verdicts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from restore_guard.result import Behaviour
from restore_guard.signature import Signature

Strategy = Literal["graph", "weightless", "eager"]
"""How a builder can be run, the cheapest first."""


class Job(msgspec.Struct, frozen=True):
    """Something to do in the user's Python, most of all a model to build from one side.

    Attributes:
        root: folder of the project at that side; project: where that is in the repository, "" for all of it.
        pythonpath: folders below the root that come first on sys.path, before the root itself.
        worktree: the user's own work tree, from which nothing may be imported instead.
        timeout: seconds for all attempts together.
        restores: the restore paths that the model promises; some need more of a build than others.
        task: a name of `probe.tasks.TASKS`.
        load: the team's load call, as `config.Load` has it; empty for the plain one.
        environ: variables with which the Python starts that does it; empty for the warm one.
        options: what a task other than "build" needs to know beside the model; plain data.
    """

    id: str
    root: Path
    builder: str = ""
    project: str = ""
    kwargs: Mapping[str, Any] = msgspec.field(default_factory=dict)
    inputs: Sequence[Mapping[str, Any]] = ()
    pythonpath: Sequence[str] = ()
    worktree: Path | None = None
    timeout: float = 300
    restores: Sequence[str] = ()
    task: str = "build"
    load: Mapping[str, Any] = msgspec.field(default_factory=dict)
    environ: Mapping[str, str] = msgspec.field(default_factory=dict)
    options: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Build(msgspec.Struct, frozen=True):
    """What became of a build: a signature, or why there is none.

    Attributes:
        strategy: graph, weightless or eager; how the builder could be run.
        because: why no cheaper strategy served; None for the cheapest.
        seconds: how long it took, all attempts together.
        trace: what it depends on; of one that was not made in this run, what it reads, looks for and writes.
        failure: one sentence for a person; `detail` holds where the repository's code failed, line by line, and what
            the build printed; `at` is the file and the line where it did.
        writes: the file of the work tree that it failed for: it would have written there.
    """

    signature: Signature | None = None
    strategy: Strategy | None = None
    because: str | None = None
    seconds: float = 0
    trace: Trace | None = None
    failure: str | None = None
    detail: str = ""
    at: tuple[str, int] | None = None
    writes: str | None = None

    @property
    def known_signature(self) -> Signature:
        """The signature of a build that is known to have succeeded.

        Raises:
            ValueError: it failed.
        """
        if self.signature is None:
            raise ValueError(f"nothing was built: {self.failure}")
        return self.signature


class Answer(msgspec.Struct, frozen=True):
    """What became of any other task: its plain data, or why there is none, as for a `Build`.

    Attributes:
        died: True where the task crashed or took too long, and not where it raised or was killed from outside.
    """

    data: Any = None
    failure: str | None = None
    detail: str = ""
    died: bool = False


class Spot(NamedTuple):
    """What ran when something was created; the last three are None where Python does not tell."""

    file: str
    line: int
    end_line: int | None
    column: int | None
    end_column: int | None


class Trace(msgspec.Struct, frozen=True):
    """What a build depends on, as the probe heard it; paths are relative to the project unless said otherwise.

    Attributes:
        modules: Python files that were imported; files: all others that were read; links: those on the way to any path.
        present, missing: what was only looked for, and was there or not.
        folders: those whose names were listed.
        outside: absolute paths that are neither the repository's nor installed, read or looked for.
        environ: {variable: digest of its value, or None}; all_environ: whether any other would have been seen, too.
        packages, failed: top-level names that were imported from what is installed, or looked for and not imported.
        opaque: what the build did that cannot be followed.
        written: files of the repository that the build itself wrote.
        spots, stacks, created: every creation in order, as (number of its frames, class, number of its site); frames
            are (number of a spot, class of `self`), the innermost first.
    """

    modules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    environ: dict[str, str | None] = {}
    all_environ: bool = False
    packages: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    spots: tuple[Spot, ...] = ()
    stacks: tuple[tuple[tuple[int, str | None], ...], ...] = ()
    created: tuple[tuple[int, str, int], ...] = ()


class Observation(msgspec.Struct, frozen=True):
    """What a real restore did; see `probe.witnessing.trial.bring_back`.

    Attributes:
        converted: {variable of the model: the saved ones that loading has made its value of}.
        behaviour: whether it computes what was saved; None for the reason in `uncompared`.
        refusal: where every value arrives and it raises where the saving model computed something: the error.
        roles: {variable of the model: the saved one whose value belongs in it, as the outputs show}.
        exchanged: {input: the input of the saving model whose place it has, as the outputs show}.
        tables: the addresses of the saved hash tables that were looked into; `lost` of those that reached no table.
    """

    outcome: Literal["restores", "partial", "raises"]
    error: str | None
    assigned: dict[str, str]
    initial: tuple[str, ...]
    unused: tuple[str, ...]
    changed_otherwise: tuple[str, ...]
    converted: dict[str, tuple[str, ...]] = {}
    behaviour: Behaviour | None = None
    uncompared: str | None = None
    refusal: str | None = None
    roles: dict[str, str] = {}
    exchanged: dict[str, str] = {}
    tables: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """True where every value arrives and the outputs are others."""
        return self.behaviour is not None and not self.behaviour.same_output


class Witness(msgspec.Struct, frozen=True):
    """What came of a trial.

    Attributes:
        observations: {restore path: what was seen}; a path that could not be tried is missing.
        failures: why paths, or all of them, could not be tried.
        control: the same of the saving code's own build, tried where the observations leave a doubt whether what is
            lost is news.
    """

    observations: Mapping[str, Observation] = msgspec.field(default_factory=dict)
    failures: tuple[str, ...] = ()
    control: Mapping[str, Observation] = msgspec.field(default_factory=dict)

    @property
    def behaviour(self) -> Behaviour | None:
        """Whether both sides compute the same by every path that restores: the worst of them."""
        seen = [seen.behaviour for seen in self.observations.values() if seen.behaviour is not None]
        return max(seen, key=lambda one: (not one.same_output, one.max_difference), default=None)

    def differing(self) -> dict[str, Observation]:
        """The restore paths by which every value arrives and the outputs are others."""
        return {path: seen for path, seen in self.observations.items() if seen.differs}

    def refusing(self) -> dict[str, Observation]:
        """The restore paths by which every value arrives into a model that raises where the saving one did not."""
        own = {path for path, seen in self.control.items() if seen.refusal is not None}
        return {path: seen for path, seen in self.observations.items() if seen.refusal is not None and path not in own}

    def alike(self) -> list[str]:
        """The restore paths by which the restored model computes what was saved."""
        return [path for path, seen in self.observations.items() if seen.behaviour and seen.behaviour.same_output]

    def differed(self, path: str) -> bool:
        """Whether the saving code's own build computes something else as well once it has restored."""
        return path in self.control and self.control[path].differs


class Rivals(msgspec.Struct, frozen=True):
    """Assignments {variable of the head: variable of the base}.

    Attributes:
        likely: as lines and names show it, as restoring would have it, or with two exchanged of those that are alike
            and on changed lines.
        possible: with others exchanged or moved among those that are alike: worth a try where outputs differ.
    """

    likely: tuple[Mapping[str, str], ...] = ()
    possible: tuple[Mapping[str, str], ...] = ()
