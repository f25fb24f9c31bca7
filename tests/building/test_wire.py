"""The probe's messages are JSON that a strict reader takes, whatever is in them."""

import importlib.util
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore_guard import probe

# The probe is no part of the package that imports it: it is loaded from its path, as in the user's Python.
_SPEC = importlib.util.spec_from_file_location("wire", Path(probe.__file__).parent / "serving/wire.py")
wire = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(wire)

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters())
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


@given(plain)
def test_any_plain_data(data):
    line = wire.encode({"id": "m", "result": data})
    assert line.endswith(b"\n") and b"\n" not in line[:-1]
    msgspec.json.decode(line)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_arrives_as_it_is(text):
    assert json.loads(wire.encode(text)) == text


def test_half_a_character_is_told_by_its_escape():
    assert json.loads(wire.encode({"a\udcff": ["\ud800", ("b",)]})) == {"a\\udcff": ["\\ud800", ["b"]]}


def _circle():
    found = []
    found.append(found)
    return found


def _deep():
    found = []
    for _ in range(100_000):
        found = [found]
    return found


@pytest.mark.parametrize("data", [float("nan"), [float("inf")], object(), {1, 2}, b"", {("a",): 1}, _circle(), _deep()])
def test_what_is_no_plain_data_is_refused(data):
    with pytest.raises(ValueError):
        wire.encode({"result": data})
