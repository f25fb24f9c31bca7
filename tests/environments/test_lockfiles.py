"""What commits want installed, told from text."""

import pytest

from restore_guard.change.environment_files import is_framework
from restore_guard.change.pins_moved import Move, moves, pins, settled
from restore_guard.environments.lockfiles import lock_of
from restore_guard.errors import UncheckedError

UV = b"""\
version = 1

[[package]]
name = "numpy"
version = "1.26.4"

[[package]]
name = "tensorflow_cpu"
version = "2.15.1"
"""


def reader(**files):
    contents = {name.replace("__", "/").replace("_dot_", "."): text.encode() for name, text in files.items()}
    return contents.get


def test_pins():
    assert pins("uv.lock", UV) == {"numpy": "1.26.4", "tensorflow-cpu": "2.15.1"}
    text = b"# all\nTensorFlow[and-cuda]==2.15.1 ; python_version < '3.12'  # why\nkeras >= 3, <4\n-r more.txt\n"
    assert pins("requirements.txt", text) == {"tensorflow": "2.15.1", "keras": "<4,>=3"}
    project = b'[project]\ndependencies = ["tensorflow==2.21.0"]\n[dependency-groups]\ndev = ["pytest>=8"]\n'
    assert pins("pyproject.toml", project) == {"tensorflow": "2.21.0", "pytest": ">=8"}
    assert pins("uv.lock", b"<<<<<<< HEAD\n") == {}
    assert pins("requirements.txt", None) == {}


def test_moves_are_on_the_line_of_the_new_file():
    new = UV.replace(b"2.15.1", b"2.21.0").replace(
        b'name = "numpy"\nversion = "1.26.4"', b'name = "h5py"\nversion = "3"'
    )
    assert moves("uv.lock", UV, new) == [
        Move("uv.lock", 4, "h5py", None, "3"),
        Move("uv.lock", 0, "numpy", "1.26.4", None),
        Move("uv.lock", 8, "tensorflow-cpu", "2.15.1", "2.21.0"),
    ]


def test_a_package_that_another_file_asks_for_in_the_same_version_has_not_moved():
    gone, come = Move("requirements.txt", 0, "keras", "3.6.0", None), Move("pyproject.toml", 4, "keras", None, "3.6.0")
    other = Move("uv.lock", 7, "tensorflow", "2.15.1", "2.21.0")
    assert settled([gone, other, come]) == (other,)
    newer = Move("pyproject.toml", 4, "keras", None, "3.15.1")
    assert settled([gone, newer]) == (gone, newer)
    assert settled([come]) == (come,)


@pytest.mark.parametrize("name", ["tensorflow", "tensorflow-cpu", "tf-keras", "keras", "keras-hub", "tf-nightly"])
def test_what_decides_how_checkpoints_restore(name):
    assert is_framework(name)
    assert not is_framework(f"x{name}".replace("-", ""))


def test_the_most_exact_file_with_all_that_decides_it():
    lock = lock_of(reader(uv_dot_lock="version = 1", pyproject_dot_toml="[project]", requirements_dot_txt="tensorflow"))
    assert (lock.file, sorted(lock.contents)) == ("uv.lock", ["pyproject.toml", "uv.lock"])
    files = {
        "requirements.txt": b"-r base/all.txt\n",
        "base/all.txt": b"-c limits.txt\n",
        "base/limits.txt": b"numpy<2\n",
    }
    lock = lock_of((files | {".python-version": b"# old\n3.11\n"}).get)
    assert (sorted(lock.contents), lock.python) == (["base/all.txt", "base/limits.txt", "requirements.txt"], "3.11")


def test_where_nothing_can_be_installed_the_kinds_are_named():
    with pytest.raises(UncheckedError, match="needs one of uv.lock, .*poetry.lock.* there is none"):
        lock_of(reader())


def test_the_file_that_asks_for_it_before_a_more_exact_one_that_does_not():
    files = {"uv.lock": b"", "requirements.txt": b"numpy\n", "train/requirements-gpu.txt": b"tensorflow==2.21.0\n"}
    lock = lock_of(files.get, ["train/requirements-gpu.txt"], lambda file, content: b"tensorflow" in content)
    assert lock.file == "train/requirements-gpu.txt"
    assert lock_of(files.get).file == "uv.lock"
