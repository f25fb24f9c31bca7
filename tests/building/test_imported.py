"""A Python that has imported something knows when a fresh one would import something else."""

import os
import sys

import pytest

from restore_guard.probe.serving import imported


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of sys.path, with a module and a package, whose files were written a while ago."""
    (tmp_path / "rg_alone.py").write_text("value = 1\n")
    (tmp_path / "rg_package").mkdir()
    (tmp_path / "rg_package" / "__init__.py").write_text("")
    (tmp_path / "rg_alone-1.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("rg_alone", "rg_package"):
        sys.modules.pop(name, None)


def _imported():
    known = imported.Imported()
    import rg_alone  # noqa: F401
    import rg_package  # noqa: F401

    with pytest.raises(ImportError):
        import rg_absent  # noqa: F401
    known.finish()
    return known


def _write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def _same_size_and_time(path):
    before = path.stat()
    path.write_text("value = 2\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = {
    "a module is another": lambda folder: _write(folder / "rg_alone.py", "value = 22\n"),
    "a module of the same size and time": lambda folder: _same_size_and_time(folder / "rg_alone.py"),
    "a module is gone": lambda folder: (folder / "rg_alone.py").unlink(),
    "a package takes a module's place": lambda folder: _write(folder / "rg_alone" / "__init__.py", ""),
    "a module that was looked for": lambda folder: _write(folder / "rg_absent.py", ""),
    "what starts with the interpreter": lambda folder: _write(folder / "sitecustomize.py", ""),
    "another version": lambda folder: (folder / "rg_alone-1.0.dist-info").rename(folder / "rg_alone-1.1.dist-info"),
    "a folder for the path": lambda folder: _write(folder / "further.pth", "/opt\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_an_import_would_see_is_seen(folder, change):
    known = _imported()
    assert known.changed() is None
    CHANGES[change](folder)
    assert known.changed().startswith(str(folder))


def test_what_no_import_has_to_do_with_does_not_count(folder):
    known = _imported()
    _write(folder / "rg_other.py", "")
    _write(folder / "notes.txt", "")
    (folder / "linked").hardlink_to(folder / "rg_alone.py")
    assert known.changed() is None
    assert not any(isinstance(finder, imported._Missing) for finder in sys.meta_path)


def test_what_is_installed_during_the_import_is_torn(folder):
    assert _imported().is_torn()  # the fixture has just written it
    known = imported.Imported()
    known.begin += 60
    import rg_alone  # noqa: F401

    known.finish()
    assert not known.is_torn()
