"""Patterns of variable paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore_guard.promise import patterns

PARTS = st.lists(st.sampled_from(["a", "b", "0", "kernel"]), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("a/b", "a/b", []),
        ("a/b", "a/c", None),
        ("a/*", "a/b", ["b"]),
        ("a/*", "a/b/c", None),
        ("a/*", "a", None),
        ("a/**", "a/b/c", ["b/c"]),
        ("a/**", "a", [""]),
        ("**/kernel", "kernel", [""]),
        ("**/kernel", "a/b/kernel", ["a/b"]),
        ("blocks/*/attn/**", "blocks/3/attn/q/kernel", ["3", "q/kernel"]),
        ("**/a/**", "x/a/y/a/z", ["x", "y/a/z"]),
    ],
)
def test_what_wildcards_stand_for(pattern, path, found):
    assert patterns.match(pattern, path) == found
    assert patterns.matches(pattern, path) == (found is not None)


def test_a_renaming_keeps_what_its_wildcards_stand_for():
    assert patterns.rename("blocks/*/attn/**", "b/*/attention/**", "blocks/3/attn/q/kernel") == "b/3/attention/q/kernel"
    assert patterns.rename("a/**", "b/**", "a") == "b"
    assert patterns.rename("a/**", "b/**", "c/kernel") is None


@pytest.mark.parametrize("pattern", ["", "a//b", "/a", "a/", "block_*/kernel", "***"])
def test_what_is_no_pattern_says_why(pattern):
    assert patterns.fault(pattern)


@given(PARTS, st.data())
def test_a_path_with_some_parts_starred_is_matched_and_filled_again(parts, data):
    starred = [data.draw(st.sampled_from([part, "*", "**"])) for part in parts]
    pattern, path = "/".join(starred), "/".join(parts)
    assert patterns.fault(pattern) is None
    found = patterns.match(pattern, path)
    assert found is not None
    assert patterns.fill(pattern, found) == path
