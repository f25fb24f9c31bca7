"""Findings on the marked lines of the corpora, and one for each cause."""

import statistics

import marked
import pytest

# Some 160 commits are checked, which takes over ten minutes; `scripts/lines` prints the figures.
pytestmark = [pytest.mark.tensorflow, pytest.mark.timeout(3600)]
played = pytest.mark.long
NO_WITNESS = "--witness", "never"


@pytest.fixture(scope="module")
def seen(keras3, tmp_path_factory):
    changes = [change for corpus in marked.CORPORA for change in marked.changes(corpus)]
    return marked.play(changes, keras3, tmp_path_factory.mktemp("marked"), *NO_WITNESS)


def test_there_are_enough_changes():
    assert len(marked.changes("lines")) >= 80
    assert len(marked.changes("causes")) >= 30


def test_what_a_change_moved_is_no_cause_of_its_own(keras3, tmp_path):
    """What follows a removed layer, and a shared one that is stored below another attribute now."""
    chosen = {"convnet_layer_removed", "shared_a_tower_renamed"}
    changes = [change for corpus in ("lines", "causes") for change in marked.changes(corpus)]
    seen = marked.play([change for change in changes if change.package in chosen], keras3, tmp_path, *NO_WITNESS)
    assert {one.change.package for one in seen} == chosen
    assert [one.change.package for one in seen if one.per_cause != 1 or not one.on_the_line] == []


@played
def test_findings_stand_on_the_marked_lines(seen):
    mine = [one for one in seen if one.change.corpus == "lines"]
    assert [one.change.package for one in mine if not one.in_the_hunk] == []
    assert sum(one.on_the_line for one in mine) >= 0.95 * len(mine), list(marked.misses(mine))


@played
def test_a_cause_is_one_finding(seen):
    mine = [one for one in seen if one.change.corpus == "causes"]
    assert statistics.median(one.per_cause for one in mine) == 1
    assert [one.change.package for one in mine if one.per_cause != 1 or not one.on_the_line] == []


@played
def test_what_was_told_wrongly_once_is_told_rightly(seen):
    mine = [one for one in seen if one.change.corpus == "cases"]
    assert len(mine) == 8
    assert list(marked.misses(mine)) == []
