"""Lock files of poetry, pdm, pipenv and conda, as requirements: told from text, and really installed by uv."""

import os
import subprocess

import pytest

from restore_guard.environments import locked, lockfiles
from restore_guard.errors import UncheckedError

POETRY = """\
[[package]]
name = "iniconfig"
version = "1.1.1"
optional = false
python-versions = "*"
files = [{file = "iniconfig-1.1.1-py2.py3-none-any.whl", hash = "sha256:0"}]

[[package]]
name = "pywin32"
version = "306"

[metadata]
lock-version = "2.0"
"""
POETRYS_PROJECT = """\
[tool.poetry.dependencies]
python = ">=3.9"
iniconfig = "^1.0"
pywin32 = {version = "^306", markers = "sys_platform == 'win32'"}
heavy = {version = "*", optional = true}

[tool.poetry.group.docs]
optional = true

[tool.poetry.group.docs.dependencies]
sphinx = "*"
"""
PDM = """\
[metadata]
groups = ["default"]

[[package]]
name = "iniconfig"
version = "1.1.1"
"""
PDMS_PROJECT = '[project]\nname = "p"\nversion = "1"\ndependencies = ["iniconfig>=1,<2"]\n'
PIPENV = """\
{"_meta": {"requires": {"python_version": "3.11"}},
 "default": {"iniconfig": {"hashes": ["sha256:0"], "version": "==1.1.1", "markers": "python_version >= '3.6'"}},
 "develop": {"pytest": {"version": "==8.0.0"}}}
"""
CONDA = """\
name: models
channels: [conda-forge]
dependencies:
  - python=3.11
  - numpy=1.26  # by conda
  - pip
  - pip:
      - iniconfig==1.1.1  # by pip
      - "tomli; python_version < '3'"
variables:
  A: b
"""
FILES = {
    "poetry.lock": {"poetry.lock": POETRY, "pyproject.toml": POETRYS_PROJECT},
    "pdm.lock": {"pdm.lock": PDM, "pyproject.toml": PDMS_PROJECT},
    "Pipfile.lock": {"Pipfile.lock": PIPENV},
    "environment.yml": {"environment.yml": CONDA},
    "pyproject.toml": {"pyproject.toml": PDMS_PROJECT.replace(">=1,<2", "==1.1.1")},
    "requirements.txt": {"requirements.txt": "iniconfig==1.1.1\n"},
}


def _lock(file):
    return lockfiles.lock_of({name: text.encode() for name, text in FILES[file].items()}.get)


def _told(lock):
    return [lock.contents[name].decode().splitlines() for name in (lockfiles.WANTED, lockfiles.LIMITS)]


def test_what_the_files_of_other_tools_ask_for():
    wanted, limits = _told(_lock("poetry.lock"))
    assert wanted == ["iniconfig", "pywin32 ; sys_platform == 'win32'"]
    assert limits == ["iniconfig==1.1.1", "pywin32==306"]
    assert _told(_lock("pdm.lock")) == [["iniconfig>=1,<2"], ["iniconfig==1.1.1"]]
    assert _told(_lock("Pipfile.lock")) == [["iniconfig==1.1.1 ; python_version >= '3.6'"], []]
    assert _told(_lock("environment.yml")) == [["iniconfig==1.1.1", "tomli; python_version < '3'"], []]
    assert [_lock(file).python for file in ("Pipfile.lock", "environment.yml", "pdm.lock")] == ["3.11", "3.11", None]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"environment.yml": "dependencies:\n  - tensorflow=2.15\n"}, "tensorflow=2.15 is installed by conda"),
        ({"poetry.lock": "a = ["}, "poetry.lock cannot be read"),
        ({"Pipfile.lock": "["}, "Pipfile.lock cannot be read"),
        ({"Pipfile.lock": '{"default": {"a": {"git": "x"}}}'}, "a has no version"),
        (
            {"poetry.lock": "", "pyproject.toml": '[tool.poetry.dependencies]\na = {git = "x"}\n'},
            "a comes from git, no index",
        ),
    ],
)
def test_what_cannot_be_installed_is_told(files, said):
    with pytest.raises(UncheckedError, match=said):
        lockfiles.lock_of({name: text.encode() for name, text in files.items()}.get)


@pytest.mark.parametrize("file", FILES)
def test_uv_really_makes_the_environment(file, managers, tmp_path, index_settings):
    environ = os.environ | index_settings | {"RESTORE_GUARD_CACHE": str(tmp_path), "UV_PYTHON_DOWNLOADS": "never"}
    environ["PATH"] = f"{managers}{os.pathsep}{environ['PATH']}"
    python = locked.python(_lock(file), environ)
    asked = [python, "-c", "from importlib.metadata import version; print(version('iniconfig'))"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == "1.1.1"
