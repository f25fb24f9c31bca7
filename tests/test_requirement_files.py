"""Requirements files as pip reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore_guard.change.pins_moved import pins
from restore_guard.requirement_files import entries, requirement

TEXT = """\
# made by a tool
TensorFlow[and-cuda]==2.15.1 ; python_version < '3.12'  # why
keras >= 3, <4
numpy==1.26.4 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via keras
-r more.txt
-rless.txt
--requirement=x.txt
--requirement "a b.txt"
-c https://example.org/c.txt
--constraint c.txt
-e .
-e git+https://example.org/x/y.git@v1#egg=tf_addons
--index-url https://example.org
https://example.org/tensorflow_cpu-2.15.1-cp311-cp311-manylinux_2_17_x86_64.whl --hash=sha256:aa
tf-keras @ https://example.org/tf_keras-2.15.1.tar.gz ; sys_platform == "linux"
./local/dir
git+ssh://git@example.org/x.git
h5py~=3.0; python_version >= "3.9" and \\
  sys_platform != 'win32'
==broken
scipy
"""


def test_entries():
    found = [(entry.line, entry.kind, entry.text) for entry in entries(TEXT)]
    assert found[:4] == [
        (2, "requirement", "TensorFlow[and-cuda]==2.15.1 ; python_version < '3.12'"),
        (3, "requirement", "keras >= 3, <4"),
        (4, "requirement", "numpy==1.26.4"),
        (8, "install", "more.txt"),
    ]
    assert [text for _, kind, text in found if kind == "install"] == ["more.txt", "less.txt", "x.txt", "a b.txt"]
    assert [text for _, kind, text in found if kind == "constrain"] == ["https://example.org/c.txt", "c.txt"]
    assert [text for _, kind, text in found if kind == "option"] == ["--index-url https://example.org"]
    assert [line for line, _, text in found if text.startswith("h5py")] == [21]


def test_pins():
    assert pins("requirements.txt", TEXT.encode()) == {
        "tensorflow": "2.15.1",
        "keras": "<4,>=3",
        "numpy": "1.26.4",
        "tf-addons": "git+https://example.org/x/y.git@v1#egg=tf_addons",
        "tensorflow-cpu": "https://example.org/tensorflow_cpu-2.15.1-cp311-cp311-manylinux_2_17_x86_64.whl",
        "tf-keras": "https://example.org/tf_keras-2.15.1.tar.gz",
        "h5py": "~=3.0",
        "scipy": "*",
    }


def test_versions_by_system():
    text = b"tensorflow==2.15.1; sys_platform == 'linux'\ntensorflow==2.16.2; sys_platform == 'darwin'\n"
    assert pins("requirements.txt", text)["tensorflow"] == (
        '2.15.1 (sys_platform == "linux"), 2.16.2 (sys_platform == "darwin")'
    )
    same = b"tensorflow==2.15.1; sys_platform == 'linux'\ntensorflow==2.15.1; sys_platform == 'darwin'\n"
    assert pins("requirements.txt", same) == {"tensorflow": "2.15.1"}


def test_no_login_is_told():
    found = pins("requirements.txt", b"keras @ https://me:secret@example.org/keras-3.0.0.tar.gz\n")
    assert found == {"keras": "https://example.org/keras-3.0.0.tar.gz"}


@pytest.mark.parametrize(
    "content",
    [
        *(b"<<<<<<< HEAD\n", b"\xff\xfe", b"package = 7", b"[[package]]\nname = 7\nversion = 3\n", b"project = 1"),
        *(b"[project]\ndependencies = 3\n", b"x = " + b"9" * 5000, b"x = " + b"[" * 3000, b"packages = [1, [2]]"),
    ],
)
@pytest.mark.parametrize("file", ["uv.lock", "pyproject.toml", "requirements.txt"])
def test_what_is_not_understood_pins_nothing(file, content):
    assert pins(file, content) in ({}, {"x": "*"})


@given(st.text(), st.sampled_from(["requirements.txt", "uv.lock", "pyproject.toml"]))
def test_any_text(text, file):
    pins(file, text.encode())
    for entry in entries(text):
        requirement(entry.text)


@given(st.lists(st.sampled_from([*TEXT.splitlines(), "\\", " \\", "#", "-", "--", "-r", "a @ ", "a;", "[", "="])))
def test_any_lines(lines):
    pins("requirements.txt", "\n".join(lines).encode())
