"""Answers about checkpoint files: whatever the reader says of one, it is a state and no crash."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from signatures import module, tree

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


def test_a_format_that_came_later_is_refused_by_an_older_keras():
    def refused(kind, version, generation=3):
        model = msgspec.structs.replace(
            module(), framework={"keras": version}, keras_tree=tree(generation, ("Model", "layer", [], []))
        )
        return Checkpoint("x", kind).refused_by(model)

    assert refused("sharded-weights", "3.10.0") is refused("keras-folder", "3.15.1") is None
    assert refused("weights-h5", "3.0.5") is refused("weights-h5", "2.15.0", 2) is None
    assert refused("sharded-weights", "3.9.2") == (
        "Keras 3.9.2 does not load this format (sharded Keras weights), which Keras has since 3.10"
    )
    # tf-keras beside a newer Keras 3.
    assert refused("keras-folder", "3.15.1", 2).startswith("Keras 2 does not load")
