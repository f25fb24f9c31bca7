"""The workflow that `init` writes installs TensorFlow, by the project's own installer and with the Python found."""

import os
import subprocess
import sys

import pytest

from restore_guard.commands import origin, workflow_file
from restore_guard.commands.workflow_file import Environment
from restore_guard.environments import interpreters

FOUND = Environment("3.11", "tensorflow-cpu==2.15.1")
SOURCE = origin.Origin("https://github.com/us/restore-guard", "v9")

BUILT = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
LISTED = "pip install uv && uv pip install --python python"


@pytest.mark.parametrize(
    ("files", "line", "makes_environment"),
    [
        ({}, 'pip install "tensorflow-cpu==2.15.1"', False),
        ({"requirements.txt": "tensorflow>=2.10\n"}, "pip install -r requirements.txt", False),
        ({"requirements.txt": "numpy\n"}, 'pip install -r requirements.txt "tensorflow-cpu==2.15.1"', False),
        ({"requirements.txt": "# tensorflow\n"}, 'pip install -r requirements.txt "tensorflow-cpu==2.15.1"', False),
        ({"requirements.txt": "numpy\n", "requirements-tf.txt": "tensorflow-gpu\n"},
         "pip install -r requirements-tf.txt", False),
        ({"requirements.txt": "-r requirements/base.txt\n", "requirements/base.txt": "tensorflow\n"},
         "pip install -r requirements.txt", False),
        ({"pyproject.toml": f'[project]\nname = "x"\ndependencies = ["tensorflow"]\n{BUILT}'}, "pip install .", False),
        ({"pyproject.toml": f'[project]\nname = "x"\noptional-dependencies = {{ tf = ["tensorflow"] }}\n{BUILT}'},
         'pip install ".[tf]"', False),
        ({"pyproject.toml": f'[project]\nname = "x"\n[dependency-groups]\nml = ["tensorflow"]\n{BUILT}'},
         'pip install "pip>=25.1" && pip install --group ml .', False),
        ({"pyproject.toml": f'[project]\nname = "x"\n{BUILT}'}, 'pip install . "tensorflow-cpu==2.15.1"', False),
        ({"pyproject.toml": '[project]\nname = "x"\ndependencies = ["tensorflow"]\n'},
         f"{LISTED} -r pyproject.toml", False),
        ({"pyproject.toml": '[project]\nname = "x"\noptional-dependencies = { tf = ["tensorflow"] }\n'},
         f"{LISTED} -r pyproject.toml --extra tf", False),
        ({"pyproject.toml": '[project]\nname = "x"\n[dependency-groups]\nml = ["tensorflow"]\n'},
         f"{LISTED} -r pyproject.toml --group ml", False),
        ({"pyproject.toml": '[project]\nname = "x"\n'},
         f'{LISTED} -r pyproject.toml "tensorflow-cpu==2.15.1"', False),
        ({"pyproject.toml": "[tool.ruff]\n"}, 'pip install "tensorflow-cpu==2.15.1"', False),
        ({"setup.py": "setup(install_requires=['tensorflow>=2'])"}, "pip install .", False),
        ({"setup.py": "setup(extras_require={'gpu': ['tensorflow-gpu']})"}, 'pip install ".[gpu]"', False),
        ({"setup.py": "setup()", "setup.cfg": "[options]\ninstall_requires =\n  numpy\n  tensorflow>=2\n"},
         "pip install .", False),
        ({"setup.py": "setup()", "setup.cfg": "[options.extras_require]\ntf = tensorflow; python_version > '3'\n"},
         'pip install ".[tf]"', False),
        ({"setup.py": "needed = ['tensorflow']\nsetup(install_requires=needed)"}, "pip install .", False),
        ({"setup.py": "setup(name='x')  # no tensorflow", "setup.cfg": "[options"},
         'pip install . "tensorflow-cpu==2.15.1"', False),
        ({"setup.py": "setup(", "setup.cfg": "[metadata]\n"}, 'pip install . "tensorflow-cpu==2.15.1"', False),
        ({"poetry.lock": "", "pyproject.toml": '[tool.poetry.dependencies]\ntensorflow = { optional = true }'
          '\n[tool.poetry.extras]\ngpu = ["tensorflow"]\n[tool.poetry]\npackages = []\n'},
         "pip install poetry && poetry install --extras gpu", True),
        ({"poetry.lock": "", "pyproject.toml": '[project]\nname = "a-b"\ndependencies = ["tensorflow"]\n'},
         "pip install poetry && poetry install --no-root", True),
        ({"poetry.lock": "", "a_b.py": "", "pyproject.toml": '[project]\nname = "a-b"\ndependencies = ["tensorflow"]'},
         "pip install poetry && poetry install", True),
        ({"src/a/x.py": "", "pyproject.toml": '[tool.poetry]\nname="a"\n[tool.poetry.dependencies]\ntensorflow="*"'},
         "pip install .", False),
        ({"pyproject.toml": '[tool.poetry]\nname="a"\n[tool.poetry.dependencies]\ntensorflow="*"'},
         "pip install poetry && poetry install --no-root", True),
        ({"a.py": "", "pyproject.toml": '[tool.poetry]\nname="a"\n[tool.poetry.group.ml.dependencies]\ntensorflow="*"'},
         "pip install poetry && poetry install --with ml", True),
        ({"pdm.lock": "", "pyproject.toml": f'[project]\ndependencies = ["tensorflow"]\n{BUILT}'},
         'pip install "pdm[locked]" && pdm sync', True),
        ({"pdm.lock": "", "pyproject.toml": '[project]\n[dependency-groups]\nml = ["tensorflow"]'},
         'pip install "pdm[locked]" && pdm sync --no-self --group ml', True),
        ({"uv.lock": "", "pyproject.toml": '[project]\nname = "x"\ndependencies = ["tensorflow"]\n'},
         "pip install uv && uv sync --locked", True),
        ({"uv.lock": "", "pyproject.toml": '[project]\nname = "x"\noptional-dependencies = { tf = ["tensorflow"] }\n'},
         "pip install uv && uv sync --locked --extra tf", True),
        ({"poetry.lock": "", "pyproject.toml": '[tool.poetry]\npackage-mode = false\n'
          '[tool.poetry.group.ml.dependencies]\ntensorflow = "^2"\n'},
         "pip install poetry && poetry install --with ml", True),
        ({"Pipfile.lock": ""}, "pip install pipenv && pipenv sync", True),
        ({"Pipfile.lock": '{"default": {"six": {}}, "develop": {"tensorflow": {}}}'},
         "pip install pipenv && pipenv sync --dev", True),
        ({"environment.yml": "dependencies:\n  - tensorflow=2.15\n"}, "pip install tensorflow-cpu==2.15.1", False),
        ({"environment.yml": "dependencies:\n  - python=3.11\n  - pip:\n    - -r requirements/a.txt\n"
          "    - tensorflow>=2.15\n    - 'numpy < 2'\n"},
         "pip install -r requirements/a.txt 'tensorflow>=2.15' 'numpy<2'", False),
        ({"environment.yaml": "dependencies: [pip]\n", "requirements.txt": "numpy\n"},
         "pip install -r requirements.txt tensorflow-cpu==2.15.1", False),
        ({"environment.yml": "dependencies:\n  - pip:\n    - a\n", "pyproject.toml": f'[project]\nname = "x"\n{BUILT}'},
         "pip install . a tensorflow-cpu==2.15.1", False),
    ],
)  # fmt: skip
def test_installer(tmp_path, files, line, makes_environment):
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path).write_text(content)
    assert workflow_file.installer(tmp_path, FOUND)[:2] == (line, makes_environment)
    file, _ = workflow_file.workflow(tmp_path, "", SOURCE, FOUND)
    assert f"      - run: {line}\n" in file.content
    assert 'python-version: "3.11"' in file.content
    assert ("          python: python\n" in file.content) == (not makes_environment)


def test_what_is_not_known_is_the_default(tmp_path):
    file, _ = workflow_file.workflow(tmp_path, "", SOURCE, Environment())
    assert f'python-version: "{workflow_file.DEFAULT_PYTHON}"' in file.content
    assert "- run: pip install tensorflow\n" in file.content


CONDA = """\
name: nets
channels: [conda-forge]
dependencies:
  - python=3.11
  - conda-forge::tensorflow=2.15  # the last with Keras 2
  - cudatoolkit=11.8
  - pip
  - pip:
      - einops>=0.7
      - git+https://example.org/x: y.git
"""


def test_what_conda_alone_installs_is_said_beside_the_line(tmp_path):
    (tmp_path / "environment.yml").write_text(CONDA)
    file, _ = workflow_file.workflow(tmp_path, "", SOURCE, Environment("3.11"))
    lines = [line.strip() for line in file.content.splitlines()]
    at = lines.index("- run: pip install 'einops>=0.7' 'tensorflow==2.15.*'")
    assert lines[at - 1] == (
        "# Of environment.yml this installs no more; add what the models import of: "
        "git+https://example.org/x: y.git, cudatoolkit=11.8"
    )


RUN = {
    "requirements": {"requirements.txt": "-r more.txt\n", "more.txt": "PIN\n"},
    "pyproject": {"pyproject.toml": f'[project]\nname = "nets"\nversion = "1"\ndependencies = ["PIN"]\n{BUILT}'},
    "extra of setup.cfg": {
        "setup.py": "import setuptools\nsetuptools.setup()\n",
        "setup.cfg": "[metadata]\nname = nets\nversion = 1\n[options.extras_require]\ntf =\n  PIN\n",
    },
    "extra of setup.py": {
        "setup.py": "import setuptools\nsetuptools.setup(name='nets', version='1', extras_require={'gpu': ['PIN']})\n"
    },
    "group": {"pyproject.toml": f'[project]\nname = "nets"\nversion = "1"\n[dependency-groups]\nml = ["PIN"]\n{BUILT}'},
    "pyproject without it": {"pyproject.toml": f'[project]\nname = "nets"\nversion = "1"\n{BUILT}'},
    "conda": {"environment.yml": "dependencies:\n  - python=3.11\n  - pip:\n    - PIN\n    - numpy>1\n"},
    "none": {},
}
"""What asks for TensorFlow, PIN being the one that is there to be installed."""


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "files",
    [
        pytest.param(files, id=name, marks=[] if name == "extra of setup.cfg" else pytest.mark.long)
        for name, files in RUN.items()
    ],
)
def test_the_line_runs_in_a_fresh_environment(tmp_path, keras3, files):
    """By bash, as a runner does it, with the packages of another environment in place of the index."""
    (packages,) = keras3.parents[1].glob("lib/python*/site-packages")
    (known,) = packages.glob("tensorflow_cpu-*.dist-info")
    pin = known.name.removesuffix(".dist-info").replace("tensorflow_cpu-", "tensorflow-cpu==")
    for path, content in files.items():
        (tmp_path / path).write_text(content.replace("PIN", pin))
    line = workflow_file.installer(tmp_path, Environment("3.11", pin)).line
    subprocess.run([keras3, "-m", "venv", tmp_path / "env"], check=True)
    (fresh,) = (tmp_path / "env").glob("lib/python*/site-packages")
    (fresh / "packages.pth").write_text(f"{packages}\n")
    environ = os.environ | {"PATH": f"{tmp_path / 'env/bin'}:{os.environ['PATH']}"}
    # What builds the project comes from there too.
    environ |= {
        "PIP_NO_INDEX": "0" if "pip>=" in line else "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    done = subprocess.run(["bash", "-e", "-c", line], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Requirement already satisfied: {pin}" in done.stdout
    assert ("Successfully installed nets" in done.stdout) == ("." in line.split() or '".[' in line)


STUB = {
    "stub/pyproject.toml": f'[project]\nname = "tensorflow-cpu"\nversion = "2.99"\n{BUILT}',
    "stub/tensorflow/__init__.py": '__version__ = "2.99"\n',
    # Two folders, and none of the project's name: nothing that setuptools or poetry would install.
    "nets/__init__.py": "",
    "data/__init__.py": "",
}
LISTS = {
    "uv": (
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.10"\n'
        'optional-dependencies = { tf = ["tensorflow-cpu"] }\n[tool.uv.sources]\ntensorflow-cpu = { path = "stub" }\n'
    ),
    "poetry": (
        '[tool.poetry]\nname = "x"\nversion = "1"\ndescription = ""\nauthors = []\n'
        '[tool.poetry.dependencies]\npython = "^3.10"\n'
        '[tool.poetry.group.ml.dependencies]\ntensorflow-cpu = { path = "stub" }\n'
        # A mirror of the index may not have what else poetry asks it for.
        '[[tool.poetry.source]]\nname = "simple"\nurl = "https://pypi.org/simple"\npriority = "primary"\n'
    ),
    "pdm": (
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.10"\n'
        '[dependency-groups]\nml = ["tensorflow-cpu @ file:///${PROJECT_ROOT}/stub"]\n'
    ),
    "pipenv": '[packages]\n[dev-packages]\ntensorflow-cpu = { path = "./stub" }\n',
}
LOCK = {"uv": "uv lock", "poetry": "poetry lock", "pdm": "pdm lock -G ml", "pipenv": "pipenv lock"}


@pytest.mark.parametrize(
    ("manager", "is_locked"),
    [
        ("uv", False),
        ("uv", True),
        *(pytest.param(*each, marks=pytest.mark.long) for each in [("poetry", False), ("poetry", True)]),
        *(pytest.param(manager, True, marks=pytest.mark.long) for manager in ("pdm", "pipenv")),
    ],
)
def test_the_line_of_a_manager_runs_and_what_it_makes_is_found(tmp_path, monkeypatch, manager, is_locked):
    """With the manager that the line itself installs from the index, and a package that is called TensorFlow's name."""
    project = tmp_path / "project"
    for path, content in {**STUB, "Pipfile" if manager == "pipenv" else "pyproject.toml": LISTS[manager]}.items():
        (project / path).parent.mkdir(exist_ok=True, parents=True)
        (project / path).write_text(content)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    environ = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environ["PATH"] = f"{tmp_path / 'env/bin'}:/usr/bin:/bin"

    def run(line):
        done = subprocess.run(["bash", "-e", "-c", line], cwd=project, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    if is_locked:
        lock = {"pipenv": "Pipfile.lock"}.get(manager, f"{manager}.lock")
        (project / lock).touch()
        install, _, _ = workflow_file.installer(project, Environment()).line.partition(" && ")
        (project / lock).unlink()
        run(f"{install} && {LOCK[manager]}")
    line, makes_environment, _ = workflow_file.installer(project, Environment())
    run(line)
    asked = None if makes_environment else str(tmp_path / "env/bin/python")
    found = interpreters.choose(asked, project, environ)
    told = subprocess.run([found.path, "-c", "import tensorflow as tf; print(tf.__version__)"], capture_output=True)
    assert told.stdout == b"2.99\n"
