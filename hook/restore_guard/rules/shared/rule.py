"""What a rule is, and what it has to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from restore_guard.change.diffs import Place
from restore_guard.config import Config
from restore_guard.plain_data import Site
from restore_guard.result import Behaviour, Finding, Level, Status
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.view import Sight


class Example(msgspec.Struct, frozen=True):
    """The smallest change that raises a rule.

    Attributes:
        pair: the pair of the corpus that shows it, `<rule>/<name>`; what each restore path does with it is measured.
        before, after: the change itself, for a rule that no pair can show.
        crossed: the pair is saved by Keras 2 and restored by Keras 3.
    """

    pair: str | None = None
    before: str = ""
    after: str = ""
    crossed: bool = False


class Told(msgspec.Struct, frozen=True):
    """What a rule says of one root cause: a finding before it is judged by the configuration.

    Attributes:
        place: where it stands; None for the manifest.
        level: in place of the rule's own, where the configuration says nothing.
        fix: in place of the rule's own advice.
        accept: the command that accepts it.
        unchecked: it says that the verdict cannot be known.
        count: how many instances of the root cause it stands for.
    """

    message: str
    place: Place | None = None
    restores: tuple[str, ...] = ()
    old: str | None = None
    new: str | None = None
    status: Status = "new"
    effects: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    level: Level | None = None
    fix: str | None = None
    accept: str = ""
    unchecked: bool = False
    count: int = 1


class Explanation(msgspec.Struct, frozen=True):
    """How a rule explains variables that no longer restore.

    Attributes:
        applies: the old and the new name of what changed, where the rule is the reason of a trouble; else None. Of
            all rules just one applies to a trouble.
        says: one sentence on a cause.
        ends: the old and the new side of a cause, as a report shows them.
        whole: the line to blame is that of the layer as a whole, not that of its variables.
        data: what layers are called with may be the reason, as for a shape.
        refusal: where the code itself refuses to load, for a rule about that.
        advice: in place of the rule's `fix`, where a cause needs another.
    """

    applies: Callable[[Sight], Subject | None]
    says: Callable[[Cause, Compared], str]
    ends: Callable[[Cause, Compared], Subject]
    whole: bool = False
    data: bool = False
    refusal: Callable[[Compared], Site | None] = lambda _: None
    advice: Callable[[Cause, Compared], str | None] = lambda *_: None


class Rule(msgspec.Struct, frozen=True):
    """A kind of finding. What it looks at decides which of the last three it has.

    Attributes:
        meaning: what it says about old checkpoints, one sentence.
        why: what goes wrong in production where nobody looks.
        fix: how to keep old checkpoints restorable, or what to do.
        lenient: what to configure where the rule tells what is wanted; said where its level is not configured yet.
        level: the default level.
        breaking: the default level where values are lost, for a rule that is a warning where none is.
        explains: variables that no longer restore.
        notices: what is to be said of a comparison although everything restores.
        about: what is known of a model as a whole.
    """

    name: str
    meaning: str
    why: str
    example: Example
    fix: str
    lenient: str = ""
    level: Level = "error"
    breaking: Level | None = None
    explains: Explanation | None = None
    notices: Callable[[Compared, Sequence[Cause], Behaviour | None], Iterable[Told]] = lambda *_: ()
    about: Callable[[Facts], Iterable[Told]] = lambda _: ()

    def finding(self, told: Told, config: Config, file: str) -> Finding:
        """What is told, as a finding.

        Args:
            config: whose levels count before the rule's own.
            file: where a finding without a place stands.
        """
        at = told.place or Place(file, 0)
        advice = self.fix if told.status not in ("accepted", "migrated") else ""
        if told.status == "new" and self.lenient and self.name not in config.rules:
            advice += f" {self.lenient}"
        return Finding(
            rule=self.name,
            level=config.rules.get(self.name, told.level or self.level),
            file=at.file,
            line=at.line,
            message=told.message,
            restores=told.restores,
            old=told.old,
            new=told.new,
            status=told.status,
            effects=told.effects,
            fix=advice if told.fix is None else told.fix,
            accept=told.accept,
            variables=told.variables,
            unchecked=told.unchecked,
            count=told.count,
        )
