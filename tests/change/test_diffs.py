"""Lines of the base in the head."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore_guard.change import diffs
from restore_guard.change.diffs import Diff, FileDiff, Place

BASE = "a\nb\nc\nd\ne\n"


def diff(new, old=BASE, path="m.py"):
    return Diff({"m.py": FileDiff(path, old, new)})


def test_lines_below_an_insertion_move():
    moved = diff("a\nNEW\nb\nc\nd\ne\n")
    assert moved.head(Place("m.py", 3)) == Place("m.py", 4)
    assert moved.is_changed(Place("m.py", 2)) and not moved.is_changed(Place("m.py", 3))


def test_a_changed_line_has_no_place_in_the_head():
    changed = diff("a\nb\nC\nd\ne\n")
    assert changed.head(Place("m.py", 3)) is None
    assert changed.same_change(Place("m.py", 3), Place("m.py", 3))
    assert not changed.same_change(Place("m.py", 3), Place("m.py", 4))


def test_a_renamed_file_keeps_its_lines():
    assert diff(BASE, path="n.py").head(Place("m.py", 2)) == Place("n.py", 2)


def test_a_file_that_did_not_change_keeps_its_lines():
    assert diff("x\n").head(Place("other.py", 9)) == Place("other.py", 9)


def test_a_removed_line_is_shown_where_it_stood():
    assert diff("a\nb\nd\ne\n").removal(Place("m.py", 3)) == Place("m.py", 3)


def test_a_removed_last_line_is_shown_on_the_last_line():
    assert diff("a\nb\nc\nd\n").removal(Place("m.py", 5)) == Place("m.py", 4)


def test_a_deleted_file_has_no_place():
    gone = diff("", path=None)
    assert gone.head(Place("m.py", 1)) is None and gone.removal(Place("m.py", 1)) is None


def test_the_nearest_edit_is_in_the_same_file_and_is_no_comment():
    both = Diff({"m.py": FileDiff("m.py", BASE, "# a\na\nb\nc\nd\nE\n"), "a.py": FileDiff("a.py", "", "new\n")})
    assert both.nearest_edit(Place("m.py", 1)) == Place("m.py", 6)
    assert both.nearest_edit(Place("elsewhere.py", 1)) is None
    assert Diff({}).nearest_edit(Place("m.py", 1)) is None


texts = st.lists(st.sampled_from("abc"), max_size=12).map(lambda lines: "".join(f"{line}\n" for line in lines))


MANY = "x = 1\n" * 100_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (MANY, f"y = 2\n{MANY}z = 3\n"),
        (MANY, MANY[:-12]),
        ("a\nb\n" * 50_000 + "once\n" + "b\nc\n" * 100, "b\na\n" * 50_000 + "once\n" + "c\na\n" * 100),
        ("".join(f"v = {number * 7 % 9}\n" for number in range(100_000)), "v = 1\n" * 3),
        *[tuple("".join(f"v = {number * by % 100_003}\n" for number in range(1, 100_000)) for by in (1, 7919))],
    ],
)
def test_100_000_like_lines_take_no_time(old, new):
    begin = time.process_time()
    both = diff(new, old)
    moved = [both.head(Place("m.py", line)) for line in (1, 50_000, old.count("\n"))]
    assert all(at is None or new.splitlines()[at.line - 1] for at in moved)
    if "once" in old:
        assert both.head(Place("m.py", 100_001)) == Place("m.py", 100_001)
    assert time.process_time() - begin < 10


@given(texts, texts)
def test_many_like_lines_are_compared_as_few_are(old, new):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diffs, "_MOST_PAIRS", -1)
        diffs._lines.cache_clear()
        test_a_line_of_the_base_becomes_an_equal_line.hypothesis.inner_test(old, new)
    diffs._lines.cache_clear()


@given(texts, texts)
def test_a_line_of_the_base_becomes_an_equal_line(old, new):
    both = diff(new, old)
    places = [both.head(Place("m.py", line)) for line in range(1, old.count("\n") + 1)]
    for line, at in enumerate(places, 1):
        if at is not None:
            assert old.splitlines()[line - 1] == new.splitlines()[at.line - 1]
            assert not both.is_changed(at)
    kept = [at for at in places if at is not None]
    assert kept == sorted(set(kept))
    changed = sum(both.is_changed(Place("m.py", line)) for line in range(1, new.count("\n") + 1))
    assert len(kept) + changed == new.count("\n")
