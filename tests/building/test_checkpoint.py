"""Answers about checkpoint files: whatever the reader says of one, it is a state and no crash."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore_guard.build import Answer
from restore_guard.building import checkpoint
from restore_guard.building.checkpoint import Checkpoint

GOOD = msgspec.to_builtins(Checkpoint("m.keras", "keras-archive", tensors=2, bytes=70))


@pytest.mark.parametrize(
    "more", [{"signature": {"framework": {"keras": None}}}, {"tensors": "x"}, {"damage": None}, {"usage": 7}]
)
def test_an_answer_that_is_none_is_no_verdict_on_the_file(more):
    read = checkpoint.read(Answer(GOOD | more), "m.keras")
    assert (read.state, read.signature) == ("unread", None)
    assert read.failure.startswith("what was read of it cannot be understood: ")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_answer(data):
    assert checkpoint.read(Answer(data), "m.keras").state == "unread"
