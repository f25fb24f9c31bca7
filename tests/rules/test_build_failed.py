"""What is said of failures whose kind is known."""

import pytest

from restore_guard.rules import build_failed


@pytest.mark.parametrize(
    ("raised", "advised"),
    [
        (lambda: [8] + (1,), True),
        (lambda: (1,) + [8], True),
        (lambda: {[8]: 1}, True),
        (lambda: [8] + 1, False),
        (lambda: {}["shape"], False),
    ],
)
def test_a_list_in_place_of_a_tuple_has_a_way_out(raised, advised):
    with pytest.raises((TypeError, KeyError)) as caught:
        raised()
    told = build_failed.advice(f"{type(caught.value).__name__}: {caught.value}")
    assert (told is not None and "`shape: tuple`" in told) == advised
