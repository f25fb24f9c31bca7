"""The rules: one module each, named after the rule, whose name is a contract. A new rule is a new module.

The names cost nothing; a rule is imported when it is asked for, because most commits need none.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from restore_guard.result import Finding
    from restore_guard.rules.shared.facts import Facts
    from restore_guard.rules.shared.rule import Explanation, Rule

_NAMES = sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__) if not module.ispkg)


class _Rules(Mapping[str, "Rule"]):
    """{name: rule}, in the order of the names."""

    def __getitem__(self, name: str) -> Rule:
        if name not in self:
            raise KeyError(name)
        rule: Rule = import_module(f"{__name__}.{name.replace('-', '_')}").RULE
        return rule

    def __contains__(self, name: object) -> bool:
        return name in _NAMES

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


RULES: Mapping[str, Rule] = _Rules()


def explaining() -> dict[str, Explanation]:
    """{rule: how it explains variables that no longer restore}; just one of them applies to a trouble."""
    return {name: rule.explains for name, rule in RULES.items() if rule.explains is not None}


def explanation(name: str) -> Explanation:
    """How a rule explains variables that no longer restore.

    Raises:
        LookupError: there is no such rule, or it is not about variables.
    """
    explains = RULES[name].explains
    if explains is None:
        raise LookupError(f"{name} explains no variables")
    return explains


def about(facts: Facts) -> list[Finding]:
    """All that the rules say of a model, or a checkpoint, as a whole."""
    return [rule.finding(told, facts.config, facts.file) for rule in RULES.values() for told in rule.about(facts)]
