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


def pairs(saved, model):
    """{layer now: layer before}."""
    found = correspond(saved, model, EDITED).pairs()
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
