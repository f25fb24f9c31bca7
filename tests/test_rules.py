"""The rules' names are a contract; each one explains itself."""

import pytest

from restore_guard.reports import explanation
from restore_guard.rules import RULES

CONTRACT = {
    "variable-missing", "variable-added", "variable-renamed", "variable-misplaced", "shape-changed", "dtype-changed",
    "layer-type-changed", "sharing-changed", "not-saved", "config-incompatible", "inputs-changed",
    "framework-changed", "behaviour-changed", "manifest-stale", "manifest-missing", "manifest-invalid",
    "model-removed", "break-accepted", "build-failed", "nondeterministic-build", "checkpoint-corrupt",
}  # fmt: skip


def test_the_names_are_those_of_the_contract():
    assert set(RULES) == CONTRACT


@pytest.mark.parametrize("name", sorted(CONTRACT))
def test_an_explanation_fits_a_terminal_and_says_how_to_go_on(name):
    text = explanation.render(RULES[name])
    assert text.startswith(f"{name} ({RULES[name].level} by default)\n")
    assert "How to fix it:" in text and "--accept-break" in text
    assert max(map(len, text.splitlines())) <= 100
