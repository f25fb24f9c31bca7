"""Sharded weights are the restore path `keras-weights`: real restores of either do the same."""

import json
import subprocess
from pathlib import Path

import pytest
from test_pairs import NAMES

pytestmark = pytest.mark.tensorflow

HERE = Path(__file__).parents[1]
# One that restores, one that raises, one that loses a part, one that keeps its containers apart, one with an optimizer.
FEW = [
    "compatible/dropout-in-subclass",
    "shape-changed/dense-units",
    "variable-missing/auxiliary-head",
    "variable-misplaced/sequential-reordered",
    "layer-type-changed/optimizer",
]


def _compare(python, folder, names):
    command = [python, HERE / "differential" / "sharded.py", folder, *names]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("names", [FEW, pytest.param(NAMES, marks=pytest.mark.long)], ids=["few", "all"])
def test_sharded_weights_restore_as_one_file_does(keras3, tmp_path, names):
    found = _compare(keras3, tmp_path, names)
    assert len(found) == 5 if names is FEW else len(found) > 100
    assert {forms["keras-weights"]["outcome"] for forms in found.values()} >= {"restores", "raises", "partial"}
    for name, forms in found.items():
        assert forms["sharded"] == forms["apart"] == forms["keras-weights"], name
