"""The rules: one module a family, each rule declared as data. Their names are a contract."""

from restore_guard.config import Config, Level
from restore_guard.rules import coverage, forms, manifests, models, runs, variables
from restore_guard.rules.rule import Rule

RULES: dict[str, Rule] = {
    rule.name: rule for family in (variables, forms, coverage, models, manifests, runs) for rule in family.RULES
}


def level(rule: str, config: Config, default: Level | None = None) -> Level:
    """The level of a rule: the configuration's word, else the rule's own."""
    return config.rules.get(rule, default or RULES[rule].level)


__all__ = ["RULES", "Rule", "level"]
