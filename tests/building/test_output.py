"""Finished files come to their place at once, and nothing that is there is ever lost."""

import os

import pytest

from restore_guard.building import output
from restore_guard.errors import UncheckedError, UsageError


def checkpoint(folder, name="made"):
    (folder / f"{name}.data-00000-of-00001").write_text("values")
    (folder / f"{name}.index").write_text("index")
    return folder / name


def test_a_file_is_moved(tmp_path):
    made = tmp_path / "made.h5"
    made.write_text("values")
    output.place(made, tmp_path / "out.h5")
    assert (tmp_path / "out.h5").read_text() == "values"
    assert not made.exists()


def test_a_checkpoint_is_moved_with_all_its_parts(tmp_path):
    output.place(checkpoint(tmp_path), tmp_path / "ckpt-7")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ckpt-7.data-00000-of-00001", "ckpt-7.index"]


def test_a_folder_is_moved(tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    checkpoint(made)
    output.place(made, tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize("there", ["out", "out.index", "out.data-00000-of-00001"])
def test_what_is_there_stays_as_it_is(tmp_path, there):
    (tmp_path / there).write_text("old")
    out = tmp_path / "out"
    assert output.taken(out)
    (tmp_path / "work").mkdir()
    made = checkpoint(tmp_path / "work") if there != "out" else tmp_path / "work" / "made.h5"
    if there == "out":
        made.write_text("new")
    with pytest.raises(UsageError, match="exists already"):
        output.place(made, out)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [there]
    assert (tmp_path / there).read_text() == "old"


def test_a_folder_that_came_in_the_meantime_stays(tmp_path):
    made, out = tmp_path / "made", tmp_path / "out"
    made.mkdir()
    out.mkdir()
    with pytest.raises(UsageError, match="exists already"):
        output.place(made, out)


def test_a_disk_that_refuses_is_told_and_nothing_is_left(tmp_path, monkeypatch):
    made = checkpoint(tmp_path)

    def refuse(source, target):
        if str(target).endswith(".index"):
            raise OSError(28, "No space left on device")
        os.rename(source, target)

    monkeypatch.setattr(output, "_move", refuse)
    with pytest.raises(UncheckedError, match="No space left"):
        output.place(made, tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


def test_the_folder_for_the_work_goes_whatever_happens(tmp_path):
    with pytest.raises(KeyboardInterrupt), output.beside(tmp_path / "sub" / "out.h5") as folder:
        (folder / "half").write_text("half")
        raise KeyboardInterrupt
    assert list((tmp_path / "sub").iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written to"), output.beside(tmp_path / "file" / "out.h5"):
        pass


def test_the_state_of_a_folder_of_checkpoints_names_them_without_their_folder(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "old" / "checkpoint").write_text(
        'model_checkpoint_path: "/elsewhere/ckpt-2"\nall_model_checkpoint_paths: "ckpt-1"\n'
        'all_model_checkpoint_paths: "/elsewhere/ckpt-2"\nlast_preserved_timestamp: 1.5\n'
    )
    output.copy_state(tmp_path / "old", tmp_path / "new")
    assert (tmp_path / "new" / "checkpoint").read_text() == (
        'model_checkpoint_path: "ckpt-2"\nall_model_checkpoint_paths: "ckpt-1"\n'
        'all_model_checkpoint_paths: "ckpt-2"\nlast_preserved_timestamp: 1.5\n'
    )
