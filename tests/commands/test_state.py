"""Tables, iterators and Python state are values too, although they are no variables."""

import pytest
from conftest import Project, settings, warm_python

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import update as updating
from restore_guard.commands.check import check

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

NET = """\
import tensorflow as tf


class Steps(tf.train.experimental.PythonState):
    def __init__(self):
        self.count = 0

    def serialize(self):
        return str(self.count)

    def deserialize(self, text):
        self.count = int(text)


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.words = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        self.dense = tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1, empty_key=-5, deleted_key=-6)
        self.random = tf.random.Generator.from_seed(1)
        self.steps = Steps()
        self.table = tf.Variable(tf.zeros((8, 4)))


def build():
    return Net()
"""
REALLY = """

import sys, tempfile
net = build()
net.words.insert(["a"], [1]), net.dense.insert([1], [2])
net.steps.count = 7
path = tf.train.Checkpoint(net).save(tempfile.mkdtemp() + "/of")
source = open(__file__).read().split("import sys, tempfile")[0]
exec(source.replace("self.words", "self.known").replace("self.steps", "self.done"))
net = build()
tf.train.Checkpoint(net).restore(path)
print(int(net.known.size()), int(net.dense.size()), net.done.count)
"""


@pytest.mark.parametrize("keras", ["keras3", "keras2"])
def test_a_table_and_python_state_that_moved_are_told_and_never_green(keras, request, tmp_path):
    python = request.getfixturevalue(keras)
    project = Project(tmp_path / "project", tmp_path / "home")
    project.write({"net.py": NET, "pyproject.toml": settings(python, {"net": 'builder = "net:build"'}, timeout=120)})
    with warm_python(python):

        def update():
            with Repository(project.root) as repository:
                (done,) = updating.update(Run(repository, project.environ), names=[], reason=None)
            return done.message

        def checked():
            with Repository(project.root) as repository:
                result = check(Run(repository, project.environ), Sides(repository.head(), repository.worktree()))
            return result.exit_code, result.models[0].verdict, " ".join(result.models[0].notes)

        assert "keeps what it is made with" not in update()
        project.commit(message="first")
        project.edit("net.py", "(8, 4)", "(8, 4), tf.float32")
        code, verdict, notes = checked()
        assert (code, verdict, notes) == (0, "restores", "")
        project.edit("net.py", "self.words", "self.known")
        project.edit("net.py", "self.steps", "self.done")
        code, verdict, notes = checked()
        assert (code, verdict) == (3, "unchecked") and "tf-checkpoint: words, steps hold values" in notes
        assert "tf-checkpoint: words, steps hold values" in update()
        code, verdict, notes = checked()
        assert (code, verdict) == (0, "restores") and "words, steps" in notes


def test_tensorflow_itself_leaves_them_as_they_were_made(keras3, tmp_path):
    import subprocess

    (tmp_path / "real.py").write_text(NET + REALLY)
    done = subprocess.run([keras3, "real.py"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["0", "1", "0"]
