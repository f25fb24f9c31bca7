"""build-failed: the model could not be built."""

from __future__ import annotations

import re
from collections.abc import Iterator

from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told


def about(facts: Facts) -> Iterator[Told]:
    if facts.failure is not None:
        yield Told(
            f"The model could not be built, so it was not checked: {facts.failure}",
            facts.failed_at,
            effects=tuple(line.strip() for line in facts.detail.splitlines() if re.search(r"\w", line))[-12:],
            fix=advice(facts.failure),
        )


def advice(failure: str) -> str | None:
    """What to do about a failure whose kind is known; None where it is not, or where it says that itself."""
    if "carry = " in failure:
        return None
    if found := re.match(r"ModuleNotFoundError: No module named '(\w+)", failure):
        return f"If {found[1]} is a package, install it for the Python that builds. {_OTHERWISE}"
    if found := re.match(r"AttributeError: module '(\w+)[\w.]*' has no attribute '(\w+)'", failure):
        lacks = f"the code is for another version of it, one that has {found[2]}."
        return f"If {found[1]} is a package, {lacks} {_OTHERWISE}"
    if _LIST_FOR_TUPLE.search(failure):
        return _AS_TUPLE
    return _WITHOUT_WEIGHTS if _WEIGHTS.search(failure) and _ABSENT.search(failure) else None


_OTHERWISE = (
    'With environment = "per-commit" each commit is built with what its own lock file asks for; `audit --find` and '
    "`releases` go by manifests and build nothing."
)
_LIST_FOR_TUPLE = re.compile(
    r"can only concatenate (list \(not \"tuple\"\) to list|tuple \(not \"list\"\) to tuple)|unhashable type: 'list'"
)
_AS_TUPLE = (
    "If it is a list of kwargs, it comes as a tuple where the parameter has a tuple as default or annotation, such as "
    "`shape: tuple`; or give it in a builder (README: Guard a model that needs arguments)."
)
_WEIGHTS = re.compile(r"\.(h5|hdf5|keras|ckpt[\w.-]*|index)\b|\bweights\b", re.IGNORECASE)
_ABSENT = re.compile(
    r"no such file|not found|does not exist|unable to open|failed to find|fetch failure", re.IGNORECASE
)
_WITHOUT_WEIGHTS = (
    "Leave out the loading of weights, for the values that a model starts from do not matter here: weights=None, an "
    "argument in kwargs, or a builder that replaces the call (README: Guard a model that needs arguments)."
)


RULE = Rule(
    "build-failed",
    meaning="The model could not be built, so it could not be checked.",
    why="What was not checked is not green.",
    example=Example(before="def build(): return Ranker()", after="def build(): return Rankr()"),
    fix="Make the builder run in a fresh checkout of the commit.",
    about=about,
)
