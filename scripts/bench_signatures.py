"""Compares two signatures of as many variables as are asked for, by all restore paths; prints the seconds.

No model has all of them: a Keras model can promise five, a TF1-style graph is saved by tf1-saver alone.
"""

from __future__ import annotations

import sys
import time

import msgspec

from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.config import Config
from restore_guard.judging import findings
from restore_guard.judging.comparison import compare
from restore_guard.restore_paths import RESTORE_PATHS
from restore_guard.saver_file import SaverEntry, SaverFile
from restore_guard.signature import Archive, ObjectGraph, Revival, Signature

LAYERS_OF_A_BLOCK = 100
KERAS = ("tf-checkpoint", "keras-weights", "h5", "h5-by-name", "keras-archive")


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
    made, again = (msgspec.convert(plain | weights, Signature) for _ in range(2))
    # A saved configuration is made into a model of its own, as large as the one that the builder makes.
    return msgspec.structs.replace(made, archive=Archive(config=name, revival=Revival(again)))


def graph(count: int, name: str = "block_3") -> Signature:
    """The same variables in a TF1-style graph."""
    plain = signature(count, name)
    entries = [SaverEntry(item.path, at, item.shape) for at, item in enumerate(plain.variables)]
    return Signature(
        framework={},
        variables=plain.variables,
        holders=plain.holders,
        object_graph=ObjectGraph(error="a tf.Graph is no trackable object"),
        saver_file=SaverFile(tuple(entries)),
    )


def seconds(kind: str, count: int) -> float:
    """From two signatures of a "keras" model or a "graph" to findings, where one block was renamed."""
    make, paths = (graph, ("tf1-saver",)) if kind == "graph" else (signature, KERAS)
    saved, model = make(count), make(count, "renamed")
    revivals = {saved.archive.config: Revival(signature(count, "renamed"))} if saved.archive else {}
    old = "".join(f"line {number}\n" for number in range(200))
    diff = Diff({"model.py": FileDiff("model.py", old, old.replace("line 9\n", "renamed\n"))})
    begin = time.perf_counter()
    compared = compare(saved, model, paths, diff, revivals)
    found = findings.findings_of(compared, findings.Context("bench", "bench.json", Config()))
    taken = time.perf_counter() - begin
    broken = {path for finding in found for path in finding.restores}
    assert broken and "h5" not in broken and broken <= set(paths) and set(KERAS) | {"tf1-saver"} == set(RESTORE_PATHS)
    return taken


if __name__ == "__main__":
    print(seconds(sys.argv[1], int(sys.argv[2])))
