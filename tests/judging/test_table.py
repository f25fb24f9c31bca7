"""The table of variables: which is beside which, and what becomes of it on each restore path."""

from msgspec.structs import replace
from signatures import graph, model, module, variable

from restore_guard.change.diffs import Diff
from restore_guard.judging.comparison import compare
from restore_guard.judging.table import fresh, table
from restore_guard.restore_paths import Outcome
from restore_guard.result import Seen
from restore_guard.signature import Signature


def told(saved, now, *paths):
    """[(saved name, name now, fates, other variable, near misses)]"""
    rows = table(compare(saved, now, paths or ["tf-checkpoint"], Diff({})))
    return [(*names(row), [*row.fates.values()], row.got, row.near) for row in rows]


def names(row):
    return row.saved and row.saved.path, row.now and row.now.path


def test_what_is_unchanged_restores():
    same = module(a=(2,), b=(3,))
    assert told(same, same) == [("a", "a", ["restored"], {}, ()), ("b", "b", ["restored"], {}, ())]


def test_what_is_renamed_stands_beside_its_old_name():
    assert told(module(a=(2,), old=(3,)), module(a=(2,), new=(3,))) == [
        ("a", "a", ["restored"], {}, ()),
        ("old", "new", ["initial"], {}, ()),
    ]


def test_what_is_gone_stays_behind_what_was_before_it():
    before, after = module(a=(2,), gone=(7,), b=(3,)), module(b=(3,), a=(2,), new=(8,))
    assert [row[:3] for row in told(before, after)] == [
        ("b", "b", ["restored"]),
        ("a", "a", ["restored"]),
        ("gone", None, ["dropped"]),
        (None, "new", ["initial"]),
    ]


def test_what_the_load_call_raises_over_is_told_apart():
    assert [row[:3] for row in told(module(a=(2,), b=(3,)), module(a=(2,), b=(4,)))] == [
        ("a", "a", ["stopped"]),
        ("b", "b", ["raises"]),
    ]


def test_a_value_that_goes_elsewhere():
    (compared,) = compare(module(a=(2,), gone=(3,)), module(a=(2,)), ["tf-checkpoint"], Diff({}))
    outcome = Outcome("partial", assigned={"a": "gone"}, unused=("a",))
    rows = table([replace(compared, outcomes={"tf-checkpoint": outcome})])
    assert [(*names(row), row.fates["tf-checkpoint"], row.got["tf-checkpoint"]) for row in rows] == [
        ("a", "a", "misplaced", "gone"),
        ("gone", None, "elsewhere", "a"),
    ]


def test_each_path_has_its_own_word():
    dense = [("Model", "layer", (), [("d", 1)]), ("Dense", "layer", (0, 1), ())]
    before = model(3, [variable("d/kernel", (2, 3)), variable("d/bias", (3,))], *dense)
    after = model(3, [variable("d/kernel", (2, 4)), variable("d/bias", (4,))], *dense)
    rows = table(compare(before, after, ["keras-weights", "h5"], Diff({})))
    assert {row.fates["h5"] for row in rows} == {"unsupported"}
    assert {row.fates["keras-weights"] for row in rows} == {"raises"}


def test_only_the_likest_near_misses_are_told():
    before = module(**{f"old{number}": (2,) for number in range(20)})
    after = module(**{f"new{number}": (2,) for number in range(20)})
    rows = told(before, after)
    assert len(rows) == 40 and all(len(row[4]) == 3 for row in rows)


def test_without_older_checkpoints_there_are_no_fates():
    (row,) = fresh(module(a=(2,)))
    assert row.saved is None and row.now == Seen("a", (2,), "float32") and not row.fates


def test_random_seeds_are_no_rows():
    seeded = Signature({}, (variable("a"), variable("s", seed=True)), graph(("M", None, {"a": 1}), ("Variable", 0, {})))
    assert [row[:2] for row in told(seeded, seeded)] == [("a", "a")]
    assert len(fresh(seeded)) == 1
