"""A Saver of TensorFlow 1 that is given a checkpoint of tf.train.Checkpoint: the same verdict as the real restore."""

import json

import pytest
from conftest import settings

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

GRAPHS = """\
import tensorflow as tf

v1 = tf.compat.v1


def _graph(*named, parts=None):
    graph = tf.Graph()
    with graph.as_default():
        for name, shape in named:
            cut = v1.fixed_size_partitioner(parts) if parts else None
            v1.get_variable(name, shape, use_resource=True, partitioner=cut)
    return graph


def same():
    return _graph(("kernel", (2, 3)), ("bias", (4,)))


def fewer():
    return _graph(("kernel", (2, 3)))


def more():
    return _graph(("kernel", (2, 3)), ("other", (4,)))


def cut():
    return _graph(("bias", (4,)), parts=2)
"""
# Saves objects, and tells what the real Saver makes of them: the values of each graph's variables, or the error.
SAVE_AND_RESTORE = """\
import json, sys
import tensorflow as tf
import graphs

v1 = tf.compat.v1

class Net(tf.Module):
    def __init__(self):
        self.a = tf.Variable([[1.0, 2.0, 3.0]] * 2, name="kernel")
        self.b = tf.Variable([4.0, 5.0, 6.0, 7.0], name="bias")

def restored(graph):
    with graph.as_default(), v1.Session(graph=graph) as session:
        for variable in v1.global_variables():
            session.run(variable.assign(tf.fill(variable.shape, -1.0)))
        try:
            v1.train.Saver().restore(session, path)
        except Exception as error:
            return str(error).strip().splitlines()[0]
        return {variable.op.name: session.run(variable).ravel().tolist() for variable in v1.global_variables()}

path = tf.train.Checkpoint(net=Net()).save(sys.argv[1])
print(json.dumps([path, {name: restored(getattr(graphs, name)()) for name in sys.argv[2:]}]))
"""
NAMES = ("same", "fewer", "more", "cut")


@pytest.mark.parametrize("keras", ["keras3", "keras2"])
def test_a_saver_reads_what_objects_were_saved_by_the_names_of_variables(request, make_repository, keras, tmp_path):
    python, project = request.getfixturevalue(keras), make_repository()
    models = {name: f'builder = "graphs:{name}"\nrestores = ["tf1-saver"]' for name in NAMES[1:]}
    models["same"] = 'builder = "graphs:same"'
    project.write({"graphs.py": GRAPHS, "pyproject.toml": settings(python, models)})
    path, real = json.loads(project.script(python, SAVE_AND_RESTORE, tmp_path / "net", *NAMES).splitlines()[-1])

    whole = {"kernel": [1.0, 2.0, 3.0] * 2, "bias": [4.0, 5.0, 6.0, 7.0]}
    assert real["same"] == whole and real["fewer"] == {"kernel": whole["kernel"]}
    assert real["more"] == "Existing variables not in the checkpoint: other"
    assert real["cut"] == {"bias/part_0": [-1.0, -1.0], "bias/part_1": [6.0, 7.0]}

    judged = {}
    for name in NAMES:
        report = json.loads(project.run("audit", path, "--model", name, "--format", "json").stdout)
        (judged[name],) = (model["restores"]["tf1-saver"] for model in report["models"])
    outcomes = {name: one["outcome"] for name, one in judged.items()}
    assert outcomes == {"same": "restores", "fewer": "partial", "more": "raises", "cut": "partial"}
    assert (judged["fewer"]["unused"], judged["fewer"]["initial"]) == (["net/b"], [])
    assert judged["more"]["error"] == real["more"]
    assert judged["cut"]["initial"] == ["bias/part_0"]

    # It is written once a real Saver has restored it and every value was compared.
    done = project.run("migrate", path, str(tmp_path / "out.ckpt"), "--model", "same")
    assert done.code == 0, done.stdout + done.stderr
    assert (tmp_path / "out.ckpt.index").exists()
