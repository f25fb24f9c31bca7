"""Compares two signatures of as many variables as are asked for, by all restore paths; prints the processor's time."""

from __future__ import annotations

import sys
import time

import msgspec

from restore_guard import findings
from restore_guard.comparison import compare
from restore_guard.config import Config
from restore_guard.diffs import Diff, FileDiff
from restore_guard.restore_paths import RESTORE_PATHS
from restore_guard.signature import Signature

LAYERS_OF_A_BLOCK = 100
PATHS = ("tf-checkpoint", "keras-weights", "h5", "h5-by-name")


def signature(count: int, name: str = "block_3") -> Signature:
    """A model of nested blocks of Dense layers, with a kernel and a bias each; `name` is that of the fourth block."""
    variables, holders, layers = [], [], []
    graph = [{"type": "Model", "children": []}]
    tree = [{"type": "Model", "role": "layer", "children": []}]
    for number in range(count // (2 * LAYERS_OF_A_BLOCK)):
        block = name if number == 3 else f"block_{number}"
        graph[0]["children"].append([block, len(graph)])
        tree[0]["children"].append([block, len(tree)])
        graph.append({"type": "Block", "children": []})
        around, first = len(graph) - 1, len(variables)
        tree.append({"type": "Block", "role": "layer", "name": block, "children": []})
        inside = len(tree) - 1
        holders.append({"path": block, "type": "Block", "site": ["model.py", 10, number]})
        for layer in range(LAYERS_OF_A_BLOCK):
            path, site, at = f"{block}/dense_{layer}", ["model.py", 20 + layer, number], len(variables)
            holders.append({"path": path, "type": "Dense", "calls": 1, "site": site})
            graph[around]["children"].append([f"dense_{layer}", len(graph)])
            graph.append({"type": "Dense", "children": [["_kernel", len(graph) + 1], ["bias", len(graph) + 2]]})
            graph += [{"type": "Variable", "variable": at}, {"type": "Variable", "variable": at + 1}]
            tree[inside]["children"].append([f"dense_{layer}", len(tree)])
            tree.append({"type": "Dense", "role": "layer", "name": f"dense_{layer}", "variables": [at, at + 1]})
            for leaf, shape in (("kernel", [8, 8]), ("bias", [8])):
                variables.append(
                    {"path": f"{path}/{leaf}", "shape": shape, "dtype": "float32", "trainable": True, "owner": "Dense"}
                    | {"owner_name": f"dense_{layer}", "site": site}
                )
        layers.append({"name": block, "type": "Block", "variables": list(range(first, len(variables)))})
    layers.append({"name": "top", "type": "Model"})
    plain = {"framework": {}, "variables": variables, "holders": holders, "object_graph": {"nodes": graph}}
    weights = {"keras_tree": {"generation": 3, "nests": True, "nodes": tree}, "h5_file": {"layers": layers}}
    return msgspec.convert(plain | weights, Signature)


def seconds(count: int) -> float:
    """From two signatures to findings, where one block was renamed."""
    saved, model = signature(count), signature(count, "renamed")
    old = "".join(f"line {number}\n" for number in range(200))
    diff = Diff({"model.py": FileDiff("model.py", old, old.replace("line 9\n", "renamed\n"))})
    begin = time.process_time()
    found = findings.find(compare(saved, model, PATHS, diff), findings.Context("bench", "bench.json", Config()))
    taken = time.process_time() - begin
    assert found and set(PATHS) <= set(RESTORE_PATHS)
    return taken


if __name__ == "__main__":
    print(seconds(int(sys.argv[1])))
