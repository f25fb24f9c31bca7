"""Legacy HDF5 on layers small enough to see; the pairs compare it with Keras itself."""

from signatures import graph, module, variable

from restore_guard.restore_paths import restore
from restore_guard.signature import H5File, H5Layer, Signature


def layers(*named, top=(), error=None):
    """Args: (layer's name, {variable's path: shape}); `top` are paths of the model's own weights."""
    variables, file = [], []
    for name, weights in [*named, ("top_level_model_weights", dict.fromkeys(top, (1,)))]:
        first = len(variables)
        variables += [variable(path, shape) for path, shape in weights.items()]
        file.append(H5Layer(name, "Dense", tuple(range(first, len(variables)))))
    return Signature(
        framework={},
        variables=tuple(variables),
        object_graph=graph(("Model", None, {})),
        h5_file=H5File(error=error) if error else H5File(tuple(file)),
    )


A, B, C = ("a", {"a/w": (2,)}), ("b", {"b/w": (3,)}), ("c", {"c/w": (2,)})
FLAT = ("flat", {})


def test_by_position_names_do_not_matter():
    outcome = restore("h5", layers(A, B), layers(C, FLAT, B))
    assert (outcome.kind, outcome.assigned) == ("restores", {"c/w": "a/w", "b/w": "b/w"})


def test_by_position_counts_must_agree():
    outcome = restore("h5", layers(A), layers(A, B))
    assert outcome.kind == "raises"
    assert outcome.error == (
        "Layer count mismatch when loading weights from file. Model expected 2 layers, found 1 saved layers."
    )


def test_by_position_shapes_must_agree():
    outcome = restore("h5", layers(A), layers(B))
    assert outcome.kind == "raises"
    assert outcome.failures[0].saved == ("a/w",) and outcome.failures[0].model == ("b/w",)


def test_by_name_what_is_not_found_is_silent():
    outcome = restore("h5-by-name", layers(A, B), layers(C, B))
    assert (outcome.kind, outcome.assigned) == ("partial", {"b/w": "b/w"})
    assert (outcome.initial, outcome.unused) == (("c/w",), ("a/w",))


def test_by_name_a_layer_without_weights_under_an_old_name_raises():
    outcome = restore("h5-by-name", layers(A), layers(("a", {})))
    assert outcome.kind == "raises"
    assert outcome.error.startswith("Weight count mismatch for layer #0 (named a). Layer expects 0 weight(s).")


def test_the_models_own_weights_must_agree():
    assert restore("h5", layers(A, top=["x"]), layers(A, top=["x"])).kind == "restores"
    assert "top-level" in restore("h5", layers(A, top=["x"]), layers(A)).error
    assert "top-level" in restore("h5-by-name", layers(A, top=["x"]), layers(A)).error


def test_a_file_that_cannot_be_written_is_unsupported():
    outcome = restore("h5", layers(A, error="Unable to create dataset (name already exists)"), layers(A))
    assert outcome.kind == "unsupported" and "already exists" in outcome.error


def test_only_a_keras_model_has_a_file():
    assert restore("h5", module(a=(2,)), module(a=(2,))).kind == "unsupported"
