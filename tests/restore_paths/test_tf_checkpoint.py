"""tf.train.Checkpoint's matching on graphs small enough to see; the pairs compare it with TensorFlow itself."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from signatures import graph, module, variable

from restore_guard.restore_paths import restore, same_promise
from restore_guard.signature import GraphNode, ObjectGraph, Signature


def sig(variables, *nodes):
    return Signature(framework={}, variables=tuple(map(variable, variables)), object_graph=graph(*nodes))


def test_an_unchanged_object_restores():
    outcome = restore("tf-checkpoint", module(a=(2,), b=(3,)), module(a=(2,), b=(3,)))
    assert outcome.kind == "restores"
    assert outcome.assigned == {"a": "a", "b": "b"}


def test_a_renamed_attribute_is_silently_partial():
    outcome = restore("tf-checkpoint", module(a=(2,), b=(2,)), module(a=(2,), c=(2,)))
    assert (outcome.kind, outcome.initial, outcome.unused, outcome.error) == ("partial", ("c",), ("b",), None)


def test_another_shape_raises():
    outcome = restore("tf-checkpoint", module(a=(2,)), module(a=(3,)))
    assert outcome.kind == "raises"
    assert "(2,)" in outcome.error and "(3,)" in outcome.error


def test_another_dtype_raises():
    assert restore("tf-checkpoint", module(a=((2,), "float32")), module(a=((2,), "float16"))).kind == "raises"


def test_an_unknown_dimension_takes_any_size():
    assert restore("tf-checkpoint", module(a=(2, 7)), module(a=(None, 7))).kind == "restores"


def test_a_second_name_saves_a_renamed_attribute():
    # The optimizer's list reaches the variable although the model's attribute was renamed.
    saved = sig(["v"], ("Root", None, {"layer": 1, "list": 2}), ("Layer", 0, {}), ("List", None, {"0": 1}))
    now = sig(["v"], ("Root", None, {"renamed": 1, "list": 2}), ("Layer", 0, {}), ("List", None, {"0": 1}))
    assert restore("tf-checkpoint", saved, now).kind == "restores"


def test_the_first_binding_wins_breadth_first():
    # Saved once under two names; in the model they are two variables: the shallower one gets the value.
    saved = sig(["v"], ("Root", None, {"deep": 1, "near": 2}), ("Deep", None, {"v": 2}), ("Variable", 0, {}))
    now = sig(
        ["a", "b"],
        ("Root", None, {"deep": 1, "near": 3}),
        ("Deep", None, {"v": 2}),
        ("Variable", 0, {}),
        ("Variable", 1, {}),
    )
    outcome = restore("tf-checkpoint", saved, now)
    assert outcome.assigned == {"b": "v"}
    assert outcome.initial == ("a",)


def test_of_two_saved_values_for_one_variable_the_first_is_taken():
    saved = module(a=(2,), b=(2,))
    now = sig(["v"], ("Root", None, {"a": 1, "b": 1}), ("Variable", 0, {}))
    outcome = restore("tf-checkpoint", saved, now)
    assert (outcome.kind, outcome.assigned, outcome.unused) == ("partial", {"v": "a"}, ("b",))


def test_an_object_bound_without_a_value_is_not_bound_again():
    # `x` is looked at first and leads to an object without values: what was saved there stays unbound.
    saved = sig(["v"], ("Root", None, {"x": 1, "y": 1}), ("Layer", None, {"v": 2}), ("Variable", 0, {}))
    now = sig(
        ["v"], ("Root", None, {"x": 1, "y": 2}), ("Empty", None, {}), ("Layer", None, {"v": 3}), ("Variable", 0, {})
    )
    outcome = restore("tf-checkpoint", saved, now)
    assert (outcome.initial, outcome.unused) == (("v",), ("v",))


def test_slots_follow_their_variable_whichever_is_bound_last():
    def optimizer(edges):
        return sig(
            ["w", "m"],
            ("Root", None, edges),
            ("Variable", 0, {}),
            ("Adam", None, {}, [("m", 1, 3)]),
            ("Variable", 1, {}),
        )

    saved, now = optimizer({"w": 1, "opt": 2}), optimizer({"opt": 2, "w": 1})
    assert restore("tf-checkpoint", saved, now).kind == "restores"
    assert restore("tf-checkpoint", now, saved).assigned == {"w": "w", "m": "m"}


def test_seed_state_decides_nothing():
    saved = module(a=(2,))
    now = Signature(
        framework={},
        variables=(variable("a"), variable("seed", seed=True)),
        object_graph=graph(("Root", None, {"a": 1, "seed": 2}), ("Variable", 0, {}), ("Variable", 1, {})),
    )
    assert restore("tf-checkpoint", saved, now).kind == "restores"


def test_what_tensorflow_refuses_to_save_is_unsupported():
    broken = Signature(framework={}, variables=(), object_graph=ObjectGraph(error="Unable to save the object"))
    outcome = restore("tf-checkpoint", broken, module(a=(2,)))
    assert (outcome.kind, outcome.error) == ("unsupported", "Unable to save the object")


@st.composite
def graphs(draw):
    """Any rooted graph of objects, cycles and shared objects included; a third of them are variables."""
    count = draw(st.integers(1, 8))
    nodes, variables = [], 0
    for number in range(count):
        is_variable = number > 0 and draw(st.booleans())
        names = draw(st.lists(st.sampled_from("abcd"), unique=True, max_size=3))
        children = tuple((name, draw(st.integers(0, count - 1))) for name in names)
        nodes.append(GraphNode("Object", variables if is_variable else None, children))
        variables += is_variable
    listed = tuple(variable(f"v{number}", (draw(st.integers(1, 2)),)) for number in range(variables))
    return Signature(framework={}, variables=listed, object_graph=ObjectGraph(tuple(nodes)))


def reachable(signature):
    seen, queue = {0}, [0]
    for number in queue:
        for _, child in signature.object_graph.nodes[number].children:
            if child not in seen:
                seen.add(child)
                queue.append(child)
    return {
        signature.variables[node.variable].path
        for number in seen
        for node in [signature.object_graph.nodes[number]]
        if node.variable is not None
    }


@given(graphs())
def test_a_graph_restores_into_itself_as_far_as_it_is_reached(signature):
    outcome = restore("tf-checkpoint", signature, signature)
    assert set(outcome.assigned) == reachable(signature)
    assert all(new == old for new, old in outcome.assigned.items())


@given(graphs(), graphs())
def test_every_variable_is_accounted_for_once(saved, model):
    outcome = restore("tf-checkpoint", saved, model)
    names = [variable.path for variable in model.variables]
    assert sorted([*outcome.assigned, *outcome.initial]) == sorted(names)
    assert len(set(outcome.assigned.values())) == len(outcome.assigned)
    assert not set(outcome.unused) & set(outcome.assigned.values())


def test_a_legacy_optimizer_makes_the_slot_that_a_checkpoint_has():
    now = sig(["w"], ("Root", None, {"w": 1, "opt": 2}), ("Variable", 0, {}), ("Adam", None, {}, []))
    outcome = restore("tf-checkpoint", SLOTTED, now)
    assert (outcome.kind, outcome.initial, outcome.unused) == ("restores", (), ())


def test_a_slot_whose_variable_became_another_object_raises():
    now = sig([], ("Root", None, {"w": 1, "opt": 2}), ("Module", None, {}), ("Adam", None, {}, []))
    assert restore("tf-checkpoint", SLOTTED, now).error == "'Module' object has no attribute '_unique_id'"


SLOTTED = sig(
    ["w", "m"],
    ("Root", None, {"w": 1, "opt": 2}),
    ("Variable", 0, {}),
    ("Adam", None, {}, [("m", 1, 3)]),
    ("Variable", 1, {}),
)


def test_an_object_that_holds_state_and_reaches_nothing_is_lost():
    def tables(**edges):
        nodes = [GraphNode("Module", None, tuple((name, number) for number, name in enumerate(edges, 1)))]
        nodes += [GraphNode("Table", state=state) for state in edges.values()]
        return msgspec.structs.replace(module(a=(2,)), variables=(), object_graph=ObjectGraph(tuple(nodes)))

    saved = tables(words=True, names=True, other=False)
    assert restore("tf-checkpoint", saved, tables(words=True, names=True)).lost == ()
    assert restore("tf-checkpoint", saved, tables(words=True, known=True)).lost == ("names",)
    assert restore("tf-checkpoint", saved, tables(words=False, names=True)).lost == ("words",)
    assert restore("tf-checkpoint", tables(words=False), tables(known=True)).lost == ()
    typed = tables(words="string int64")
    assert restore("tf-checkpoint", typed, tables(words=True)).kind == "restores", "an older manifest names no types"
    outcome = restore("tf-checkpoint", typed, tables(words="string int32"))
    assert (outcome.kind, outcome.lost) == ("raises", ())
    assert (
        outcome.error
        == "tensor_name = words/.ATTRIBUTES/table-values; expected dtype int32 does not equal original dtype int64"
    )


# What TensorFlow 2.15 and 2.21 really do with tables of these rows: [] are the keys of a MutableHashTable.
@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("[] []", "[] []", "restores"),
        ("[] [3]", "[] [3]", "restores"),
        ("[] [3]", "[] [4]", "raises"),
        ("[] []", "[] [4]", "raises"),
        ("[] [1]", "[] []", "raises"),
        ("[] []", "[1] [1]", "raises"),
        ("[] [3]", "[1] [3]", "raises"),
        ("[1] [1]", "[] []", "restores"),
        ("[1] [1]", "[] [1]", "raises"),
        ("[1] [3]", "[] [3]", "raises"),
        ("[2] [1]", "[] []", "raises"),
        ("[1] [3]", "[1] [3]", "restores"),
        ("[1] [3]", "[1] [4]", "raises"),
        ("[2] [1]", "[3] [1]", "raises"),
        ("[2] [1]", "[1] [1]", "restores"),
        ("", "[] [3]", "restores"),
    ],
)
def test_a_table_takes_rows_of_its_own_shape(old, new, kind):
    saved, model = (holding(GraphNode("Table", state=f"int64 float32 {rows}".strip())) for rows in (old, new))
    assert restore("tf-checkpoint", saved, model).kind == kind


def test_a_table_and_a_variable_do_not_read_each_other():
    table, variable, module = GraphNode("Table", state="int64 int64 [] []"), GraphNode("Variable", 0), GraphNode("M")
    for saved, model, kind in (
        (table, variable, "raises"),
        (variable, table, "raises"),
        (table, module, "restores"),
        (variable, module, "partial"),
        (module, table, "restores"),
    ):
        assert restore("tf-checkpoint", holding(saved), holding(model)).kind == kind
    outcome = restore("tf-checkpoint", holding(table), holding(variable))
    assert outcome.error == "Key a/.ATTRIBUTES/VARIABLE_VALUE not found in checkpoint"
    assert outcome.failures[0].model == ("a",)


# What TensorFlow 2.15 and 2.21 really do with each of these where the other one was saved.
HELD = {"table": "string int64 [] []", "iterator": "iterator", "python": "python"}


@pytest.mark.parametrize("old", ["variable", *HELD])
@pytest.mark.parametrize("new", ["variable", *HELD])
def test_what_is_of_another_kind_finds_no_key_of_its_own(old, new):
    saved, model = (
        holding(GraphNode("Variable", 0) if kind == "variable" else GraphNode("Held", state=HELD[kind]))
        for kind in (old, new)
    )
    outcome = restore("tf-checkpoint", saved, model)
    # Python state is given whatever was saved under a single key, as a variable is.
    kind = "restores" if old == new else "partial" if (old, new) == ("variable", "python") else "raises"
    assert outcome.kind == kind
    if kind == "raises":
        assert (outcome.failures[0].saved, outcome.failures[0].model) == (("a",), ("a",))
        assert outcome.failures[0].refusal.what == "kind"


def test_a_table_of_other_keys_is_another_promise():
    kinds = ("string int64 [] []", "int64 int64 [] []", "string int64 [] [3]", "iterator", "python", False)
    models = [holding(GraphNode("Held", state=kind)) for kind in kinds]
    for one in models:
        assert [same_promise(one, other, ["tf-checkpoint"]) for other in models].count(True) == 1
        assert all(same_promise(one, other, ["keras-weights"]) for other in models)
    # Older manifests tell less.
    untold, unshaped = holding(GraphNode("Held", state=True)), holding(GraphNode("Held", state="string int64"))
    assert [same_promise(untold, other, ["tf-checkpoint"]) for other in models] == [True] * 5 + [False]
    assert [same_promise(unshaped, other, ["tf-checkpoint"]) for other in models[:3]] == [True, False, True]


def holding(node):
    """A module whose attribute `a` is this object."""
    made = module(a=(2,))
    variables = made.variables if node.variable is not None else ()
    own = ObjectGraph((GraphNode("Module", None, (("a", 1),)), node))
    return msgspec.structs.replace(made, variables=variables, object_graph=own)
