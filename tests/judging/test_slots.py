"""Whose the slots of an optimizer are, and which of two optimizers' lists are the same."""

import msgspec
import pytest
from signatures import graph, variable

from restore_guard.judging.slots import same_lists, slots
from restore_guard.signature import H5File, H5Layer, Holder, Signature


def optimizer(trained, lists=("momentums",), *, path="optimizer", kind="Adam", told=True):
    """A model of Keras 2 with variables a, b and c, of which some are trained."""
    names = [f"{path}/{name}/{number}" for name in lists for number in range(len(trained))]
    return Signature(
        framework={},
        variables=tuple(map(variable, ["a", "b", "c", *names, f"{path}/iterations"])),
        object_graph=graph(("Model", None, {})),
        h5_file=H5File((H5Layer("layers", "Layer", (0, 1, 2)),)),
        holders=(Holder(path, kind, trained=tuple(trained) if told else ()),),
    )


def owners(signature):
    return {path: slot.variable for path, slot in slots(signature).items()}


def test_keras_2_tells_what_it_trains():
    assert owners(optimizer("ac")) == {"optimizer/momentums/0": "a", "optimizer/momentums/1": "c"}


def test_an_older_manifest_does_not_and_all_is_taken_to_be_trained():
    assert owners(optimizer("abc", told=False)) == {f"optimizer/momentums/{n}": name for n, name in enumerate("abc")}


def test_slots_may_be_smaller_where_there_is_one_for_each():
    whole = optimizer("ac", ("r",))
    smaller = [
        msgspec.structs.replace(item, shape=()) if item.path.startswith("optimizer/r") else item
        for item in whole.variables
    ]
    found = owners(msgspec.structs.replace(whole, variables=tuple(smaller)))
    assert found == {"optimizer/r/0": "a", "optimizer/r/1": "c"}


def test_what_is_trained_must_exist():
    with pytest.raises(ValueError, match="an optimizer trains x, which does not exist"):
        optimizer("ax")


@pytest.mark.parametrize(
    ("new", "renamed", "same"),
    [
        ({"lists": ("momentums", "hats")}, {}, {"momentums": "momentums"}),
        ({"lists": ("velocities",)}, {}, {"velocities": "momentums"}),
        ({"lists": ("velocities",), "kind": "RMSprop"}, {}, {}),
        ({"kind": "SGD"}, {}, {"momentums": "momentums"}),
        ({"path": "opt"}, {"opt": "optimizer"}, {"momentums": "momentums"}),
        ({"path": "optimizer/inner"}, {}, {"momentums": "momentums"}),
    ],
)
def test_lists_are_the_same_by_their_names(new, renamed, same):
    saved, model = optimizer("abc"), optimizer("abc", **new)
    found = same_lists(saved, model, slots(saved), slots(model), renamed)
    path = new.get("path", "optimizer")
    assert found == {f"{path}/{one}": f"optimizer/{other}" for one, other in same.items()}
