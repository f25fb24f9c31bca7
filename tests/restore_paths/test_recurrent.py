"""Weights of kernels for a GPU in legacy HDF5: what Keras 2 makes of them, told from the shape of a bias.

The shapes are those of its layers of 4 units on 3 features; the pairs compare what becomes of the values.
"""

import pytest
from signatures import graph, tree, variable

from restore_guard.restore_paths import restore
from restore_guard.signature import H5File, H5Layer, Holder, Signature

BIASES = {"LSTM": (16,), "CuDNNLSTM": (32,), "GRU": (2, 12), "CuDNNGRU": (24,)}


def recurrent(kind, bias=None, generation=2, wrapper=None):
    """A model of one recurrent layer, alone or in both directions."""
    layers = ["r"] if wrapper is None else ["r/forward_layer", "r/backward_layer"]
    gates = 4 if "LSTM" in kind else 3
    shapes = {"kernel": (3, 4 * gates), "recurrent_kernel": (4, 4 * gates), "bias": bias or BIASES[kind]}
    cells = [layer if kind.startswith("CuDNN") else f"{layer}/cell" for layer in layers]
    variables = tuple(variable(f"{cell}/{name}", shape) for cell in cells for name, shape in shapes.items())
    return Signature(
        framework={},
        variables=variables,
        object_graph=graph(("Model", None, {})),
        holders=tuple(Holder(layer, kind) for layer in layers),
        keras_tree=tree(generation, ("Model", "layer", (), [])),
        h5_file=H5File((H5Layer("r", wrapper or kind, tuple(range(len(variables)))), H5Layer("top", "Model"))),
    )


@pytest.mark.parametrize("path", ["h5", "h5-by-name"])
@pytest.mark.parametrize(
    ("saved", "loaded"), [("CuDNNLSTM", "LSTM"), ("LSTM", "CuDNNLSTM"), ("CuDNNGRU", "GRU"), ("GRU", "CuDNNGRU")]
)
@pytest.mark.parametrize("wrapper", [None, "Bidirectional"])
def test_kernels_for_a_gpu_become_plain_ones_and_back(path, saved, loaded, wrapper):
    old, new = recurrent(saved, wrapper=wrapper), recurrent(loaded, wrapper=wrapper)
    outcome = restore(path, old, new)
    assert (outcome.kind, outcome.initial, outcome.unused) == ("restores", (), ())
    pairs = zip(new.variables, old.variables, strict=True)
    assert outcome.converted == {to.path: (source.path,) for to, source in pairs}


def test_the_same_format_is_taken_as_it_is():
    outcome = restore("h5", recurrent("LSTM"), recurrent("LSTM"))
    assert (outcome.kind, dict(outcome.converted), len(outcome.assigned)) == ("restores", {}, 3)


def test_a_plain_gru_without_reset_after_is_refused():
    outcome = restore("h5", recurrent("CuDNNGRU"), recurrent("GRU", bias=(12,)))
    assert (outcome.kind, outcome.error) == ("raises", "CuDNNGRU is not compatible with GRU(reset_after=False)")


def test_keras_3_converts_nothing():
    outcome = restore("h5", recurrent("CuDNNLSTM", generation=3), recurrent("LSTM", generation=3))
    assert outcome.kind == "raises" and "Shape mismatch" in outcome.error


def test_a_subclass_is_not_known_to_keras():
    subclass = recurrent("LSTM")
    (layer, top) = subclass.h5_file.layers
    renamed = H5File((H5Layer("r", "MyLSTM", layer.variables), top))
    outcome = restore("h5", recurrent("CuDNNLSTM"), Signature(**{**_fields(subclass), "h5_file": renamed}))
    assert outcome.kind == "raises"


def _fields(signature):
    return {name: getattr(signature, name) for name in signature.__struct_fields__}
