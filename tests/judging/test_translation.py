"""A file in a model's words, by hand-written signatures."""

import msgspec
from signatures import graph, model, module, variable

from restore_guard.judging.translation import in_words_of, root_edge
from restore_guard.promise import manifest
from restore_guard.promise.around import below, without
from restore_guard.promise.manifest import Manifest
from restore_guard.promise.pins import pin, unpinned
from restore_guard.restore_paths import restore
from restore_guard.signature import ObjectGraph, Signature


def paths(signature):
    return [variable.path for variable in signature.variables]


def test_what_restores_takes_the_name_of_the_model_and_the_rest_keeps_its_key():
    saved = Signature(
        framework={},
        variables=(variable("_operations/1/_kernel", (2, 3)), variable("_operations/2/_kernel", (4,))),
        object_graph=graph(("Object", None, {"a": 1, "b": 2}), ("Variable", 0, {}), ("Variable", 1, {})),
    )
    live = Signature(
        framework={},
        variables=(variable("dense/kernel", (2, 3), owner="Dense"),),
        object_graph=graph(("Model", None, {"a": 1}), ("Variable", 0, {})),
    )
    words = in_words_of(live, saved, "tf-checkpoint")
    assert paths(words) == ["dense/kernel", "operations/2/kernel"]
    assert words.variables[0].owner == "Dense"
    assert restore("tf-checkpoint", words, live).unused == ("operations/2/kernel",)


def test_what_a_path_never_writes_is_not_missing_in_a_file():
    live = msgspec.structs.replace(
        module(a=(2,), b=(3,)),
        object_graph=graph(("Module", None, {"a": 1}), ("Variable", 0, {})),
    )
    words = in_words_of(live, module(a=(2,)), "tf-checkpoint")
    assert paths(words) == ["a", "b"]


def _layers(names, role="layer"):
    variables = [variable(f"{name}/kernel", (2, 2), owner="Dense", owner_name=name) for name in names]
    nodes = [("Model", role, (), [(name, number) for number, name in enumerate("xyz"[: len(names)], 1)])]
    return model(3, variables, *nodes, *(("Dense", "layer", (number,), ()) for number in range(len(names))))


def _saved(names):
    layers = _layers(names)
    keyed = [
        msgspec.structs.replace(item, path=f"{key}/vars/0", owner=None)
        for key, item in zip("xyz", layers.variables, strict=False)
    ]
    return msgspec.structs.replace(layers, variables=tuple(keyed))


def test_names_that_a_file_keeps_tell_layers_that_changed_places():
    words = in_words_of(_layers(["key", "query"]), _saved(["query", "key"]), "keras-weights")
    assert paths(words) == ["query/kernel", "key/kernel"]


def test_layers_that_were_renamed_stay_where_they_are():
    words = in_words_of(_layers(["first", "query"]), _saved(["query", "key"]), "keras-weights")
    assert paths(words) == ["first/kernel", "query/kernel"]


def test_automatic_names_tell_nothing():
    words = in_words_of(_layers(["dense_1", "dense"]), _saved(["dense", "dense_1"]), "keras-weights")
    assert paths(words) == ["dense_1/kernel", "dense/kernel"]


def _below(edge, signature, **others):
    """A checkpoint of `tf.train.Checkpoint(edge=..., other=variable)`."""
    moved = below(signature, edge)
    root, *nodes = moved.object_graph.nodes
    count = len(nodes) + 1
    extra = graph(*(("Variable", len(moved.variables) + number, {}) for number in range(len(others))))
    edges = (*root.children, *((name, count + number) for number, name in enumerate(others)))
    return msgspec.structs.replace(
        moved,
        variables=(*moved.variables, *(variable(name, shape) for name, shape in others.items())),
        object_graph=ObjectGraph((msgspec.structs.replace(root, children=edges), *nodes, *extra.nodes)),
    )


def test_a_model_is_found_under_the_name_that_it_was_saved_by():
    live = module(a=(2,), b=(3,))
    assert root_edge(live, live) is None
    assert root_edge(_below("model", live), live) == "model"
    assert root_edge(module(c=(2,)), live) is None
    assert root_edge(_below("trainer/state/model", live, c=(2,)), live) == "trainer/state/model"
    # Also where what holds it has attributes of the same names, and where its own name has a slash.
    assert root_edge(_below("a", live, c=(1,)), live) == "a"
    assert root_edge(_below("one.Stwo", live), live) == "one.Stwo"


def test_what_is_around_a_model_is_set_apart():
    live = module(a=(2,), b=(3,))
    saved = _below("trainer/model", live, step=(), best=(2,))
    model, beside = without(saved, "trainer/model")
    assert (model, beside) == (below(live, "trainer/model"), ["step", "best"])
    assert without(live, None) == (live, [])


def test_a_pin_keeps_what_restores_and_survives_the_manifest():
    live = module(a=(2,), b=(3,), new=(1,))
    saved = _below("model", module(a=(2,), b=(3,), old=(4,)), step=())
    edge = root_edge(saved, live)
    words = in_words_of(below(live, edge), saved, "tf-checkpoint")
    pinned = pin(live, words, "tf-checkpoint", edge)
    assert pinned.variables == live.variables
    outcome = restore("tf-checkpoint", pinned, live)
    assert (outcome.initial, outcome.unused) == (("new",), ())
    # What is promised of the file is missed when it goes, and what it lacked is not.
    assert restore("tf-checkpoint", pinned, module(a=(2,), new=(1,))).unused == ("b",)
    kept = Manifest("m", ("tf-checkpoint",), pinned, pinned={"tf-checkpoint": "ckpt-7"})
    assert manifest.parse(manifest.dump(kept), "m.json") == kept


def test_a_file_that_cannot_be_loaded_is_no_promise():
    assert pin(module(a=(2,)), module(a=(3,)), "tf-checkpoint") is None


def test_a_pinned_path_takes_those_with_it_that_read_the_same():
    every = ["tf-checkpoint", "keras-weights", "h5", "h5-by-name", "keras-archive", "tf1-saver"]
    assert unpinned(every, ["tf-checkpoint"]) == every[1:]
    assert unpinned(every, ["h5"]) == ["tf-checkpoint", "keras-weights", "keras-archive", "tf1-saver"]
    assert unpinned(every, ["keras-weights"]) == ["tf-checkpoint", "h5", "h5-by-name", "tf1-saver"]
