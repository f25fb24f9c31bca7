"""How one checkpoint file gets into the model of today: of which epoch it is, and what becomes of its values. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from restore_guard.judging.fit import WRITTEN_BY, Fit, fits, fitting, in_words, nearest, words
from restore_guard.judging.placements import Plan, Problem, of_file, plan
from restore_guard.promise.migrations import Migration, MigrationError, Migrations
from restore_guard.signature import Signature, Variable


class Promise(msgspec.Struct, frozen=True):
    """A model that the file may be of.

    Attributes:
        label: says to a person where it is from.
        ahead: the epochs on the way from there to today; of a branch that was merged, those of the other side.
    """

    epoch: int
    signature: Signature
    label: str = ""
    ahead: tuple[int, ...] = ()


class Route(msgspec.Struct, frozen=True):
    """The way of one file.

    Attributes:
        start: what the file is of.
        steps: the migrations on the way; none where the file restores as it is.
    """

    start: Promise
    fit: Fit
    steps: tuple[Migration, ...]
    plan: Plan

    @property
    def sources(self) -> dict[str, str]:
        """{variable of the model: what the file calls its value}."""
        return {item.variable: self.fit.held[item.saved] for item in self.plan.placements if item.saved is not None}


class NoRoute(ValueError):
    """A file that cannot be carried over; the message says why and what to do."""


def by_promises(
    file: Signature,
    kind: str,
    promises: Sequence[Promise],
    today: Promise,
    migrations: Migrations | None,
    epoch: int | None = None,
) -> Route:
    """The way of a file to `today`.

    Args:
        promises: the last promise of each earlier epoch, on each branch.
        epoch: which epoch the file is of, where a person has said so.

    Raises:
        NoRoute: the file is of none of these, or of several that say otherwise where its values belong.
        MigrationError: a migration on the way is missing or does not hold.
    """
    known = [promise for promise in (*promises, today) if epoch in (None, promise.epoch)]
    if not known:
        raise NoRoute(f"no manifest in git's history is of epoch {epoch}.")
    tried = [(promise, fits(file, kind, promise.signature)) for promise in known]
    found = fitting(tried)
    if not found:
        raise _refusal(tried)
    routes = [(promise, _route(file, promise, fit, today, migrations)) for promise, fit in found]
    sound = [route for _, route in routes if isinstance(route, Route)]
    failed = {promise.epoch: error for promise, error in routes if isinstance(error, MigrationError)}
    if not sound:
        raise list(failed.values())[-1]
    if failed or len({str(route.sources) for route in sound}) > 1:
        raise NoRoute(_choice([promise for promise, _ in found], failed))
    return sound[-1]


def by_mapping(file: Signature, kind: str, old: Signature | None, today: Promise, outside: Migrations) -> Route:
    """The way of a file by the one migration of a file from outside of the manifests.

    Args:
        old: the model in whose words it speaks; None for the names that the file itself has.

    Raises:
        MigrationError: it does not hold.
    """
    (table,) = outside.tables
    if old is None:
        old, fit = in_words(file), Fit(WRITTEN_BY[kind][0], held=words(file))
    else:
        fit = fits(file, kind, old)
    found = plan(_seen(file, old, fit), today.signature, [table], strict=True)
    if found.problems:
        raise as_error(outside, found.problems)
    return Route(Promise(today.epoch, old, outside.file), fit, (table,), of_file(found, fit.held))


def as_error(migrations: Migrations, problems: Sequence[Problem]) -> MigrationError:
    """The first problem with its line, and how many more there are."""
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    line = migrations.line(first.migration, *first.words) if first.migration is not None else 1
    return MigrationError(migrations.file, line, first.message + more)


def _route(
    file: Signature, start: Promise, fit: Fit, today: Promise, migrations: Migrations | None
) -> Route | MigrationError:
    steps: list[Migration] = []
    try:
        if start.ahead:
            if migrations is None:
                raise MigrationError(start.label, 0, f"there are no migrations from epoch {start.epoch}.")
            steps = migrations.chain(start.ahead)
        found = plan(_seen(file, start.signature, fit), today.signature, steps)
        if found.problems and migrations is not None and steps:
            raise as_error(migrations, found.problems)
        if found.problems:
            raise MigrationError(start.label, 0, found.problems[0].message)
    except MigrationError as error:
        return error
    return Route(start, fit, tuple(steps), of_file(found, fit.held))


def _seen(file: Signature, model: Signature, fit: Fit) -> Signature:
    """The model with the shapes and types that its values have in a file."""
    stored = {variable.path: variable for variable in file.variables}

    def seen(variable: Variable) -> Variable:
        if variable.path not in fit.held:
            return variable
        value = stored[fit.held[variable.path]]
        whole = variable.path not in fit.parts
        return msgspec.structs.replace(variable, shape=value.shape if whole else variable.shape, dtype=value.dtype)

    return msgspec.structs.replace(model, variables=tuple(map(seen, model.variables)))


def _choice(found: Sequence[Promise], failed: Mapping[int, MigrationError]) -> str:
    """What a person has to say or to decide where a file fits the model of several epochs.

    Args:
        failed: {epoch: why no way leads from there}.
    """
    labels = " and ".join(f"of epoch {promise.epoch} ({promise.label})" for promise in found)
    asked = "say which one the file is of: --epoch NUMBER."
    if not failed:
        return f"it fits the model {labels}, and its values belong elsewhere in each: {asked}"
    epoch, error = next(iter(failed.items()))
    place = f"{error.file}:{error.line}: " if error.line else ""
    return (
        f"it fits the model {labels}, and from epoch {epoch} it cannot be migrated yet: "
        f"{place}{error.message.removesuffix('.')}. "
        f"Mend that first, or {asked}"
    )


def _refusal(tried: Sequence[tuple[Promise, Fit]]) -> NoRoute:
    """Why a file has no route, by the model that it is nearest to."""
    promise, fit = nearest(tried)
    if not fit.certain:
        return NoRoute(
            f"a layer of the model of epoch {promise.epoch} ({promise.label}) reads its variables by code of its own: "
            "which value is which cannot be told."
        )
    return NoRoute(f"it is of no model that a manifest promises. {difference(promise, fit)}")


def difference(promise: Promise, fit: Fit) -> str:
    """What keeps a file from being of a model, as a sentence."""
    if fit.error is not None and not fit.held:
        return f"Nearest is epoch {promise.epoch} ({promise.label}), which cannot load it: {fit.error.splitlines()[0]}"
    lacking = f"{len(fit.missing)} of its variables are not in the file ({_few(fit.missing)})" if fit.missing else ""
    strange = [name for name in fit.beside if not fit.is_elsewhere(name)]
    more = f"{len(strange)} values of the file are not of it ({_few(strange)})" if strange else ""
    return f"Nearest is epoch {promise.epoch} ({promise.label}): {' and '.join(filter(None, (lacking, more)))}."


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


__all__ = ["NoRoute", "Promise", "Route", "as_error", "by_mapping", "by_promises", "difference"]
