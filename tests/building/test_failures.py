"""Where a build failed: the frames of the repository's own code, and of nothing else."""

import pytest

from restore_guard.probe import failures


@pytest.fixture
def told(tmp_path, monkeypatch):
    """What is told of an error that goes through functions of these files, the innermost last."""
    monkeypatch.chdir(tmp_path)

    def told(*files):
        def call():
            raise ValueError("no")

        for file in reversed(files):
            scope = {"inner": call}
            exec(compile("def call():\n    inner()", file, "exec"), scope)
            call = scope["call"]
        with pytest.raises(ValueError, match="no") as raised:
            call()
        return failures.told(raised.value, tmp_path)

    return told


def _file(root, name):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("\n\n")
    return str(root / name)


def test_the_innermost_line_of_the_repository(told, tmp_path):
    own, packaged = _file(tmp_path, "net.py"), _file(tmp_path, ".venv/lib/python3.11/site-packages/keras/layer.py")
    assert told(own, packaged)["at"] == ["net.py", 2]
    # What Cython has compiled names a file that is not there.
    assert told(own, "h5py/h5f.pyx")["at"] == ["net.py", 2]
    assert "h5f" not in told(own, "h5py/h5f.pyx")["detail"]
    assert told(own, _file(tmp_path, "pkg/layer.py"))["at"] == ["pkg/layer.py", 2]
    assert told(own, _file(tmp_path, "env/lib/python3.11/site-packages/h5py/files.py"))["at"] == ["net.py", 2]
    assert told(packaged)["at"] is None
