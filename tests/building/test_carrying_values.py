"""What a fresh process compares: every value, also of large variables that the build has given no initial value."""

import json
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.tensorflow

HOOK = Path(__file__).parents[2] / "hook"
NET = """\
import keras


class Deaf(keras.layers.Dense):
    def load_own_variables(self, store):
        pass


def build(deaf=False):
    kind = Deaf if deaf else keras.layers.Dense
    inputs = keras.Input((600,))
    x = inputs
    for name in ("noise", "ones", "zeros"):
        x = kind(600, name=name)(x)
    return keras.Model(inputs, x)
"""
# Values are placed, saved and compared, then compared again with one of them changed, then by layers that load nothing.
PROGRAM = """\
import json, sys
import h5py, numpy as np
sys.path.insert(0, sys.argv[1])
import tensorflow as tf
import net
from restore_guard.probe import strategies, tasks

model = net.build()
for layer in model.layers[1:]:
    draw = {"noise": lambda shape: np.random.default_rng(0).normal(size=shape), "ones": np.ones, "zeros": np.zeros}
    for variable in layer.weights:
        variable.assign(draw[layer.name](tuple(variable.shape)).astype("float32"))
old = f"{sys.argv[2]}/old.weights.h5"
model.save_weights(old)
names = [f"{layer.name}/{part}" for layer in model.layers[1:] for part in ("kernel", "bias")]
layers = ["dense", "dense_1", "dense_2"]
addresses = {f"old {name}": f"layers/{layers[n // 2]}/vars/{n % 2}" for n, name in enumerate(names)}
entry = {
    "file": old, "kind": "weights-h5", "addresses": addresses, "path": "keras-weights", "folder": sys.argv[2],
    "placements": [[name, f"old {name}", []] for name in names], "skipped": [], "truth": None, "called": None,
    "tables": [], "vocabularies": [], "sources": {}, "root": {"edges": [], "beside": []},
}
job = {"root": ".", "project": ".", "pythonpath": [], "builder": "net:build", "kwargs": {}, "inputs": [],
       "worktree": None, "load": {}, "environ": {}, "restores": []}


def do(task, entry, **kwargs):
    asked = {**job, "task": task, "kwargs": kwargs, "options": {"files": [entry]}}
    asked["strategy"] = tasks.attempts(asked)[0]
    (answer,) = tasks.TASKS[task](asked)
    return answer, asked["strategy"]


placed, strategy = do("place", entry)
entry.update(saved=placed["saved"], digests=placed["digests"], uniform=placed["uniform"])
found = {"strategy": strategy, "error": placed["error"], "right": do("verify", entry)[0], "names": names}
found["deaf"] = do("verify", entry, deaf=True)[0]["wrong"]
with h5py.File(placed["saved"], "r+") as file:
    file[addresses["old zeros/kernel"]][599, 599] = 1e-30
found["spoilt"] = do("verify", entry)[0]["wrong"]
kept = {**entry, "placements": [["noise/kernel", None, []], *entry["placements"][1:]]}
found["kept"] = tasks.attempts({**job, "task": "place", "options": {"files": [kept]}})
left = {**entry, "placements": entry["placements"][1:]}
try:
    do("place", left)
except ValueError as error:
    found["left"] = str(error)
with strategies.without_large_weights():
    found["small"] = bool(np.all(net.build().layers[1].bias.numpy() == 0))
print(json.dumps(found))
"""


def test_every_value_is_compared_though_nothing_large_has_an_initial_value(keras3, tmp_path):
    (tmp_path / "net.py").write_text(NET)
    program = [str(keras3), "-c", PROGRAM, str(HOOK), str(tmp_path)]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["error"] is None and found["strategy"] == "weightless"
    assert found["right"] == {"error": None, "compared": 6, "wrong": []}
    assert found["deaf"] == found["names"], "what no load has written is not right, zeros and ones among it"
    assert found["spoilt"] == ["zeros/kernel"], "one number of 360000"
    assert found["kept"] == ["eager"], "what keeps its initial value needs one"
    assert found["left"] == "noise/kernel needs its initial value"
    assert found["small"]
