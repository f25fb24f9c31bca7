"""Which variable is which: equal layers that moved between containers."""

from signatures import graph, variable

from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.judging.correspondence import correspond
from restore_guard.plain_data import Site
from restore_guard.signature import Signature

EDITED = Diff({"model.py": FileDiff("model.py", "self.cells = [Dense(4)]\n", "self.cells = [[Dense(4)]]\n")})


def cells(*places, order=None):
    """Layers below these paths, all created at one line, in this order or another one."""
    numbers = order or range(len(places))
    return Signature(
        framework={},
        variables=tuple(
            variable(f"{place}/{name}", owner="Dense", site=Site("model.py", 1, number))
            for place, number in zip(places, numbers, strict=True)
            for name in ("kernel", "bias")
        ),
        object_graph=graph(("Model", None, {})),
    )


def pairs(saved, model, diff=EDITED):
    """{layer now: layer before}."""
    found = correspond(saved, model, diff).pairs()
    return {new.rpartition("/")[0]: old.rpartition("/")[0] for new, old in found}


FLAT = tuple(f"grid/cells/{number}" for number in range(4))
NESTED = ("grid/cells/0/0", "grid/cells/0/1", "grid/cells/1/0", "grid/cells/1/1")


def test_a_place_in_a_list_is_none_in_a_list_of_lists():
    assert pairs(cells(*FLAT), cells(*NESTED)) == dict(zip(NESTED, FLAT, strict=True))
    assert pairs(cells(*NESTED), cells(*FLAT)) == dict(zip(FLAT, NESTED, strict=True))


def test_the_order_of_creation_counts_and_not_that_of_the_list():
    now = cells(*NESTED, order=(3, 2, 1, 0))
    assert pairs(cells(*FLAT), now) == dict(zip(NESTED, reversed(FLAT), strict=True))


def test_names_that_the_user_chose_from_a_list():
    named = ("grid/first", "grid/second", "grid/third", "grid/last")
    assert pairs(cells(*FLAT), cells(*named)) == dict(zip(named, FLAT, strict=True))


def norms(*names):
    """Normalizations below these names, each created at a line of its own, as they stand in the list."""
    held = {
        f"{name}/{part}": variable(f"{name}/{part}", owner="LayerNormalization", site=Site("model.py", line, 0))
        for line, name in enumerate(names, 2)
        for part in ("gamma", "beta")
    }
    return Signature(
        framework={},
        variables=tuple(held[path] for path in sorted(held)),
        object_graph=graph(("Model", None, {})),
    )


def test_layers_that_are_alike_and_renamed_at_once_go_by_their_lines():
    """A model's variables come by their names, which the change has put in another order."""
    assert pairs(norms("before", "later"), norms("second", "final")) == {"second": "before", "final": "later"}


def made_by(*lines):
    """The text of a file, and layers that Keras has named by the order of these lines, which create them."""
    names = ["dense" + (f"_{number}" if number else "") for number in range(len(lines))]
    made = [
        variable(f"{name}/kernel", owner="Dense", site=Site("model.py", line, 0)) for line, name in enumerate(names, 1)
    ]
    return "\n".join(lines), Signature(framework={}, variables=tuple(made), object_graph=graph(("Model", None, {})))


def test_a_line_that_has_moved_counts_more_than_a_name_that_keras_gave():
    old, saved = made_by("gate = Dense(3, a)", "value = Dense(3, b)", "key = Dense(3, c)")
    new, model = made_by("gate = Dense(3, a)", "key = Dense(3, c)", "query = Dense(3, d)", "value = Dense(3, b)")
    diff = Diff({"model.py": FileDiff("model.py", old, new)})
    assert pairs(saved, model, diff) == {"dense": "dense", "dense_1": "dense_2", "dense_3": "dense_1"}


def test_the_first_line_of_a_longer_call_says_nothing():
    old, saved = made_by("key = Dense(", "gate = Dense(1)", "value = Dense(2)")
    new, model = made_by("gate = Dense(1)", "value = Dense(2)", "key = Dense(")
    found = correspond(saved, model, Diff({"model.py": FileDiff("model.py", old, new)}))
    assert not found.is_sure("dense_2/kernel")
