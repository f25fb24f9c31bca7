"""What an optimizer beside the model keeps is placed only where it is sure whose it is."""

import msgspec
import pytest
from signatures import graph, variable

from restore_guard.judging.fit import Fit
from restore_guard.judging.optimizers import beside
from restore_guard.judging.placements import plan
from restore_guard.judging.route import Promise, Route
from restore_guard.promise.migrations import Migration, Rename
from restore_guard.signature import H5File, H5Layer, Signature

NAMES = ["a/k", "a/b", "b/k"]


def model(*names):
    layers = H5File((H5Layer("all", "Layer", tuple(range(len(names)))),))
    made = tuple(map(variable, names))
    return Signature(framework={}, variables=made, object_graph=graph(("Model", None, {})), h5_file=layers)


def file(*, trained=(0, 1, 2), kept=3, marks=("_iterations", "_variables"), slots=(), shape=(2,)):
    """A checkpoint of the model under `model`, with an optimizer that keeps `kept` momentums for what it trained."""
    momentums = [variable(f"opt/_momentums/{number}", shape) for number in range(kept)]
    variables = [*(variable(f"model/{name}") for name in NAMES), *momentums, variable("opt/_iterations", ())]
    counter, listed, first = 5, 3, 6  # the first node of a variable
    edges = {marks[0]: counter, marks[1]: listed, "_momentums": listed, "_trainable_variables": 4}
    nodes = graph(
        ("Checkpoint", None, {"model": 1, "opt": 2}),
        ("Model", None, {}),
        ("Adam", None, edges, *([slots] if slots else [])),
        ("List", None, {str(n): first + len(NAMES) + n for n in range(kept)}),
        ("List", None, {str(n): first + number for n, number in enumerate(trained)}),
        ("Variable", len(variables) - 1, {}),
        *(("Variable", number, {}) for number in range(len(variables) - 1)),
    )
    return Signature(framework={}, variables=tuple(variables), object_graph=nodes)


def found(held, new=None, **renamed):
    old, new = model(*NAMES), new or model(*NAMES)
    table = Migration(1, 2, "why", rename=tuple(Rename(f"{a}/**", f"{b}/**") for a, b in renamed.items()))
    fit = Fit("tf-checkpoint", "model", {name: f"model/{name}" for name in NAMES})
    (optimizer,) = beside(held, Route(Promise(1, old), fit, (table,), plan(old, new, [table])), new)
    return optimizer


def test_each_value_goes_with_its_variable():
    optimizer = found(file(), new=model("b/k", "x/k", "x/b"), a="x")
    assert optimizer.left is None and (optimizer.edge, optimizer.trains) == ("opt", "")
    assert [(name, value.path) for name, value in optimizer.counters] == [("_iterations", "opt/_iterations")]
    assert {slot.variable: slot.saved for slot in optimizer.slots} == {
        "x/k": "opt/_momentums/0",
        "x/b": "opt/_momentums/1",
        "b/k": "opt/_momentums/2",
    }


def test_an_optimizer_may_train_a_part():
    optimizer = found(file(trained=(0, 1), kept=2), new=model("b/k", "x/k", "x/b"), a="x")
    assert (optimizer.left, optimizer.trains) == (None, "x")
    assert {slot.variable for slot in optimizer.slots} == {"x/k", "x/b"}


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (file(trained=(0, 2), kept=2), "which part of the model it trains cannot be told"),
        (file(trained=(2, 1, 0)), "it trains the variables of the model in an order of its own"),
        (file(kept=2), "its list _momentums is not one for each variable of the model"),
        (file(shape=(3,)), "what it keeps is of other shapes than the variables of the model"),
        (file(slots=(("m", 6, 9),)), "it is a legacy optimizer, which only its own class can write"),
    ],
)
def test_what_nobody_can_place_stays_behind(held, why):
    optimizer = found(held)
    assert optimizer.left == why and "opt/_iterations" in optimizer.values and optimizer.slots == ()


def test_what_does_not_look_like_an_optimizer_is_none():
    held = file(marks=("steps", "values"))
    old = model(*NAMES)
    fit = Fit("tf-checkpoint", "model", {name: f"model/{name}" for name in NAMES})
    route = Route(Promise(1, old), fit, (), plan(old, old, []))
    assert beside(held, route, old) == ()
    assert beside(held, msgspec.structs.replace(route, fit=msgspec.structs.replace(fit, edge=None)), old) == ()
