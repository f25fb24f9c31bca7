"""A manifest tells of the earlier stages of a model what was otherwise, and reads it back."""

import json

import msgspec
import pytest
from signatures import graph, variable

from restore_guard.keras_tree import KerasTree, TreeNode
from restore_guard.promise.manifest import Manifest, ManifestError, dump, parse
from restore_guard.signature import Arrival, H5File, H5Layer, Signature, Stage

OWN = (("Model", None, {"dense": 1, "optimizer": 2}), ("Dense", None, {"kernel": 3}))
TRAINED = graph(*OWN, ("Adam", None, {"slots": 4}), ("V", 0, {}), ("List", None, {"0": 5}), ("V", 1, {}))
UNTRAINED = graph(*OWN, ("Adam", None, {"slots": 4}), ("V", 0, {}), ("List", None, {}))
CHILDREN = (("dense", 1), ("optimizer", 2))


def tree(own, slots, built=True):
    model = TreeNode("Model", "layer", built=built, children=CHILDREN)
    return KerasTree(
        3, True, (model, TreeNode("Dense", "layer", variables=own), TreeNode("Adam", "optimizer", variables=slots))
    )


def h5(*own):
    return H5File((H5Layer("dense", "Dense", own), H5Layer("top_level_model_weights", "Model")))


SIGNATURE = Signature(
    framework={},
    variables=(variable("dense/kernel"), variable("optimizer/slots/0")),
    object_graph=TRAINED,
    keras_tree=tree((0,), (1,)),
    h5_file=h5(0),
    stages=(
        Stage("uncalled", arrivals=(Arrival(1, "kernel", (1,)),), keras_tree=tree((), (), built=False), h5_file=h5()),
        Stage("untrained", absent=(1,), object_graph=UNTRAINED, keras_tree=tree((0,), ()), h5_file=h5(0)),
    ),
)
MANIFEST = Manifest("m", ("tf-checkpoint",), SIGNATURE)


def test_the_stages_are_read_as_they_were_written():
    assert parse(dump(MANIFEST), "m.json").signature == SIGNATURE


def test_only_what_is_otherwise_is_written():
    stages = json.loads(dump(MANIFEST))["stages"]
    assert stages["untrained"] == {
        "absent": ["optimizer/slots/0"],
        "object_graph": {"optimizer/slots": {"type": "List"}, "optimizer/slots/0": None},
        "keras_tree": {"changes": {"optimizer": {"type": "Adam", "role": "optimizer"}}},
    }
    assert stages["uncalled"]["arrivals"] == [["dense", "kernel", [1]]]


def test_a_manifest_without_stages_is_of_an_earlier_version():
    document = json.loads(dump(MANIFEST))
    del document["stages"]
    assert parse(json.dumps(document).encode(), "m.json").signature.stages is None
    assert parse(dump(Manifest("m", (), msgspec.structs.replace(SIGNATURE, stages=()))), "m").signature.stages == ()


@pytest.mark.parametrize(
    ("stage", "wrong"),
    [
        ("uncalled", {"arrivals": [["nowhere", "kernel", []]]}),
        ("uncalled", {"arrivals": 3}),
        ("untrained", {"absent": ["nowhere"]}),
        ("untrained", {"object_graph": {"optimizer": 7}}),
        ("untrained", {"keras_tree": {"changes": {"dense": {"type": "Dense"}}}}),
        ("later", {}),
    ],
)
def test_a_stage_that_is_wrong_is_told(stage, wrong):
    document = json.loads(dump(MANIFEST))
    document["stages"][stage] = document["stages"].get(stage, {}) | wrong
    with pytest.raises(ManifestError):
        parse(json.dumps(document).encode(), "m.json")
