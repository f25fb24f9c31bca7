"""`doctor`: one line for each thing that it looks at, red where something is wrong, and nothing changed."""

import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from conftest import SMALL, settings

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.commands import doctor

TYPES = ["--hook-type", "pre-commit", "--hook-type", "pre-merge-commit", "--hook-type", "pre-push"]
HOOKS = "repos:\n- repo: https://github.com/us/restore-guard\n  rev: v1\n  hooks:\n  - id: restore-guard\n"


def _lines(run):
    """{subject: (state, the rest of the line)}"""
    lines = (line.split(maxsplit=1) for line in run.stdout.splitlines())
    return {rest.partition(": ")[0]: (state, rest.partition(": ")[2]) for state, rest in lines}


def _install(project, tool, *arguments):
    command = [Path(sys.executable).with_name(tool), "install", *arguments]
    subprocess.run(command, cwd=project.root, env=project.environ, check=True, capture_output=True)


@pytest.mark.tensorflow
def test_set_up_that_works(guarded_project, make_repository, keras3):
    project = make_repository(copy_of=guarded_project)
    project.commit({".pre-commit-config.yaml": HOOKS})
    _install(project, "pre-commit", *TYPES)
    project.edit("README.md", "models", "not committed")
    before = project.snapshot()
    run = project.run("doctor")
    assert project.snapshot() == before
    assert list(project.temporary.iterdir()) == []
    lines = _lines(run)
    assert {state for state, _ in lines.values()} == {"ok"}, run.stdout
    assert run.code == 0
    assert list(lines) == [
        *("git", "hook", "configuration", "python", "warm", "tensorflow"),
        *("build of net", "manifest of net", "build of old", "manifest of old", "gate", "migration"),
    ]
    assert lines["python"][1] == f"{keras3}, for the configuration names it"
    assert "tensorflow 2.21.0, keras 3" in lines["tensorflow"][1]
    assert lines["build of net"][1].startswith("4 variables in ")
    assert lines["gate"][1] == "red, as it must be, for a break of old that was planted in a copy"
    assert "`restore-guard update old --migrate REASON` would write rename = [{ from = " in lines["migration"][1]


@pytest.mark.tensorflow
def test_set_up_in_which_much_is_wrong(guarded_project, make_repository, keras3):
    project = make_repository(copy_of=guarded_project)
    models = {
        "net": 'builder = "net:build"\ninputs = [{ shape = [5] }]',
        "old": 'builder = "old:build"',
        "gone": 'builder = "gone:build"',
        "bare": 'builder = "old:build"',
    }
    project.write({"pyproject.toml": settings(keras3, models) + '[tool.restore-guard.rules]\nshape-changed = "off"\n'})
    before = project.snapshot()
    run = project.run("doctor")
    assert project.snapshot() == before
    assert run.code == 1
    lines = _lines(run)
    wrong = {subject: rest for subject, (state, rest) in lines.items() if state == "problem"}
    assert wrong.keys() == {"hook", "build of gone", "manifest of gone", "manifest of net", "manifest of bare", "gate"}
    assert "pre-commit, pre-merge-commit, pre-push" in wrong["hook"]
    assert "No module named 'gone'" in wrong["build of gone"]
    assert "does not describe the model that the code builds" in wrong["manifest of net"]
    assert "has no manifest: run `restore-guard update bare`" in wrong["manifest of bare"]
    # The one thing that no other line can tell: a gate that would never close.
    assert wrong["gate"].startswith("green for a break of old")
    assert "levels of rules and the ignores" in wrong["gate"]


@pytest.mark.parametrize(
    ("content", "subject", "said"),
    [
        ("[tool.ruff]\n", "configuration", "restore-guard is not configured"),
        (settings("/nowhere/python", {"small": 'builder = "small:build"'}), "python", "there is no such Python"),
        (settings(sys.executable, {"small": 'builder = "small:build"'}), "tensorflow", "cannot import TensorFlow"),
    ],
)
def test_stops_where_nothing_further_can_be_examined(make_repository, content, subject, said):
    project = make_repository(files={"small.py": SMALL, "pyproject.toml": content})
    run = project.run("doctor")
    assert run.code == 1
    *_, (last, (state, rest)) = _lines(run).items()
    assert (last, state) == (subject, "problem")
    assert said in rest


def _hook(root):
    with Repository(root) as repository:
        return list(islice(doctor.examine(Run(repository, {})), 2))[1]


@pytest.mark.parametrize("tool", ["pre-commit", "prek"])
def test_installed_hook(make_repository, tool, tmp_path):
    project = make_repository(files={".pre-commit-config.yaml": HOOKS})
    assert (_hook(project.root).state, _hook(project.root).advice) == (
        "problem",
        f"pre-commit install {' '.join(TYPES)}",
    )
    _install(project, tool)
    found = _hook(project.root)
    assert (found.state, "no pre-merge-commit, pre-push hook" in found.said) == ("problem", True)
    _install(project, tool, *TYPES)
    assert _hook(project.root).state == "ok"
    project.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    assert _hook(tmp_path / "linked").state == "ok"
    # Where git looks elsewhere, what lies in .git/hooks never runs.
    project.git("config", "core.hooksPath", ".githooks")
    assert _hook(project.root).state == "problem"
    for stage in ("pre-commit", "pre-merge-commit", "pre-push"):
        project.write({f".githooks/{stage}": "#!/bin/sh\nexec restore-guard check\n"})
        (project.root / f".githooks/{stage}").chmod(0o755)
    assert _hook(project.root).state == "ok"
    (project.root / ".githooks/pre-push").chmod(0o644)
    assert "no pre-push hook" in _hook(project.root).said


def test_hook_of_others(make_repository):
    project = make_repository(files={".pre-commit-config.yaml": HOOKS.replace("restore-guard", "ruff")})
    _install(project, "pre-commit", *TYPES)
    found = _hook(project.root)
    assert (found.state, found.said) == ("problem", ".pre-commit-config.yaml does not name restore-guard")


def test_load_calls_are_held_against_what_is_promised(make_repository):
    """No model is built: the Python that would build is none."""
    project = make_repository(
        files={
            "net.py": "",
            "train.py": 'import net\nmodel = net.build()\nmodel.load_weights("a.h5")\nmodel.save_weights(args.out)\n',
            "tests/test_net.py": 'import net\nnet.build().load_weights("x.keras")\n',
            "pyproject.toml": settings(
                "/nowhere/python", {"net": 'builder = "net:build"\nrestores = ["tf-checkpoint"]'}
            ),
        }
    )

    def loaded():
        with Repository(project.root) as repository:
            run = Run(repository, {**project.environ, "RESTORE_GUARD_PYTHON": sys.executable})
            return next(found for found in doctor.examine(run) if found.subject == "load calls of net")

    told = loaded()
    assert (told.state, told.advice) == ("unchecked", 'In its table: restores = ["tf-checkpoint", "h5"]')
    assert told.said == (
        "train.py:3 model.load_weights loads by h5, which is not promised; what they do not tell: "
        "train.py:4 model.save_weights (filepath)"
    )
    project.edit("pyproject.toml", '["tf-checkpoint"]', '["tf-checkpoint", "h5"]')
    assert (loaded().state, loaded().said.partition(";")[0]) == ("ok", "2, by h5")
    project.edit("train.py", '"a.h5")', '"a.h5", skip_mismatch=True)')
    assert loaded().advice == 'In its table: restores = ["tf-checkpoint", "h5"], load = { skip_mismatch = true }'
    project.edit("pyproject.toml", '"h5"]', '"h5"]\nload = { skip_mismatch = true }')
    assert loaded().state == "ok"
