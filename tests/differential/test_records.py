"""What was seen of a pair is read back as it was, and only while nothing has changed that decides on it."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential import records
from differential.frameworks import Judged

NAMES = st.lists(st.sampled_from("abcdef"), unique=True, max_size=4)
SEEN = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(["restores", "partial", "raises", "unsupported"]),
        "error": st.none() | st.just("no such file: /home/someone/x"),
        "assigned": st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("abcdef"), max_size=4),
        "converted": st.dictionaries(st.sampled_from("abcdef"), NAMES, max_size=2),
        **dict.fromkeys(("initial", "unused", "changed_otherwise", "tables", "lost"), NAMES),
    }
)
SIDE = st.dictionaries(st.sampled_from(["h5", "tf-checkpoint", "keras-weights"]), SEEN, max_size=3)


@pytest.fixture
def pair(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "FOLDER", tmp_path / "records")
    files = tmp_path / "base.py", tmp_path / "head.py"
    for file in files:
        file.write_text(f"# {file.name}\n")
    return files


def _written(pair, truth, itself):
    judged = Judged(None, None, truth, itself)
    records.Records("keras3", sys.executable).write({"some/pair": pair}, {"some/pair": judged})


@given(SIDE, SIDE)
def test_what_is_written_is_read(tmp_path_factory, truth, itself):
    folder = tmp_path_factory.mktemp("pair")
    files = folder / "base.py", folder / "head.py"
    for file in files:
        file.write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "FOLDER", folder / "records")
        patch.setattr(records, "_installed", lambda python: b"the same each time")
        _written(files, truth, itself)
        found = records.Records("keras3", sys.executable).of("some/pair", *files)
        assert "/home" not in (folder / "records/keras3.json").read_text()
    for told, real in zip(found, (truth, itself), strict=True):
        assert {at: one | {"error": None} for at, one in told.items()} == {
            at: one | {"error": None} for at, one in real.items()
        }


CHANGES = {
    "base.py": lambda pair, patch: pair[0].write_text("# another\n"),
    "head.py": lambda pair, patch: pair[1].write_text("# another\n"),
    "what is installed": lambda pair, patch: patch.setattr(records, "_installed", lambda python: b"another"),
    "the oracle": lambda pair, patch: patch.setattr(records, "_oracle", lambda: (b"another",)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_record_counts_while_nothing_has_changed(pair, monkeypatch, change):
    _written(pair, {}, {})
    assert records.Records("keras3", sys.executable).of("some/pair", *pair) == ({}, {})
    assert records.Records("keras3", sys.executable).of("another/pair", *pair) is None
    CHANGES[change](pair, monkeypatch)
    assert records.Records("keras3", sys.executable).of("some/pair", *pair) is None


def test_the_oracle_and_what_it_uses_of_the_probe_decide():
    told = [text.partition(b"\n")[0] for text in records._oracle()]
    assert len(told) > 20 and any(b"The truth" in line for line in told)
