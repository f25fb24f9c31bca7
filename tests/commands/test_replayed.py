"""Commits from before the configuration, judged by today's: `check --config`. What is asked needs no build."""

import pytest
from conftest import warm_python
from signatures import module

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands.check import check, select
from restore_guard.errors import UsageError
from restore_guard.promise.manifest import Manifest, dump
from restore_guard.reports import load
from restore_guard.rules import build_failed

CONFIG = '[models.net]\nbuilder = "net:build"\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("today.toml", CONFIG),
        ("pyproject.toml", CONFIG.replace("[models", "[tool.restore-guard.models")),
        ("copy.toml", "[project]\nname = 'x'\n" + CONFIG.replace("[models", "[tool.restore-guard.models")),
    ],
)
def test_old_commits_by_todays_configuration(make_repository, tmp_path, name, content):
    project = make_repository(files={"net.py": "WIDTH = 1\n", "README.md": ""})
    first = project.git("rev-parse", "HEAD")
    second = project.commit({"net.py": "WIDTH = 2\n"})
    outside = tmp_path / "elsewhere" / name
    outside.parent.mkdir()
    outside.write_text(content)
    with Repository(project.root) as repository:
        sides = Sides(repository.commit(first), repository.commit(second))
        with pytest.raises(UsageError, match="not configured"):
            select(repository, sides)
        selection = select(repository, sides, settings=outside)
        assert (selection.chosen, selection.notes, selection.unread) == (["net"], [], False)
        assert selection.projects.base.config == selection.projects.head.config


def test_the_command(make_repository, tmp_path):
    promised = dump(Manifest("net", ("tf-checkpoint",), module(kernel=(2, 3)))).decode()
    project = make_repository(files={"net.py": "", "restore-manifest/net.json": promised})
    project.commit({"README.md": "other words\n"})
    (tmp_path / "today.toml").write_text(CONFIG)
    run = project.check("--base", "HEAD~1", "--head", "HEAD", "--config", str(tmp_path / "today.toml"))
    assert (run.code, run.model("net")["verdict"]) == (0, "unaffected"), run.stderr
    assert project.check("--config", str(tmp_path / "missing.toml")).code == 2
    (tmp_path / "wrong.toml").write_text(f"modles = 1\n{CONFIG}")
    run = project.check("--config", str(tmp_path / "wrong.toml"))
    assert (run.code, "wrong.toml: unknown key modles" in run.stderr) == (2, True), run.stderr


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        ("ModuleNotFoundError: No module named 'faiss.contrib'", "If faiss is a package, install it for the Python"),
        ("AttributeError: module 'numpy' has no attribute 'float'.\n`np.float` was", "another version of it, one that"),
        ("ModuleNotFoundError: No module named 'a'. a.py is ignored by git: add carry = [\"a.py\"] to carry it", None),
        ("ValueError: no such width: 7", None),
        ("ValueError: the weights of classes do not add up", None),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'data/words.txt'", None),
    ],
)
def test_what_an_environment_lacks_is_told_with_a_way_out(failure, advice):
    told = build_failed.advice(failure)
    assert told is None if advice is None else advice in told and 'environment = "per-commit"' in told


OLD = """\
import numpy as np
import package_of_long_ago
import tensorflow as tf

def build():
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3)])
"""


@pytest.mark.parametrize(
    "failure",
    [
        "FileNotFoundError: [Errno 2] Unable to synchronously open file (unable to open file: name = 'a/b.weights.h5')",
        "ValueError: File not found: filepath=model.keras. Please ensure the file is an accessible `.keras` zip file.",
        "NotFoundError: Unsuccessful TensorSliceReader constructor: Failed to find any matching files for model.ckpt-9",
        "Exception: URL fetch failure on https://example.org/resnet50_weights_tf.h5: None -- Name or service not known",
    ],
)
def test_builder_that_loads_weights_is_told_to_leave_that_out(failure):
    assert build_failed.advice(failure).startswith("Leave out the loading of weights")


@pytest.mark.tensorflow
def test_history_that_no_longer_builds_says_once_what_is_missing(make_repository, tmp_path, keras3):
    """Three models of one repository: what is missing is one thing to do, and not three."""
    names = ("one", "two", "three")
    (tmp_path / "today.toml").write_text(
        f'python = "{keras3}"\n' + "".join(f'[models.{name}]\nbuilder = "{name}:build"\n' for name in names)
    )
    project = make_repository(files={f"{name}.py": OLD + "\n" * number for number, name in enumerate(names)})
    first = project.git("rev-parse", "HEAD")
    second = project.commit({f"{name}.py": OLD + f"# {name}\n" for name in names})
    modern = OLD.replace("import package_of_long_ago\n", "")
    third = project.commit({f"{name}.py": modern for name in names})
    aliased = modern.replace("    return", "    np.float(1)\n    return")
    fourth = project.commit({f"{name}.py": aliased for name in names})

    def judged(base, head):
        with Repository(project.root) as repository:
            sides, run = Sides(repository.commit(base), repository.commit(head)), Run(repository, project.environ)
            result = check(run, sides, settings=tmp_path / "today.toml", witness="never")
        return result, " ".join(load("text").render(result).split())

    with warm_python(keras3):
        result, text = judged(first, second)
        assert result.exit_code == 3 and text.count("No module named 'package_of_long_ago'") == 1
        assert "If package_of_long_ago is a package, install it" in text and "The same in 2 other models" in text
        result, text = judged(second, third)
        assert text.count("No module named 'package_of_long_ago'") == 1
        assert "one, two, three: The base no longer builds" in text
        _, text = judged(third, fourth)
        assert text.count("module 'numpy' has no attribute 'float'") == 1 and "for another version of it" in text
