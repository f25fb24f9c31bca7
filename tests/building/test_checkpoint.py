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


def test_the_files_of_a_folder_are_told_apart_from_their_parts(tmp_path):
    def made(folder, *names):
        for name in names:
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_text('{"weight_map": {"/a/vars": "x_00000.weights.h5"}}')
        found, several = checkpoint.files(str(tmp_path / folder))
        return [file.removeprefix(f"{tmp_path}/") for file in found], several

    shard = "x_00000.weights.h5"
    assert made("shards", "x.weights.json", shard) == (["shards/x.weights.json"], True)
    assert made("others", shard, "w.10.weights.h5", "w.9.weights.h5")[0] == [
        *("others/w.9.weights.h5", "others/w.10.weights.h5", f"others/{shard}")
    ]
    assert made("manager", "ckpt-1.index", "ckpt-1.data-00000-of-00001", "checkpoint") == (["manager/ckpt-1"], True)
    assert made("backup", "latest.weights.h5", "training_metadata.json") == (["backup/latest.weights.h5"], True)
    assert made("older", "chief/ckpt-7.index") == (["older/chief/ckpt-7"], True)
    assert made("unzipped", "config.json", "metadata.json", "model.weights.h5") == (["unzipped"], False)
    assert made("saved", "saved_model.pb", "variables/variables.index") == (["saved"], False)
    assert made("orbax", "1/_CHECKPOINT_METADATA") == (["orbax"], False)
