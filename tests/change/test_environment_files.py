"""Which files decide what is installed, and which of their differences."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore_guard.change.environment_files import dependencies_changed, differs, is_environment_file, named
from restore_guard.change.pins_moved import moves
from restore_guard.change.states import Change


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("requirements.txt", True),
        ("requirements-dev.txt", True),
        ("requirements/dev.txt", True),
        ("docker/requirements/dev.txt", True),
        ("docker/requirements.txt", True),
        ("constraints.txt", True),
        ("uv.lock", True),
        ("poetry.lock", True),
        ("pdm.lock", True),
        ("Pipfile", True),
        ("Pipfile.lock", True),
        ("environment.yml", True),
        ("conda-lock.yml", True),
        ("setup.py", True),
        ("setup.cfg", True),
        (".python-version", True),
        ("../uv.lock", True),
        ("../../requirements/dev.txt", True),
        ("../other/uv.lock", False),
        ("requirements.in", True),
        ("requirements.lock", True),
        ("requirements-dev.lock", True),
        ("requirements/base.in", True),
        ("pixi.lock", True),
        ("pixi.toml", True),
        ("conda-linux-64.lock", True),
        ("environment-gpu.yml", True),
        ("requirements.md", False),
        ("requirements/notes/a.txt", False),
        ("my_setup.py", False),
        ("Cargo.lock", False),
        ("pyproject.toml", False),
    ],
)
def test_is_environment_file(path, expected):
    assert is_environment_file(path) is expected


@pytest.mark.parametrize(
    ("table", "matters"),
    [
        ("project.dependencies = ['a']", True),
        ("project.optional-dependencies.x = ['a']", True),
        ("project.requires-python = '>=3.9'", True),
        ("dependency-groups.dev = ['a']", True),
        ("build-system.requires = ['a']", True),
        ("tool.poetry.dependencies.a = '1'", True),
        ("tool.poetry.group.dev.dependencies.a = '1'", True),
        ("tool.poetry.dev-dependencies.a = '1'", True),
        ("tool.pixi.dependencies.a = '1'", True),
        ("tool.pixi.feature.gpu.dependencies.a = '1'", True),
        ("tool.pixi.tasks.a = 'x'", False),
        ("tool.hatch.envs.default.dependencies = ['a']", True),
        ("tool.pdm.dev-dependencies.x = ['a']", True),
        ("tool.rye.dev-dependencies = ['a']", True),
        ("tool.uv.sources.a.path = 'a'", True),
        ("tool.uv.cache-dir = 'a'", False),
        ("project.description = 'a'", False),
        ("tool.poetry.description = 'a'", False),
        ("tool.restore-guard.timeout = 3", False),
        ("tool = 3", False),
    ],
)
def test_dependencies_changed(table, matters):
    empty, full = b"", table.encode()
    for old, new in itertools.permutations([empty, full]):
        assert dependencies_changed(old, new) is matters
    assert dependencies_changed(None, full) is matters
    assert dependencies_changed(full, None) is matters
    assert not dependencies_changed(full, full)
    assert not dependencies_changed(full, b"# comment\n" + full)


@pytest.mark.parametrize("broken", [b"a = ", b"\xff"])
def test_unparsable_pyproject_counts_as_changed(broken):
    assert dependencies_changed(b"", broken)
    assert dependencies_changed(broken, None)


ASKED = {
    "docker/Dockerfile.gpu": "FROM tensorflow/tensorflow:{}-gpu\n",
    "Dockerfile": "RUN pip install --no-cache-dir numpy 'tensorflow[and-cuda]=={}' \\\n  pillow\n",
    "deps/prod.txt": "h5py\ntensorflow == {}\n",
    "base.in": "tensorflow-cpu>={}\n",
    "requirements.lock": "tensorflow=={}\n    # via x\n",
    "pixi.lock": "- conda: https://conda.anaconda.org/conda-forge/linux-64/tensorflow-{}-cpu_py311.conda\n",
    "pixi.toml": '[dependencies]\ntensorflow = "{}.*"\n',
    "conda-linux-64.lock": "https://conda.anaconda.org/conda-forge/linux-64/tensorflow-{}-cuda.tar.bz2#ab\n",
    "conda-lock.yml": "package:\n- name: tensorflow\n  version: {}\n",
    "environment-gpu.yml": "dependencies:\n  - tensorflow={}\n",
    "hatch.toml": "[envs.default]\ndependencies = ['tensorflow=={}']\n",
    "Pipfile": '[packages]\ntensorflow = "=={}"\n',
    "Pipfile.lock": '{{"default": {{"tensorflow": {{"hashes": ["x"], "version": "=={}"}}}}}}',
    "setup.py": 'setup(install_requires=["tensorflow=={}"])\n',
    "setup.cfg": "[options]\ninstall_requires =\n    tensorflow=={}\n",
}
TABLES = (
    *(
        '[tool.pixi.dependencies]\ntensorflow = "{}.*"\n',
        "[tool.hatch.envs.default]\ndependencies = ['tensorflow=={}']\n",
    ),
    *(
        '[tool.poetry.dependencies]\ntensorflow = "^{}"\n',
        '[tool.poetry.dependencies]\ntensorflow = {{version = "{}"}}\n',
    ),
    *("[tool.pdm.dev-dependencies]\na = ['tensorflow=={}']\n", "[tool.rye]\ndev-dependencies = ['tensorflow=={}']\n"),
    *("[dependency-groups]\na = ['tensorflow=={}']\n", "[project.optional-dependencies]\na = ['tensorflow=={}']\n"),
)


@pytest.mark.parametrize(
    ("path", "text"), [*ASKED.items(), *(("pyproject.toml", f"[project]\nname = 'x'\n{table}") for table in TABLES)]
)
def test_a_framework_that_moves_is_told_wherever_it_is_asked_for(path, text):
    old, new = (text.format(version).encode() for version in ("2.15.1", "2.16.0"))
    assert differs(Change("M", path), {path: old}.get, {path: new}.get)
    (move,) = moves(path, old, new)
    assert move.package.startswith("tensorflow") and move.line
    assert "2.15.1" in move.old and "2.16.0" in move.new
    assert not moves(path, old, old)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("notes.txt", "Keras 3 is here\n", "Keras 2 and TensorFlow are gone\n"),
        ("data/words.txt", "keras\ntensorflow\n", "keras\n"),
        ("Dockerfile", "FROM python:3.11\n", "FROM python:3.12\n"),
        ("other.toml", "a = 1\n", "a = 2\n"),
        ("README.md", "tensorflow==2.15\n", "tensorflow==2.16\n"),
        ("Dockerfile", "", "FROM tensorflow/tensorflow:2.15\n"),
        ("../beside/Dockerfile", "FROM tensorflow/tensorflow:2.15\n", "FROM tensorflow/tensorflow:2.16\n"),
    ],
)
def test_other_differences_are_none(path, old, new):
    assert not differs(Change("M", path), {path: old.encode()}.get, {path: new.encode()}.get)


def test_a_file_may_move_at_the_same_time():
    old, new = b"FROM tensorflow/tensorflow:2.15\n", b"FROM tensorflow/tensorflow:2.16\n"
    change = Change("R", "docker/Dockerfile", "Dockerfile")
    assert differs(change, {"Dockerfile": old}.get, {"docker/Dockerfile": new}.get)
    assert not differs(change, {"Dockerfile": old}.get, {"docker/Dockerfile": old}.get)


@given(st.binary(max_size=300) | st.text('tensorflowk-=: {}"version1.2\n', max_size=300).map(str.encode))
def test_any_file_can_be_read(content):
    for path in (*ASKED, "pyproject.toml"):
        differs(Change("M", path), {path: content}.get, {path: b""}.get)
        moves(path, content, None)
    assert all(item.line > 0 for item in named(content))
