"""Other versions of TensorFlow, in environments that uv really makes: a bot's pull request, and a rehearsed move."""

import os
import time

import pytest
from conftest import settings

pytestmark = pytest.mark.tensorflow

ONE_COMMIT = ("--base", "HEAD~", "--head", "HEAD")
RANKER = """\
import tensorflow as tf


class Ranker(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(3)

    def call(self, x):
        return self.dense(x)


def build():
    model = Ranker()
    model(tf.zeros([1, 4]))
    return model
"""
LOST = ("partial", ["dense/kernel"])


def outcomes(model):
    return {path: (one["outcome"], one["initial"]) for path, one in model["restores"].items()}


def evidence(model):
    return {one["evidence"] for one in model["restores"].values()}


@pytest.fixture
def project(make_repository, keras2, managers, index_settings, tmp_path):
    """A repository that asks for TensorFlow 2.15.1, with uv and an empty cache of its own."""
    made = make_repository()
    made.environ |= index_settings | {"UV_PYTHON_DOWNLOADS": "never", "HOME": os.path.expanduser("~")}
    made.environ |= {"PATH": f"{made.environ['PATH']}:{managers}", "RESTORE_GUARD_CACHE": str(tmp_path / "cache")}
    configured = settings(keras2, {"ranker": 'builder = "ranker:build"'})
    made.write({"ranker.py": RANKER, "pyproject.toml": configured, ".python-version": "3.11\n"})
    made.write({"requirements.txt": "tensorflow-cpu==2.15.1\n"})
    done = made.run("update")
    assert done.code == 0, done.stdout + done.stderr
    made.commit()
    return made


def test_a_move_is_judged_when_a_bot_proposes_it_and_rehearsed_before(project, tmp_path):
    """Not a line of code changes, and a kernel is lost in silence."""
    environments = tmp_path / "cache/environments"
    before = project.snapshot()
    rehearsed = project.run(
        *("upgrade", "tensorflow==2.21.0", "keras==3.15.1", "--candidate", "tensorflow==2.99.0", "--format", "json")
    )
    assert project.snapshot() == before
    assert rehearsed.code == 1, rehearsed.stdout + rehearsed.stderr
    assert rehearsed.report["today"] == {"tensorflow-cpu": "2.15.1", "keras": "2.15.0"}
    newest, never = rehearsed.report["moves"]
    assert newest["versions"] == {"tensorflow-cpu": "2.21.0", "keras": "3.15.1"}
    (ranker,) = newest["models"]
    assert outcomes(ranker) == {"tf-checkpoint": LOST, "keras-weights": ("restores", [])}
    assert evidence(ranker) == {"witnessed"}
    assert ranker["restores"]["tf-checkpoint"]["migration"]["evidence"] == "witnessed"
    assert never["verdict"] == "unchecked" and "2.99.0" in never["failure"]
    (made,) = environments.iterdir()

    project.commit({"requirements.txt": "# newer\ntensorflow-cpu==2.21.0\nkeras==3.15.1\n"})
    begin = time.monotonic()
    cold = project.check(*ONE_COMMIT)
    between = time.monotonic()
    assert cold.code == 1, cold.stdout + cold.stderr
    judged = cold.model("ranker")
    assert (outcomes(judged), evidence(judged)) == (outcomes(ranker), {"witnessed"})
    (told,) = [finding for finding in judged["findings"] if finding["rule"] == "framework-changed"]
    assert (told["file"], told["line"], told["level"]) == ("requirements.txt", 3, "warning")
    assert "tensorflow 2.15.1 → 2.21.0" in told["message"]
    assert len(list(environments.iterdir())) == 3, "one of the rehearsal, one of each side"

    # Once more, with what was kept: nothing is made, and no uv is there that could.
    without = {"PATH": os.environ["PATH"], "HOME": str(project.temporary)}
    warm = project.check(*ONE_COMMIT, "--witness", "never", **without)
    assert (warm.code, outcomes(warm.model("ranker"))) == (1, outcomes(ranker)), warm.stderr
    assert evidence(warm.model("ranker")) == {"simulated"}
    assert time.monotonic() - between < between - begin
    assert len(list(environments.iterdir())) == 3 and made.is_dir()

    # Where the environments cannot be made, the same change cannot be judged, and is not called green.
    alone = without | {"RESTORE_GUARD_CACHE": str(tmp_path / "other")}
    for environ, said in ((alone, "made by uv, which was not found"), ({}, 'Set environment = "auto"')):
        unjudged = project.check(*ONE_COMMIT, **environ)
        assert unjudged.code == 3, unjudged.stdout
        findings = unjudged.model("ranker")["findings"]
        (told,) = [finding for finding in findings if finding["rule"] == "framework-changed"]
        assert "was not judged" in told["message"] and said in told["message"]
        assert "Built by tensorflow 2.15.1, which is installed" in " ".join(unjudged.model("ranker")["notes"])
        project.edit("pyproject.toml", "[tool.restore-guard]\n", '[tool.restore-guard]\nenvironment = "shared"\n')
        project.git("commit", "--quiet", "--all", "--amend", "--no-edit")
