"""The workflow that `init` writes installs TensorFlow, by the project's own installer and with the Python found."""

import pytest

from restore_guard.commands import origin, workflow_file
from restore_guard.commands.workflow_file import Environment

FOUND = Environment("3.11", "tensorflow-cpu==2.15.1")
SOURCE = origin.Origin("https://github.com/us/restore-guard", "v9")


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
        ({"pyproject.toml": '[project]\nname = "x"\ndependencies = ["tensorflow"]\n'}, "pip install .", False),
        ({"pyproject.toml": '[project]\nname = "x"\noptional-dependencies = { tf = ["tensorflow"] }\n'},
         'pip install ".[tf]"', False),
        ({"pyproject.toml": '[project]\nname = "x"\n[dependency-groups]\nml = ["tensorflow"]\n'},
         "pip install --group ml .", False),
        ({"pyproject.toml": '[project]\nname = "x"\n'}, 'pip install . "tensorflow-cpu==2.15.1"', False),
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
          '\n[tool.poetry.extras]\ngpu = ["tensorflow"]\n'}, "pip install poetry && poetry install --extras gpu", True),
        ({"uv.lock": "", "pyproject.toml": '[project]\nname = "x"\ndependencies = ["tensorflow"]\n'},
         "pip install uv && uv sync --locked", True),
        ({"uv.lock": "", "pyproject.toml": '[project]\nname = "x"\noptional-dependencies = { tf = ["tensorflow"] }\n'},
         "pip install uv && uv sync --locked --extra tf", True),
        ({"poetry.lock": "", "pyproject.toml": '[tool.poetry.group.ml.dependencies]\ntensorflow = "^2"\n'},
         "pip install poetry && poetry install --with ml", True),
        ({"Pipfile.lock": ""}, "pip install pipenv && pipenv sync", True),
    ],
)  # fmt: skip
def test_installer(tmp_path, files, line, makes_environment):
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(content)
    assert workflow_file.installer(tmp_path, FOUND) == (line, makes_environment)
    file, _ = workflow_file.workflow(tmp_path, "", SOURCE, FOUND)
    assert f"      - run: {line}\n" in file.content
    assert 'python-version: "3.11"' in file.content
    assert ("          python: python\n" in file.content) == (not makes_environment)


def test_what_is_not_known_is_the_default(tmp_path):
    file, _ = workflow_file.workflow(tmp_path, "", SOURCE, Environment())
    assert f'python-version: "{workflow_file.DEFAULT_PYTHON}"' in file.content
    assert "- run: pip install tensorflow\n" in file.content
