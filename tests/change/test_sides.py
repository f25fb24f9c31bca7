"""What a hook is told of a push; what is compared is shown by tests/test_cli.py and by real pushes."""

import pytest

from restore_guard.change.sides import hook_refs


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"PRE_COMMIT_FROM_REF": "a", "PRE_COMMIT_TO_REF": "b"}, ("a", "b")),
        ({"PRE_COMMIT_TO_REF": "b"}, (None, "b")),  # prek, on a root push
        ({"PRE_COMMIT_LOCAL_BRANCH": "refs/heads/b"}, (None, "refs/heads/b")),  # pre-commit
        ({"PRE_COMMIT_FROM_REF": "a", "PRE_COMMIT_TO_REF": "b", "PRE_COMMIT_LOCAL_BRANCH": "c"}, ("a", "b")),
        ({"PRE_COMMIT": "1"}, None),
    ],
)
def test_hook_refs(environ, expected):
    assert hook_refs(environ) == expected
