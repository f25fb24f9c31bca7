"""From a stranger's repository to a hook that refuses a break, with the real pre-commit and three questions."""

import os
import re
import subprocess
import time

import pytest
from conftest import COMMAND
from hooks import Guarded

pty = pytest.importorskip("pty", reason="there are no terminals of this kind")
pytestmark = pytest.mark.tensorflow

MODEL = """\
from tensorflow import keras


class Ranker(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(8)
        self.score = keras.layers.Dense(1)

    def call(self, x):
        return self.score(self.hidden(x))


class Tower(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.dense = keras.layers.Dense(units)


def build_digits():
    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])


def train():
    model = build_digits()
    model.fit([], [])
    return model
"""
FILES = {
    "ranker/__init__.py": "",
    "ranker/model.py": MODEL,
    "pyproject.toml": '[project]\nname = "stranger"\nversion = "1"\ndependencies = ["tensorflow", "numpy"]\n',
    ".pre-commit-config.yaml": "repos:\n  - repo: meta\n    hooks:\n      - id: identity\n",
    ".gitignore": ".venv\n",
}


def _converse(project, *answers):
    """Runs `init` on a terminal; returns its exit code and what it said."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [str(COMMAND), "init"], cwd=project.root, env=project.environ, stdin=side, stdout=subprocess.PIPE, text=True
    )
    os.close(side)
    os.write(main, "".join(f"{answer}\n" for answer in answers).encode())
    said = process.communicate()[0]
    os.close(main)
    return process.returncode, said


def test_stranger(make_repository, keras3, stores, tool, tmp_path):
    project = Guarded(tmp_path / "stranger", tmp_path / "home", stores["pre-commit"])
    (project.root / ".venv").symlink_to(keras3.parents[1])
    project.commit(FILES)
    before = project.snapshot()

    # Nobody there to ask: shows and stops.
    run = project.run("init")
    assert (run.code, project.snapshot()) == (2, before)
    assert "Nothing was written. To write this: restore-guard init --yes" in run.stdout
    assert "| [tool.restore-guard.models.digits]" in run.stdout
    assert "restore-manifest/ranker.json" not in run.stdout

    begin = time.monotonic()
    code, said = _converse(project, "16", "all", "shown", "y")
    assert code == 0, said
    asked = "Shape of an input of ranker", "Which models shall be guarded", "Which restore paths shall be promised"
    for question in (*asked, "Write this?"):
        assert said.count(question) == 1
    assert said.count("promises tf-checkpoint, keras-weights") >= 2, "no call says otherwise"
    assert "digits: ranker/model.py:20 build_digits, 2 variables" in said
    assert "ranker: ranker/model.py:4 Ranker, 4 variables" in said
    assert "def build_tower():" in said and "return Tower(units=...)" in said
    assert "train" not in said
    spent = time.monotonic() - begin

    for path, content in FILES.items():
        assert (project.root / path).read_text().startswith(content), f"{path} was overwritten"
    configuration = (project.root / "pyproject.toml").read_text()
    assert 'builder = "ranker.model:Ranker"\ninputs = [{ shape = [16] }]' in configuration
    assert sorted(path.name for path in (project.root / "restore-manifest").iterdir()) == ["digits.json", "ranker.json"]
    assert (project.root / ".github/workflows/restore-guard.yml").is_file()
    assert project.git("diff", "--cached", "--name-only") == "", "nothing is staged for anybody"

    # The hook of what is being tested, rather than of the last commit that it was installed from.
    hooks = (project.root / ".pre-commit-config.yaml").read_text()
    hooks = re.sub(
        r"- repo: .*\n    rev: .*\n(?=    hooks:\n      - id: restore)", f"- repo: {tool}\n    rev: v1\n", hooks
    )
    project.write({".pre-commit-config.yaml": hooks})
    install = re.search(r"^  (pre-commit install .*)$", said, re.MULTILINE)[1].split()
    begin = time.monotonic()
    assert project.begin(project.hook_command, *install[1:]).wait() == 0
    # Its own commit passes, although it is the first that names a TensorFlow for models.
    assert "1 pre-existing" not in _committed(project, "Guard checkpoints", 0)
    project.edit("ranker/model.py", "self.score(self.hidden(x))", "self.score(-self.hidden(x))")
    said = _committed(project, "other outputs", 0)
    assert "warning: behaviour-changed" in said, "a hook that passes shows its warnings"
    assert "importing TensorFlow" not in said and "digits" not in said
    project.edit("ranker/model.py", "self.hidden = ", "self.layer = ")
    project.edit("ranker/model.py", "self.hidden(x)", "self.layer(x)")
    log = _committed(project, "rename", 1)
    assert f"ranker/model.py:{project.line('ranker/model.py', 'self.layer = ')}: error: variable-renamed" in log, log
    assert spent + time.monotonic() - begin < 300


def _committed(project, message, code):
    """What `git commit` of everything says."""
    project.git("add", "--all")
    process = project.begin("git", "commit", "--message", message)
    log = process.communicate()[0]
    assert process.returncode == code, log
    return log
