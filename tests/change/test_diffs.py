"""Lines of the base in the head."""

from hypothesis import given
from hypothesis import strategies as st

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
