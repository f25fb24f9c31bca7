"""The rules: one module a family, each rule declared as data. Their names are a contract."""

from restore_guard.rules import coverage, forms, manifests, models, runs, variables
from restore_guard.rules.rule import Rule

RULES: dict[str, Rule] = {
    rule.name: rule for family in (variables, forms, coverage, models, manifests, runs) for rule in family.RULES
}

__all__ = ["RULES", "Rule"]
