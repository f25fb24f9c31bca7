"""The rules' names are a contract; each one explains itself, and just one of them explains a trouble."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signatures import graph, variable

from restore_guard.change.diffs import Diff
from restore_guard.judging.correspondence import correspond
from restore_guard.reports import explanation, wording
from restore_guard.result import PathResult
from restore_guard.rules import RULES, explaining
from restore_guard.rules.shared.cause import Trouble
from restore_guard.rules.shared.measured import measurements
from restore_guard.rules.shared.view import Sight, View
from restore_guard.signature import Holder, Signature

CONTRACT = {
    "variable-missing", "variable-added", "variable-renamed", "variable-misplaced", "shape-changed", "dtype-changed",
    "layer-type-changed", "sharing-changed", "not-saved", "config-incompatible", "inputs-changed",
    "framework-changed", "behaviour-changed", "manifest-stale", "manifest-missing", "manifest-invalid",
    "model-removed", "rollback-broken", "break-accepted", "break-migrated", "migration-invalid",
    "build-failed", "nondeterministic-build", "checkpoint-corrupt",
}  # fmt: skip
PAIRS = Path(__file__).parents[1] / "pairs"


def test_the_names_are_those_of_the_contract():
    assert set(RULES) == CONTRACT
    assert [rule.name for rule in RULES.values()] == sorted(CONTRACT)


@pytest.mark.parametrize("name", sorted(CONTRACT))
def test_an_explanation_is_made_of_the_rules_module_and_of_what_was_measured(name):
    rule, text = RULES[name], explanation.render(RULES[name])
    words = " ".join(text.split())
    assert text.startswith(f"{name} ({rule.level} by default)\n")
    assert "How to fix it:" in text and "--accept-break" in text
    assert max(map(len, text.splitlines())) <= 100
    assert ("saved before or after the first training step" in words) == (rule.explains is not None)
    for said in (rule.meaning, rule.why, rule.fix, rule.example.before, rule.example.after):
        assert " ".join(said.split()) in words
    if rule.example.pair is None:
        assert rule.example.before and rule.example.after and name not in measurements().rules
        return
    assert all((PAIRS / rule.example.pair / f"{side}.py").is_file() for side in ("base", "head"))
    measured = measurements().rules[name]
    assert rule.example.before or all(f"    {line}\n" in text for line in measured.change)
    for path, seen in measured.outcomes.items():
        assert f"    {path}\n" in text
        for each in seen.values():
            result = PathResult(each.outcome, each.restored, each.variables, each.initial, each.unused, each.misplaced)
            assert wording.consequence(result) in words


def test_the_page_of_a_renamed_attribute_says_where_the_frameworks_differ():
    """As the first table of real restores has it: silent on one path, and on the other by the generation of Keras."""
    (paths,) = [measured.outcomes for name, measured in measurements().rules.items() if name == "variable-renamed"]
    outcomes = {path: {column: each.outcome for column, each in seen.items()} for path, seen in paths.items()}
    assert outcomes["tf-checkpoint"] == {"Keras 2": "partial", "Keras 3": "partial"}
    assert outcomes["keras-weights"] == {"Keras 2": "restores", "Keras 3": "raises"}
    assert outcomes["h5"] == {"Keras 2": "restores", "Keras 3": "restores"}


# --- just one rule explains a trouble ------------------------------------------------------------------------


def _signature(variables, holders, aliases):
    return Signature({}, variables, graph(("Model", None, {})), holders=holders, aliases=aliases)


SAVED = _signature(
    (variable("same/v"), variable("wide/v", (3,)), variable("whole/v", dtype="int32"), variable("typed/v"),
     variable("old/v"), variable("gone/v"), variable("merged/v")),
    (Holder("typed", "LSTM"), Holder("same", "Dense", calls=1)),
    (("split", "same"),),
)  # fmt: skip
MODEL = _signature(
    (variable("same/v"), variable("wide/v", (4,)), variable("whole/v"), variable("typed/v"), variable("new/v"),
     variable("added/v"), variable("split/v")),
    (Holder("typed", "GRU"), Holder("same", "Dense", calls=2)),
    (("merged", "same"),),
)  # fmt: skip
VIEW = View(
    SimpleNamespace(
        saved=SAVED,
        model=MODEL,
        diff=Diff({}),
        same=correspond(SAVED, MODEL, Diff({})),
        olds={each.path: each for each in SAVED.variables},
        news={each.path: each for each in MODEL.variables},
        old_holders={holder.path: holder for holder in SAVED.holders},
        new_holders={holder.path: holder for holder in MODEL.holders},
    )
)
olds = st.sampled_from([each.path for each in SAVED.variables])
news = st.sampled_from([each.path for each in MODEL.variables])


@st.composite
def troubles(draw):
    old, new = draw(st.none() | olds), draw(st.none() | news)
    if new is not None and draw(st.booleans()):
        return Trouble("path", old, new, got=draw(olds))
    return Trouble("path", old, new, unsaved=draw(st.booleans()), revived=draw(st.booleans()))


@given(troubles())
def test_just_one_rule_explains_a_trouble(trouble):
    sight = Sight(trouble, VIEW)
    found = {name: subject for name, each in explaining().items() if (subject := each.applies(sight)) is not None}
    assert len(found) == 1, found


@pytest.mark.parametrize(
    ("trouble", "rule"),
    [
        (Trouble("p", None, None), "variable-missing"),
        (Trouble("p", None, None, revived=False), "config-incompatible"),
        (Trouble("p", "gone/v", None), "variable-missing"),
        (Trouble("p", None, "added/v"), "variable-added"),
        (Trouble("p", "merged/v", None), "sharing-changed"),
        (Trouble("p", None, "split/v"), "sharing-changed"),
        (Trouble("p", "same/v", "same/v", got="old/v"), "variable-misplaced"),
        (Trouble("p", "same/v", "same/v", got="same/v"), "shape-changed"),
        (Trouble("p", "wide/v", "wide/v"), "shape-changed"),
        (Trouble("p", "whole/v", "whole/v"), "dtype-changed"),
        (Trouble("p", "typed/v", "typed/v"), "layer-type-changed"),
        (Trouble("p", "old/v", "new/v"), "variable-renamed"),
        (Trouble("p", "same/v", "same/v"), "variable-renamed"),
        (Trouble("p", "same/v", "same/v", unsaved=True), "not-saved"),
    ],
)
def test_the_rule_that_explains_a_trouble(trouble, rule):
    (found,) = [name for name, each in explaining().items() if each.applies(Sight(trouble, VIEW)) is not None]
    assert found == rule
