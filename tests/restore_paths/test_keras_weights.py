"""The walk of Keras on trees small enough to see; the pairs compare it with Keras itself."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from signatures import model, module, variable

from restore_guard.load_call import LoadCall
from restore_guard.restore_paths import keras_weights, restore, same_promise
from restore_guard.signature import Signature

W, B, C = variable("w"), variable("b"), variable("c")


def two(generation, first, second):
    """A model with two layers of one variable, under the attributes `first` and `second`."""
    return model(
        generation,
        [variable(f"{first}/w"), variable(f"{second}/w")],
        ("Model", "layer", [], [(first, 1), (second, 2)]),
        ("Dense", "layer", [0], []),
        ("Dense", "layer", [1], []),
    )


@pytest.mark.parametrize("generation", [2, 3])
def test_an_unchanged_model_restores(generation):
    assert restore("keras-weights", two(generation, "a", "b"), two(generation, "a", "b")).kind == "restores"


@pytest.mark.parametrize("generation", [2, 3])
def test_a_renamed_attribute_raises(generation):
    outcome = restore("keras-weights", two(generation, "a", "b"), two(generation, "a", "c"))
    assert outcome.kind == "raises"
    assert outcome.error.startswith("Layer 'dense' expected 1 variables, but received 0 variables during loading.")
    assert outcome.failures[0].model == ("c/w",)


def test_keras_3_forgives_where_a_later_address_fits():
    # The layer fails under its new name `a`, then loads under `b`, where the file has it.
    saved = model(3, [W], ("Model", "layer", [], [("b", 1)]), ("Dense", "layer", [0], []))
    now = model(3, [W], ("Model", "layer", [], [("a", 1), ("b", 1)]), ("Dense", "layer", [0], []))
    assert restore("keras-weights", saved, now).kind == "restores"


def test_keras_2_raises_at_once():
    saved = model(2, [W], ("Model", "layer", [], [("b", 1)]), ("Dense", "layer", [0], []))
    now = model(2, [W], ("Model", "layer", [], [("a", 1), ("b", 1)]), ("Dense", "layer", [0], []))
    assert restore("keras-weights", saved, now).kind == "raises"


def test_items_of_a_container_are_addressed_by_class_and_ordinal():
    items = (("dense", 1), ("conv", 2), ("dense", 3))
    saved = model(
        3,
        [W, B, C],
        ("Model", "layer", [], [("blocks", items)]),
        ("Dense", "layer", [0], []),
        ("Conv", "layer", [1], []),
        ("Dense", "layer", [2], []),
    )
    assert set(keras_weights.save(saved.keras_tree).groups) == {
        "",
        "blocks/dense",
        "blocks/conv",
        "blocks/dense_1",
    }


def test_only_keras_3_counts_a_visited_layer_in_a_container():
    def saved(generation):
        return model(
            generation,
            [W, B],
            ("Model", "layer", [], [("a", 1), ("layers", (("dense", 1), ("dense", 2)))]),
            ("Dense", "layer", [0], []),
            ("Dense", "layer", [1], []),
        )

    assert "layers/dense_1" in keras_weights.save(saved(3).keras_tree).groups
    assert "layers/dense" in keras_weights.save(saved(2).keras_tree).groups


def test_an_optimizer_of_another_size_is_skipped_in_silence():
    def compiled(*slots):
        return model(
            3,
            [W, *slots],
            ("Model", "layer", [0], [("optimizer", 1)]),
            ("Adam", "optimizer", range(1, 1 + len(slots)), []),
        )

    outcome = restore("keras-weights", compiled(variable("m")), compiled(variable("m"), variable("v")))
    assert (outcome.kind, outcome.initial, outcome.unused) == ("partial", ("m", "v"), ("m",))


def test_an_optimizer_without_a_name_that_is_to_be_skipped_raises_in_keras_2():
    def scaled(generation, *slots, name=None):
        nodes = ("Model", "layer", [0], [("optimizer", 1)]), ("LossScale", "optimizer", range(1, 1 + len(slots)), [])
        made = model(generation, [W, *slots], *nodes)
        root, optimizer = made.keras_tree.nodes
        nodes = root, msgspec.structs.replace(optimizer, name=name)
        return msgspec.structs.replace(made, keras_tree=msgspec.structs.replace(made.keras_tree, nodes=nodes))

    fewer, more = (variable("m"),), (variable("m"), variable("v"))
    error = "'LossScale' object has no attribute 'name'"
    assert restore("keras-weights", scaled(2, *fewer), scaled(2, *more)).error == error
    for generation, name in ((3, None), (2, "scale")):
        found = restore("keras-weights", scaled(generation, *fewer, name=name), scaled(generation, *more, name=name))
        assert found.kind == "partial"


def test_a_wrong_shape_raises():
    def dense(shape):
        return model(3, [variable("w", shape)], ("Model", "layer", [], [("a", 1)]), ("Dense", "layer", [0], []))

    outcome = restore("keras-weights", dense((2, 3)), dense((2, 4)))
    assert outcome.kind == "raises"
    assert "variable.shape=(2, 4), Received: value.shape=(2, 3)" in outcome.error


def test_another_dtype_is_cast_in_silence():
    def dense(dtype):
        return model(3, [variable("w", (2,), dtype)], ("Model", "layer", [], [("a", 1)]), ("Dense", "layer", [0], []))

    assert restore("keras-weights", dense("float32"), dense("float16")).kind == "restores"


def test_what_is_left_over_in_the_file_is_dropped_in_silence():
    saved = two(3, "a", "b")
    now = model(3, [variable("a/w")], ("Model", "layer", [], [("a", 1)]), ("Dense", "layer", [0], []))
    outcome = restore("keras-weights", saved, now)
    assert (outcome.kind, outcome.unused) == ("partial", ("b/w",))


def test_a_nested_container_missing_from_an_old_file_only_warns():
    nested = ((("container", (("dense", 1),)),),)
    now = model(3, [W], ("Model", "layer", [], [("blocks", nested[0])]), ("Dense", "layer", [0], []))
    old = model(3, [W], ("Model", "layer", [], []), ("Dense", "layer", [0], []), nests=False)
    outcome = restore("keras-weights", old, now)
    assert (outcome.kind, outcome.initial) == ("partial", ("w",))


def test_a_layer_with_code_of_its_own_is_not_certain():
    custom = model(3, [W], ("Model", "layer", [], [("a", 1)]), ("Mine", "custom", [0], []))
    assert not restore("keras-weights", custom, custom).certain
    assert restore("keras-weights", two(3, "a", "b"), two(3, "a", "b")).certain


def test_only_a_keras_model_has_weights_files():
    assert restore("keras-weights", module(a=(2,)), module(a=(2,))).kind == "unsupported"


ATTRIBUTES = st.sampled_from("abc")


@st.composite
def trees(draw):
    """Models whose objects hold each other in any way, in a circle too, in containers, at one address twice."""
    nodes = draw(st.integers(1, 5))
    targets = st.integers(0, nodes - 1)
    items = st.lists(st.tuples(ATTRIBUTES, targets), max_size=3).map(tuple)
    variables, made = [], []
    for number in range(nodes):
        held = [len(variables) + at for at in range(draw(st.integers(0, 2)))]
        variables += [variable(f"v{position}", dtype=draw(DTYPES)) for position in held]
        children = draw(st.lists(st.tuples(ATTRIBUTES, targets | items), max_size=3))
        role = draw(st.sampled_from(["layer", "optimizer", "stateless"])) if number else "layer"
        made.append(("Thing", role, held, children))
    return model(draw(st.sampled_from([2, 3])), variables, *made)


DTYPES = st.sampled_from(["float32", "float32", "bfloat16"])


@given(trees())
def test_loading_into_what_was_saved_takes_the_same_walk(signature):
    """Where nothing can go wrong the walk is left out: it must come to the same as the walk into an equal model."""
    equal = msgspec.convert(msgspec.to_builtins(signature), Signature)
    short, walked = keras_weights.load(signature, signature), keras_weights.load(signature, equal)
    assert (short.kind, short.initial, short.unused) == (walked.kind, walked.initial, walked.unused)
    # What Python says of a circle depends on where in it the stack ends.
    assert [(failure.message[:20], failure.model) for failure in short.failures] == [
        (failure.message[:20], failure.model) for failure in walked.failures
    ]
    assert dict(short.assigned) == dict(walked.assigned)
    assert dict(short.saved_addresses) == dict(walked.saved_addresses)
    assert all(short.model_addresses[name] == walked.model_addresses[name] for name in short.assigned)


@pytest.mark.parametrize("generation", [2, 3])
def test_a_load_call_that_skips_goes_on_and_what_it_skips_is_lost(generation):
    now = two(generation, "a", "c")
    skipping = msgspec.structs.replace(now, load=LoadCall(skips=("keras-weights",)))
    outcome = restore("keras-weights", two(generation, "a", "b"), skipping)
    assert (outcome.kind, outcome.initial, outcome.unused) == ("partial", ("c/w",), ("b/w",))
    assert not same_promise(now, skipping, ["keras-weights"]) and same_promise(now, skipping, ["tf-checkpoint"])
