"""In which situations a checkpoint meets a model, and which one decides; the pairs compare each with TensorFlow."""

import msgspec
import pytest
from signatures import graph, variable

from restore_guard.keras_tree import KerasTree, TreeNode
from restore_guard.restore_paths import judged, restore, same_promise
from restore_guard.restore_paths.outcome import Situation
from restore_guard.signature import Arrival, ObjectGraph, Signature, Stage

SERVED = Situation("trained", "untrained")


def compiled(layer, *, stages=True):
    """A layer in an attribute, and an optimizer that lists its kernel once it has a slot for it."""
    own = (("Model", None, {layer: 1, "optimizer": 2}), ("Dense", None, {"kernel": 3}))
    trained = graph(*own, ("Adam", None, {"list": 4, "slot": 5}), ("V", 0, {}), ("List", None, {"0": 3}), ("V", 1, {}))
    untrained = graph(*own, ("Adam", None, {"list": 4}), ("V", 0, {}), ("List", None, {}))
    tree = KerasTree(3, True, (TreeNode("Model", "layer", children=(("optimizer", 1),)), TreeNode("Adam", "optimizer")))
    return Signature(
        framework={},
        variables=(variable(f"{layer}/kernel"), variable("optimizer/slot")),
        object_graph=trained,
        keras_tree=tree,
        stages=(Stage("untrained", absent=(1,), object_graph=untrained, keras_tree=tree),) if stages else None,
    )


def test_a_layer_that_only_the_optimizer_reaches_keeps_its_value_where_nothing_is_trained():
    outcome = restore("tf-checkpoint", compiled("hidden"), compiled("body"))
    assert (outcome.kind, outcome.situation) == ("partial", SERVED)
    assert (outcome.initial, outcome.unused) == (("body/kernel",), ("hidden/kernel",))


def test_slots_that_nobody_takes_are_no_loss():
    outcome, before = judged("tf-checkpoint", compiled("hidden"), compiled("hidden", stages=True))
    assert (outcome.kind, before.kind) == ("restores", "restores")


@pytest.mark.parametrize("sides", [(False, True), (True, False), (False, False)])
def test_what_a_manifest_of_an_earlier_version_does_not_describe_is_not_judged(sides):
    saved, model = (compiled(layer, stages=stages) for layer, stages in zip(("hidden", "body"), sides, strict=True))
    assert restore("tf-checkpoint", saved, model).kind == "restores"


def test_a_promise_without_stages_is_the_same_as_one_with_them():
    assert same_promise(compiled("hidden"), compiled("hidden", stages=False), ["tf-checkpoint"])


def test_other_stages_are_another_promise():
    built = msgspec.structs.replace(compiled("hidden"), stages=())
    assert not same_promise(compiled("hidden"), built, ["tf-checkpoint"])


def lazy(*arrivals, unannounced=()):
    """A model whose layers `a` and `b` make their kernels in the first call."""
    nodes = graph(
        ("Model", None, {"a": 1, "b": 2}), ("A", None, {"k": 3}), ("B", None, {"k": 4}), ("V", 0, {}), ("V", 1, {})
    )
    stage = Stage("uncalled", arrivals=arrivals, unannounced=unannounced)
    return Signature(
        framework={},
        variables=(variable("a/k"), variable("b/k")),
        object_graph=nodes,
        stages=(stage,) if arrivals else (),
    )


@pytest.mark.parametrize(
    ("arrivals", "initial"),
    [
        ([Arrival(1, "k"), Arrival(2, "k")], ()),
        ([Arrival(1, "k", (1,)), Arrival(2, "k", (1,))], ("a/k",)),
        # The run within the other fails, then the other one; what is left arrives in the call itself.
        ([Arrival(1, "k", (1, 2)), Arrival(2, "k", (1, 2))], ("a/k", "b/k")),
    ],
)
def test_what_arrives_in_a_symbolic_run_is_lost_once_for_each_run(arrivals, initial):
    """As Keras 3 does with a model that has no `build`; `test_differential` compares it with Keras itself."""
    outcome = restore("tf-checkpoint", lazy(), lazy(*arrivals))
    assert outcome.initial == initial
    assert outcome.situation == (Situation("trained", "uncalled") if initial else Situation("trained", "trained"))


def test_an_edge_that_nobody_announces_is_never_looked_for_again():
    outcome = restore("tf-checkpoint", lazy(), lazy(Arrival(1, "k"), unannounced=((2, "k"),)))
    assert outcome.initial == ("b/k",)


def test_what_the_unchanged_model_loses_as_well_decides_nothing():
    both = lazy(Arrival(1, "k", (1,)), Arrival(2, "k", (1,)))
    assert restore("tf-checkpoint", both, msgspec.structs.replace(both)).kind == "restores"


@pytest.mark.parametrize("wrong", [{"arrivals": (Arrival(7, "k"),)}, {"absent": (7,)}, {"object_graph": ObjectGraph()}])
def test_a_stage_that_refers_to_what_is_not_there_is_refused(wrong):
    with pytest.raises(ValueError, match="exist|root"):
        msgspec.structs.replace(lazy(), stages=(Stage("uncalled", **wrong),))
