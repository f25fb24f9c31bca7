"""A migration as it is written."""

from restore_guard.promise.migrations import Grow, Migration, Open, Rename, parse
from restore_guard.promise.migrations_text import with_migration

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
