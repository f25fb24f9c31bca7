"""The TF1 Saver on graphs small enough to see; the pairs compare it with a real Saver."""

import msgspec
from signatures import graph, module, variable

from restore_guard.restore_paths import default_paths, restore, same_promise
from restore_guard.saver_file import SaverEntry, SaverFile, SaverState
from restore_guard.signature import Signature


def saver(*named, error=None):
    """Args: (name, shape) of whole variables, or (name, part's shape, whole shape, offset)."""
    variables, entries = [], []
    for number, (name, shape, *part) in enumerate(named):
        whole, offset = part or (shape, ())
        variables.append(variable(f"{name}/part_{offset[0]}" if offset else name, shape))
        entries.append(SaverEntry(name, number, whole, offset))
    return Signature(
        framework={},
        variables=tuple(variables),
        object_graph=graph(("Graph", None, {})),
        saver_file=SaverFile(tuple(entries), error),
    )


W, B = ("layer/w", (4, 2)), ("layer/b", (2,))


def test_names_decide():
    outcome = restore("tf1-saver", saver(W, B), saver(B, W))
    assert (outcome.kind, outcome.assigned) == ("restores", {"layer/w": "layer/w", "layer/b": "layer/b"})


def test_a_name_that_is_not_in_the_file_raises():
    outcome = restore("tf1-saver", saver(W), saver(W, B))
    assert (outcome.kind, outcome.error) == ("raises", "Key layer/b not found in checkpoint")
    assert outcome.failures[0].model == ("layer/b",)


def test_a_name_that_is_only_in_the_file_is_dropped_in_silence():
    outcome = restore("tf1-saver", saver(W, B), saver(W))
    assert (outcome.kind, outcome.unused) == ("partial", ("layer/b",))


def test_another_shape_is_taken_in_silence_by_a_resource_variable():
    outcome = restore("tf1-saver", saver(W), saver(("layer/w", (4, 3))))
    assert (outcome.kind, outcome.reshaped) == ("restores", ("layer/w",))


def test_a_resource_variable_takes_a_value_of_another_rank_and_of_a_size_that_is_not_known():
    for shape in ((4, 2), (None, 2)):
        outcome = restore("tf1-saver", saver(("layer/w", (None,))), saver(("layer/w", shape)))
        assert (outcome.kind, outcome.certain) == ("restores", False)


def test_of_some_types_no_part_is_cut_otherwise():
    def cut(dtype, *offsets, size):
        made = saver(*(("layer/w", (size,), (6,), (offset,)) for offset in offsets))
        variables = tuple(msgspec.structs.replace(variable, dtype=dtype) for variable in made.variables)
        return msgspec.structs.replace(made, variables=variables)

    halves, thirds = ({"offsets": range(0, 6, size), "size": size} for size in (3, 2))
    for dtype, error in (("float16", "Dtype half not supported."), ("uint32", "Dtype uint32 not supported.")):
        saved, same, other = (cut(dtype, *parts["offsets"], size=parts["size"]) for parts in (halves, halves, thirds))
        assert restore("tf1-saver", saved, same).kind == "restores"
        assert (outcome := restore("tf1-saver", saved, other)).kind == "raises" and outcome.error == error
        whole = cut(dtype, 0, size=6)
        uncut = SaverFile((SaverEntry("layer/w", 0, (6,)),))
        assert restore("tf1-saver", whole, msgspec.structs.replace(whole, saver_file=uncut)).kind == "restores"
        assert restore("tf1-saver", saved, msgspec.structs.replace(whole, saver_file=uncut)).kind == "raises"
    floats = (cut("float32", *parts["offsets"], size=parts["size"]) for parts in (halves, thirds))
    assert restore("tf1-saver", *floats).kind == "restores"


def test_another_shape_raises_with_a_reference_variable():
    strict = msgspec.structs.replace(SaverEntry("layer/w", 0, (4, 3)), strict=True)
    model = msgspec.structs.replace(saver(("layer/w", (4, 3))), saver_file=SaverFile((strict,)))
    assert restore("tf1-saver", saver(W), model).kind == "raises"


def test_a_partitioned_variable_is_one_tensor():
    halves = [("layer/w", (2, 2), (4, 2), (0, 0)), ("layer/w", (2, 2), (4, 2), (2, 0))]
    outcome = restore("tf1-saver", saver(W), saver(*halves))
    assert outcome.kind == "restores"
    assert outcome.assigned == {"layer/w/part_0": "layer/w", "layer/w/part_2": "layer/w"}
    outcome = restore("tf1-saver", saver(*halves), saver(W))
    assert outcome.kind == "restores" and outcome.unused == ()


def test_a_table_of_a_graph_goes_by_its_name():
    """As TensorFlow 2.15 and 2.21 really do."""

    def tables(**held):
        made = saver(W)
        states = tuple(SaverState(name, f"string {kind}") for name, kind in held.items())
        return msgspec.structs.replace(made, saver_file=msgspec.structs.replace(made.saver_file, states=states))

    one = tables(words="int64 [] []")
    assert restore("tf1-saver", one, tables(words="int64 [] []")).kind == "restores"
    dropped = restore("tf1-saver", one, tables())
    assert (dropped.kind, dropped.lost) == ("restores", ("words",))
    added = restore("tf1-saver", tables(), one)
    assert (added.kind, added.error) == ("raises", "Key words-keys not found in checkpoint")
    assert added.initial == ("layer/w",), "nothing is assigned where something cannot be read"
    other = restore("tf1-saver", one, tables(words="float32 [] []"))
    assert other.error == "tensor_name = words-values; expected dtype float32 does not equal original dtype int64"
    assert restore("tf1-saver", one, tables(words="int64 [] [3]")).kind == "raises"
    assert not same_promise(one, tables(words="float32 [] []"), ["tf1-saver"])


def test_a_checkpoint_of_objects_is_read_by_the_names_of_its_variables():
    """As TensorFlow 2.15 and 2.21 really do; `commands/test_object_based.py` does it."""

    def by_full_name(signature):
        return msgspec.structs.replace(
            signature, saver_file=msgspec.structs.replace(signature.saver_file, by_full_name=True)
        )

    file = by_full_name(saver(W))
    assert restore("tf1-saver", file, saver(W)).kind == "restores"
    missing = restore("tf1-saver", file, saver(W, ("other", (2,))))
    assert (missing.kind, missing.error) == ("raises", "Existing variables not in the checkpoint: other")
    # Both parts are of one name, and the last one takes its place.
    halves = saver(("layer/w", (2, 2), (4, 2), (0, 0)), ("layer/w", (2, 2), (4, 2), (2, 0)))
    cut = restore("tf1-saver", file, halves)
    assert (cut.kind, cut.initial) == ("partial", ("layer/w/part_0",))


def test_only_a_graph_has_a_saver():
    assert restore("tf1-saver", module(a=(2,)), module(a=(2,))).kind == "unsupported"
    assert restore("tf1-saver", saver(W, error="At least two variables have the same name"), saver(W)).kind == (
        "unsupported"
    )
    assert default_paths(saver(W)) == ("tf1-saver",)
