"""Which paths are the repository's own, where an environment lies inside of it."""

import types

import pytest

from restore_guard.probe.tracing import places
from restore_guard.probe.tracing.places import Places


@pytest.fixture
def library(tmp_path, monkeypatch):
    """The library of an environment by a name of its own, in the repository, whose Python runs."""
    folder = tmp_path / "envs/tf/lib/python3.11"
    (folder / "site-packages/keras").mkdir(parents=True)
    (tmp_path / "net.py").touch()
    (folder / "json.py").touch()
    (folder / "site-packages/keras/__init__.py").touch()
    monkeypatch.setattr(places, "_STANDARD", (f"{folder}/",))
    return folder


def test_an_environment_inside_is_not_the_repositorys(tmp_path, library):
    known = Places(str(tmp_path))
    assert known.name(str(tmp_path / "net.py")) == "net.py"
    assert known.name(str(library / "json.py")) is None
    assert known.name(str(library / "site-packages/keras/__init__.py")) is None


def test_modules_that_each_build_finds_are_looked_at_once_wherever_the_environment_is(tmp_path, library, monkeypatch):
    (tmp_path / "linked").symlink_to(library)
    files = {
        "keras": library / "site-packages/keras/__init__.py",
        "json": library / "json.py",
        "linked": tmp_path / "linked/site-packages/keras/__init__.py",
        "net": tmp_path / "net.py",
    }
    modules = {name: types.ModuleType(name) for name in files}
    for name, file in files.items():
        modules[name].__file__ = str(file)
    monkeypatch.setattr(places, "_settled", {})
    monkeypatch.setattr(places, "sys", types.SimpleNamespace(modules=modules))
    places.prepare()
    # A link of the repository may lead elsewhere tomorrow.
    assert Places(str(tmp_path)).settled == {name: modules[name] for name in ("keras", "json")}
    assert Places(str(tmp_path / "elsewhere")).settled == {name: modules[name] for name in ("keras", "json", "linked")}
