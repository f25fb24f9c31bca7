"""What uv is given for a move: what gives way, what stays, and which TensorFlow it is."""

import os
import subprocess
import sys

import pytest

from restore_guard.environments import lockfiles
from restore_guard.environments.overridden import KEPT, MOVED, TOO, overridden, requirements
from restore_guard.errors import UncheckedError, UsageError


def moved(files, *texts, installed=None):
    content = {name: text.encode() for name, text in files.items()}
    lock = lockfiles.lock_of(content.get)
    made = overridden(lock, requirements(texts), installed or {})
    return made, {name: text.decode().splitlines() for name, text in made.contents.items()}


def test_exact_versions_give_way_and_the_rest_stays():
    made, files = moved(
        {
            "requirements.txt": "--index-url https://example.org/simple\n--require-hashes\n-r base.txt\n"
            "tensorflow==2.15.1 \\\n    --hash=sha256:aa\n"
            "numpy<2\nh5py[mpi]==3.10.0 ; python_version < '3.13'\nours @ https://example.org/ours-1-py3-none-any.whl\n",
            "base.txt": "keras==2.15.0  # as tensorflow has it\n-c limits.txt\n",
            "limits.txt": "pandas==2.0.*\nwrapt==1.14.0\n",
        },
        "tensorflow==2.21.0",
    )
    assert made.arguments == ("requirements.txt", TOO, "--overrides", MOVED, "--output-file", KEPT)
    assert made.resolved == KEPT
    assert files["requirements.txt"] == [
        "--index-url https://example.org/simple",
        "-r base.txt",
        "tensorflow",
        "numpy<2",
        'h5py[mpi]; python_version < "3.13"',
        "ours @ https://example.org/ours-1-py3-none-any.whl",
    ]
    assert files["base.txt"] == ["keras", "-c limits.txt"]
    assert files["limits.txt"] == ["pandas==2.0.*", "wrapt"]
    assert files[MOVED] == files[TOO] == ["tensorflow==2.21.0"]
    assert sorted(files[KEPT]) == ["h5py==3.10.0", "keras==2.15.0", "wrapt==1.14.0"]


LOCKED = '[[package]]\nname = "tensorflow"\nversion = "2.15.1"\n[[package]]\nname = "keras"\nversion = "2.15.0"\n'
PROJECT = (
    '[project]\nname = "x"\ndependencies = ["tensorflow==2.15.1", "numpy<2"]\n[tool.uv]\nindex-url = "https://e.org"\n'
)
POETRY = '[tool.poetry.dependencies]\npython = "^3.11"\ntensorflow = "2.15.1"\n'
PYLOCK = '[[packages]]\nname = "tensorflow"\nversion = "2.15.1"\nmarker = "python_version > \'3\'"\n'


@pytest.mark.parametrize(
    ("files", "wanted", "lines", "kept"),
    [
        ({"uv.lock": LOCKED, "pyproject.toml": PROJECT}, "pyproject.toml", None, ["keras==2.15.0"]),
        ({"pyproject.toml": PROJECT}, "pyproject.toml", None, []),
        ({"poetry.lock": LOCKED, "pyproject.toml": POETRY}, lockfiles.WANTED, ["tensorflow"], ["keras==2.15.0"]),
        (
            {"pdm.lock": LOCKED, "pyproject.toml": PROJECT},
            lockfiles.WANTED,
            ["tensorflow", "numpy<2"],
            ["keras==2.15.0"],
        ),
        ({"pylock.toml": PYLOCK}, lockfiles.WANTED, ["tensorflow ; python_version > '3'"], []),
        (
            {"Pipfile.lock": '{"default": {"tensorflow": {"version": "==2.15.1"}, "keras": {"version": "==2.15.0"}}}'},
            *(lockfiles.WANTED, ["tensorflow", "keras"], ["keras==2.15.0"]),
        ),
        (
            {"environment.yml": "dependencies:\n  - pip:\n    - tensorflow==2.15.1\n    - numpy<2\n"},
            *(lockfiles.WANTED, ["tensorflow", "numpy<2"], []),
        ),
    ],
)
def test_every_kind_of_lock_file(files, wanted, lines, kept):
    made, contents = moved(files, "tensorflow==2.21.0")
    assert made.arguments[0] == wanted and made.file == next(iter(files))
    if lines is not None:
        assert contents[wanted] == lines
    else:
        assert 'dependencies = ["tensorflow", "numpy<2"]' in contents["pyproject.toml"]
        assert 'index-url = "https://e.org"' in contents["pyproject.toml"]
    assert contents[KEPT] == kept


def test_what_is_installed_is_kept_where_no_version_is_locked():
    installed = {"tensorflow": "2.15.1", "numpy": "1.26.0", "keras": "2.14.0", "odd": "1700000000-x"}
    _, files = moved({"requirements.txt": "tensorflow\nkeras==2.15.0\n"}, "tensorflow==2.21.0", installed=installed)
    assert sorted(files[KEPT]) == ["keras==2.15.0", "numpy==1.26.0"]


@pytest.mark.parametrize(
    ("asked", "typed", "moves", "gone"),
    [
        ("tensorflow-cpu==2.15.1", "tensorflow==2.21.0", "tensorflow-cpu==2.21.0", []),
        ("tensorflow-cpu==2.15.1\ntensorflow==2.15.1", "tensorflow==2.21.0", "tensorflow==2.21.0", ["tensorflow-cpu"]),
        ("tensorflow-gpu==2.12.0", "tensorflow==2.21.0", "tensorflow==2.21.0", ["tensorflow-gpu"]),
        ("tensorflow==2.15.1", "tensorflow-cpu==2.21.0", "tensorflow-cpu==2.21.0", ["tensorflow"]),
        ("tensorflow==2.15.1", "keras==3.6.0", "keras==3.6.0", []),
    ],
)
def test_an_environment_has_one_tensorflow(asked, typed, moves, gone):
    _, files = moved({"requirements.txt": asked}, typed)
    assert files[TOO] == [moves]
    assert files[MOVED] == [moves, *(f"{name} ; python_version < '0'" for name in gone)]


@pytest.mark.parametrize("texts", [["tensorflow=2.21.0"], ["./here"], [""], ["keras==3.6.0", "Keras==3.7.0"]])
def test_what_is_no_move_is_wrong_usage(texts):
    with pytest.raises(UsageError):
        requirements(texts)


def test_a_lock_file_that_cannot_be_read_is_told():
    with pytest.raises(UncheckedError, match="pyproject.toml cannot be read"):
        moved({"uv.lock": LOCKED, "pyproject.toml": "["}, "tensorflow==2.21.0")


HASHED = (
    "--require-hashes\nclick==8.1.0 --hash=sha256:aa\npackaging==23.0 \\\n    --hash=sha256:bb\n"
    "colorama==0.4.5 ; sys_platform == 'win32' \\\n    --hash=sha256:cc\n"
)
ENTRIES = '[[{kind}]]\nname = "click"\nversion = "8.1.0"\n[[{kind}]]\nname = "packaging"\nversion = "23.0"\n'
ASKED = (
    '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\n'
    'dependencies = ["click==8.1.0", "packaging>=22"]\n'
)
REAL = {
    "requirements": {"requirements.txt": HASHED},
    "uv": {"uv.lock": ENTRIES.format(kind="package"), "pyproject.toml": ASKED},
    "pdm": {"pdm.lock": ENTRIES.format(kind="package"), "pyproject.toml": ASKED},
    "pylock": {"pylock.toml": ENTRIES.format(kind="packages")},
    "conda": {"environment.yml": "dependencies:\n  - pip:\n    - click==8.1.0\n    - packaging==23.0\n"},
}


@pytest.mark.parametrize("kind", REAL)
def test_uv_resolves_it(kind, managers, index_settings, tmp_path):
    """The moved package is what was asked for, another keeps its version: by uv itself, with small packages."""
    made, _ = moved(REAL[kind], "click==8.1.7")
    for name, content in made.contents.items():
        (tmp_path / name).write_bytes(content)
    command = [managers / "uv", "pip", "compile", "--quiet", "--python", sys.executable, *made.arguments]
    environ = {**os.environ, **index_settings, "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = [line for line in (tmp_path / KEPT).read_text().splitlines() if "==" in line]
    assert [line.partition(" ;")[0] for line in found] == ["click==8.1.7", "packaging==23.0"]
