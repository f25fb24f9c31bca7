"""Which changed lines can do anything."""

import pytest

from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.change.entry import changed

BASE = '''"""Text."""
import a

__version__ = "1"


def f(x):
    """More text."""
    # a comment
    return x
'''


def edited(old, new, name="m.py"):
    return [line for edit in Diff({name: FileDiff(name, old, new)}).edits[1][name] for line in (*edit.after, edit.at)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Text.", "Other text."),
        ("More text.", "Other\n    text."),
        ("# a comment", "# another"),
        ("import a\n", "import a\nfrom b import c\n"),
        ('"1"', '"2"'),
        ("return x\n", "return x  # at the end\n"),
        ("return x\n", "return (\n        x\n    )\n"[:0] + "return x\n\n\n"),
    ],
)
def test_what_can_do_nothing_is_no_edit(before, after):
    assert edited(BASE, BASE.replace(before, after)) == []


def test_an_edit_beside_a_comment_is_its_own_line():
    assert edited(BASE, BASE.replace("# a comment\n    return x", "# another\n    return 2 * x")) == [10, 10]


def test_a_line_that_is_gone_stands_where_it_was_and_never_on_a_blank_line():
    assert edited("a = 1\nb = 2\n\nc = 3\n", "a = 1\n\nc = 3\n") == [1]


def test_comments_of_a_configuration_file_are_no_edits():
    assert edited("# one\nsize: 1\n", "# two\nsize: 1\n", "sizes.yaml") == []
    assert edited("# one\nsize: 1\n", "# two\nsize: 2\n", "sizes.yaml") == [2, 2]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("kwargs = { width = 1 }", "kwargs = { width = 2 }", {"kwargs.width": 3}),
        ("kwargs = { width = 1 }", "", {"kwargs.width": 2}),
        ("inputs = [\n    { shape = [1] },\n]", "inputs = [\n    { shape = [2] },\n]", {"inputs": 4}),
        ("restores = []", "restores = []  # none", {}),
    ],
)
def test_an_entry_of_the_configuration_changed(old, new, found):
    texts = [f'[models.m]\nbuilder = "m:build"\n{own}\n[models.n]\nbuilder = "n:build"\n' for own in (old, new)]
    assert {key: at.line for key, at in changed("restore-guard.toml", *texts, "m").items()} == found
