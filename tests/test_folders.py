"""A temporary folder is gone after the run, whatever ends it."""

import shutil

import pytest

from restore_guard import folders


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, ValueError])
def test_gone_when_its_use_ends(end):
    with pytest.raises(end), folders.temporary() as folder:
        (folder / "inner").mkdir()
        raise end
    assert not folder.exists()


def test_gone_when_its_removal_is_interrupted(monkeypatch):
    remove, calls = shutil.rmtree, []

    def interrupted_once(path, **options):
        calls.append(path)
        if len(calls) == 1:
            raise KeyboardInterrupt
        remove(path, **options)

    monkeypatch.setattr(shutil, "rmtree", interrupted_once)
    with pytest.raises(KeyboardInterrupt), folders.temporary() as folder:
        (folder / "file").touch()
    assert not folder.exists()
