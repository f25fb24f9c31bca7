"""A migration as it is written."""

from restore_guard.promise.migrations import Grow, Migration, Open, Rename, parse
from restore_guard.promise.migrations_text import joined, with_migration

FIRST = Migration(
    1,
    2,
    'names follow "the paper"',
    rename=(Rename("a/**", "b/**"), Rename("c", "d")),
    drop=("aux/**",),
    initial=("new",),
    grow=(Grow("e", 0),),
    cast=("f",),
    open=(Open("drop, or rename it", saved="g"), Open("initial", variable="h")),
)


def test_what_is_written_is_read_again():
    text = with_migration(None, FIRST, {"a/**": "same line"})
    assert parse(text.encode(), "m").tables == (FIRST,)
    assert '"b/**"}, # same line' in text


def test_another_epoch_follows_and_the_same_one_is_replaced():
    text = with_migration(None, FIRST, {}) + "# a remark\n"
    second = Migration(2, 3, "later")
    text = with_migration(text, second, {})
    assert parse(text.encode(), "m").tables == (FIRST, second)
    assert "# a remark" in text and "\n\n[[migration]]\nfrom = 2" in text
    other = Migration(1, 2, "otherwise")
    assert parse(with_migration(text, other, {}).encode(), "m").tables == (other, second)


def test_the_other_side_of_a_merge_comes_behind_and_gets_new_numbers():
    shared = with_migration(None, FIRST, {})
    ours = with_migration(shared, Migration(2, 3, "ours"), {})
    theirs = with_migration(shared, Migration(2, 3, "theirs", drop=("x",)), {"x": "it is gone"})
    theirs = with_migration(theirs, Migration(3, 4, "theirs again"), {})
    text = joined(ours, theirs, {3: 4, 4: 5})
    assert text.startswith(ours.rstrip())
    assert '"x", # it is gone' in text
    later = (Migration(2, 3, "ours"), Migration(3, 4, "theirs", drop=("x",)), Migration(4, 5, "theirs again"))
    assert parse(text.encode(), "m").tables == (FIRST, *later)
    # Also where one side accepted a break as it is.
    assert [table.old for table in parse(joined("", theirs, {3: 4}).encode(), "m").tables] == [3]
