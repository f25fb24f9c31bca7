"""Where each saved value goes, by migrations and by nothing else."""

import msgspec
import pytest
from signatures import graph, variable

from restore_guard.judging.placements import Placement, plan
from restore_guard.promise.migrations import Grow, Migration, Open, Rename
from restore_guard.signature import Holder, Signature


def model(*variables):
    """A signature of (path, further fields of a variable) or plain paths."""
    made = [variable(item) if isinstance(item, str) else variable(item[0], **item[1]) for item in variables]
    return Signature(framework={}, variables=tuple(made), object_graph=graph(("Module", None, {})))


def table(**fields):
    return Migration(fields.pop("old", 1), fields.pop("new", 2), "why", **fields)


def placed(old, new, *tables, strict=True):
    found = plan(old, new, tables, strict=strict)
    assert found.problems == ()
    return {item.variable: item.saved for item in found.placements}, found


def problems(old, new, *tables, strict=True):
    return [problem.message for problem in plan(old, new, tables, strict=strict).problems]


def test_what_is_not_named_stays_where_it_is():
    assert placed(model("a", "b"), model("b", "a"), table())[0] == {"a": "a", "b": "b"}


def test_a_renaming_moves_whole_branches():
    old, new = model("blocks/0/attn/q", "blocks/1/attn/q", "out"), model("blocks/0/x/q", "blocks/1/x/q", "out")
    rename = (Rename("blocks/*/attn/**", "blocks/*/x/**"),)
    moved = placed(old, new, table(rename=rename))[0]
    assert moved == {"blocks/0/x/q": "blocks/0/attn/q", "blocks/1/x/q": "blocks/1/attn/q", "out": "out"}


def test_two_may_be_exchanged():
    tables = table(rename=(Rename("a", "b"), Rename("b", "a")))
    assert placed(model("a", "b"), model("a", "b"), tables)[0] == {"a": "b", "b": "a"}


def test_what_was_shared_may_go_to_two_places():
    tables = table(rename=(Rename("s", "a"), Rename("s", "b")))
    assert placed(model("s"), model("a", "b"), tables)[0] == {"a": "s", "b": "s"}


def test_what_goes_and_what_is_new_are_named():
    found = placed(model("a", "aux/k"), model("a", "new/k"), table(drop=("aux/**",), initial=("new/**",)))
    assert found[0] == {"a": "a", "new/k": None}
    assert found[1].dropped == ("aux/k",)


def test_a_chain_is_followed_by_name():
    tables = (
        table(rename=(Rename("a/**", "b/**"),), initial=("fresh",)),
        table(old=2, new=3, rename=(Rename("b/**", "c/**"), Rename("fresh", "renewed")), drop=("gone",)),
    )
    found = placed(model("a/k", "gone"), model("c/k", "renewed"), *tables, strict=False)
    assert found[0] == {"c/k": "a/k", "renewed": None}
    assert found[1].dropped == ("gone",)


def test_growing_keeps_its_axis_through_a_chain():
    tables = (table(grow=(Grow("e", 0),)), table(old=2, new=3, grow=(Grow("e", 1, "zeros"),)))
    found = placed(model(("e", {"shape": (3, 4)})), model(("e", {"shape": (5, 6)})), *tables, strict=False)
    assert found[1].placements == (Placement("e", "e", ((0, "initial"), (1, "zeros"))),)


def test_the_state_of_random_generators_decides_nothing():
    seed = ("seed", {"seed": True, "dtype": "int64"})
    assert placed(model("a"), model("a", seed), table())[0] == {"a": "a", "seed": None}
    assert placed(model("a", seed), model("a"), table())[0] == {"a": "a"}


@pytest.mark.parametrize(
    ("old", "new", "fields", "message"),
    [
        (["a"], ["a", "b"], {}, "b is open: no saved value goes to it"),
        (["a", "b"], ["a"], {}, "b goes to no variable of the model"),
        (["a"], ["b"], {"rename": (Rename("a", "c"),)}, "a (now c) goes to no variable"),
        (["a", "b"], ["c"], {"rename": (Rename("a", "c"), Rename("b", "c"))}, "a and b both go to c"),
        (["a", "b"], ["b"], {"rename": (Rename("a", "b"),)}, "a and b both go to b"),
        (["a"], ["b"], {"rename": (Rename("a", "b"),), "drop": ("a",)}, "a is both renamed and dropped"),
        (["a"], ["a"], {"initial": ("a",)}, "a is in initial and gets the value of a"),
        (["a"], ["a"], {"drop": ("x/**",)}, '"x/**" matches no variable of the old model'),
        (["a"], ["a"], {"rename": (Rename("x", "y"),)}, '"x" matches no variable of the old model'),
        (["a"], ["a"], {"initial": ("x",)}, '"x" matches no variable of the new model'),
        (["a"], ["a"], {"cast": ("x",)}, '"x" matches no variable of the new model'),
        (["a"], ["a"], {"grow": (Grow("x", 0),)}, '"x" matches no variable of the new model'),
        (["a"], ["a"], {"grow": (Grow("a", 0),)}, "a does not grow"),
        (["a"], [("a", {"shape": (3,)})], {}, "a: shape (2,) is now (3,)"),
        ([("a", {"shape": (3,)})], ["a"], {"grow": (Grow("a", 0),)}, "(3,) is now (2,), which is not growing"),
        ([("a", {"shape": (3, 3)})], [("a", {"shape": (4, 4)})], {"grow": (Grow("a", 0),)}, "which is not growing"),
        (["a"], [("a", {"dtype": "float16"})], {}, "a was float32 and is now float16: list it in cast"),
        (["a"], [("a", {"dtype": "string"})], {"cast": ("a",)}, "cannot be converted"),
        (["a"], ["a"], {"open": (Open("drop", saved="a"),)}, "the saved value a is open: decide (drop)"),
    ],
)
def test_what_a_migration_leaves_open_or_contradicts_is_told(old, new, fields, message):
    assert message in "\n".join(problems(model(*old), model(*new), table(**fields)))


def optimised(*trained, optimizer="optimizer", groups=("momentums",)):
    """A model and an optimizer that keeps a slot for each of the variables, in that order."""
    paths = [path for path, _ in trained]
    slots = [(f"{optimizer}/{group}/{n}", shape) for group in groups for n, (_, shape) in enumerate(trained)]
    variables = [variable(path, shape) for path, shape in (*trained, *slots)]
    variables.append(variable(f"{optimizer}/iterations", (), "int64"))
    nodes = graph(
        ("Model", None, {optimizer: 1}),
        ("Adam", None, {"_trainable_variables": 2}),
        ("List", None, {str(n): 3 + n for n in range(len(paths))}),
        *(("Variable", n, {}) for n in range(len(paths))),
    )
    return Signature(framework={}, variables=tuple(variables), object_graph=nodes, holders=(Holder(optimizer, "Adam"),))


def test_slots_go_with_their_variables_whatever_their_order():
    old, new = optimised(("a", (2,)), ("b", (2,))), optimised(("y", (2,)), ("x", (2,)))
    moved = placed(old, new, table(rename=(Rename("a", "x"), Rename("b", "y"))))[0]
    assert moved["optimizer/momentums/0"] == "optimizer/momentums/1"
    assert moved["optimizer/momentums/1"] == "optimizer/momentums/0"
    assert moved["optimizer/iterations"] == "optimizer/iterations"


def test_slots_of_what_is_dropped_go_and_those_of_what_is_new_stay_as_they_are():
    old, new = optimised(("a", (2,)), ("b", (3,))), optimised(("c", (4,)), ("b", (3,)))
    moved, found = placed(old, new, table(drop=("a",), initial=("c",)))
    assert moved["optimizer/momentums/0"] is None
    assert moved["optimizer/momentums/1"] == "optimizer/momentums/1"
    assert found.dropped == ("a", "optimizer/momentums/0")


def test_slots_of_what_grew_grow_with_zeros():
    found = placed(optimised(("a", (2,))), optimised(("a", (4,))), table(grow=(Grow("a", 0, "mean"),)))[1]
    assert Placement("optimizer/momentums/0", "optimizer/momentums/0", ((0, "zeros"),)) in found.placements


def test_another_optimizer_is_named():
    old, new = optimised(("a", (2,))), optimised(("a", (2,)), groups=("velocities",))
    assert problems(old, new, table()) == [
        "optimizer/velocities/0 is open: no saved slot belongs to it. List optimizer/velocities/** in initial.",
        "optimizer/momentums/0 goes to no variable of the model: list optimizer/momentums/** in drop.",
    ]
    named = table(drop=("optimizer/momentums/**",), initial=("optimizer/velocities/**",))
    assert placed(old, new, named)[0]["optimizer/velocities/0"] is None


def test_an_optimizer_under_another_name_takes_its_slots_along():
    moved = placed(
        optimised(("a", (2,))),
        optimised(("a", (2,)), optimizer="opt"),
        table(rename=(Rename("optimizer/**", "opt/**"),)),
    )[0]
    assert moved["opt/momentums/0"] == "optimizer/momentums/0"


def test_lists_of_slots_are_dropped_by_the_name_that_they_had():
    rename, initial = (Rename("optimizer/**", "opt/**"),), ("opt/velocities/**",)
    old, new = optimised(("a", (2,))), optimised(("a", (2,)), optimizer="opt", groups=("velocities",))
    moved, found = placed(old, new, table(rename=rename, drop=("optimizer/momentums/**",), initial=initial))
    assert moved["opt/velocities/0"] is None
    assert found.dropped == ("optimizer/momentums/0",)
    message = "opt/momentums/0 goes to no variable of the model: list optimizer/momentums/** in drop."
    assert message in problems(old, new, table(rename=rename, initial=initial))


def test_slots_of_a_legacy_optimizer_are_named_after_their_variables():
    def legacy(name):
        signature = optimised((name, (2,)), groups=())
        nodes = graph(("Model", None, {name: 1}, [("m", 1, 2)]), ("Variable", 0, {}), ("Variable", 2, {}))
        variables = (*signature.variables, variable(f"optimizer/m/{name}"))
        return msgspec.structs.replace(signature, variables=variables, object_graph=nodes)

    moved = placed(legacy("a"), legacy("b"), table(rename=(Rename("a", "b"),)))[0]
    assert moved["optimizer/m/b"] == "optimizer/m/a"
