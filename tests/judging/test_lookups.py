"""Where hash tables and vocabularies of a checkpoint go in the model of today: pure, of signatures."""

import msgspec
import pytest
from signatures import graph, tree, variable

from restore_guard.judging.fit import Fit
from restore_guard.judging.lookups import place
from restore_guard.judging.placements import Plan, plan
from restore_guard.judging.route import NoRoute, Promise, Route
from restore_guard.promise.migrations import Migration, Rename
from restore_guard.signature import GraphNode, ObjectGraph, Signature


def tables(*edges):
    """A model with a variable and hash tables, each below its edges."""
    nodes, children = [GraphNode("Variable", 0)], [("v", 1)]
    for edge in edges:
        first, _, rest = edge.partition("/")
        children.append((first, len(nodes) + 1))
        if rest:
            nodes.append(GraphNode("Layer", None, ((rest, len(nodes) + 2),)))
        nodes.append(GraphNode("MutableHashTable", state=True))
    root = GraphNode("Net", None, tuple(children))
    return Signature({}, (variable("v"),), ObjectGraph((root, *nodes)))


def lookups(**layers):
    """A Keras model with a lookup layer below each attribute, which is called as the value says."""
    children = [(attribute, number) for number, attribute in enumerate(layers, 1)]
    found = tree(3, ("Model", "layer", (), children), *((name, "layer", (), ()) for name in layers.values()))
    nodes = [
        node if not number else msgspec.structs.replace(node, vocabulary="known")
        for number, node in enumerate(found.nodes)
    ]
    return Signature({}, (), graph(("Model", None, {})), keras_tree=msgspec.structs.replace(found, nodes=tuple(nodes)))


def placed(held, old, new, found=(), *, path="tf-checkpoint", edge=None, steps=()):
    route = Route(Promise(1, old), Fit("", edge), tuple(steps), Plan())
    return place(held, found, route, path, new)


def step(**said):
    rename = tuple(Rename(old, new) for old, new in said.pop("rename", {}).items())
    return Migration(1, 2, "names", rename=rename, **said)


def refused(*arguments, **more):
    with pytest.raises(NoRoute) as raised:
        placed(*arguments, **more)
    return str(raised.value)


def test_a_table_goes_where_it_was_or_where_a_migration_says():
    one, other = tables("words"), tables("lexicon")
    assert placed(one, one, one, ["words"]).tables == {"words": "words"}
    assert placed(one, one, other, ["words"], steps=[step(rename={"words": "lexicon"})]).tables == {"words": "lexicon"}
    moved = step(rename={"a/**": "b/**"})
    assert placed(one, tables("a/t"), tables("b/t"), ["a/t"], steps=[moved]).tables == {"a/t": "b/t"}
    below = placed(one, one, other, ["net/words"], edge="net", steps=[step(rename={"words": "lexicon"})])
    assert below.tables == {"net/words": "net/lexicon"} and below.beside == ()


def test_a_table_of_a_model_that_lies_deeper_goes_where_a_migration_says():
    one, other, edge = tables("words"), tables("lexicon"), "trainer/model"
    below = placed(one, one, other, [f"{edge}/words"], edge=edge, steps=[step(rename={"words": "lexicon"})])
    assert below.tables == {f"{edge}/words": f"{edge}/lexicon"} and below.beside == ()


def test_a_table_beside_the_model_goes_along_and_one_that_is_dropped_stays():
    one = tables("words")
    found = placed(one, one, one, ["net/words", "side"], edge="net", steps=[step(drop=("words",))])
    assert found.tables == {"side": "side"} and found.beside == ("side",) and found.dropped == ("net/words",)


def test_a_table_that_has_no_certain_place_is_refused():
    one, other = tables("words"), tables("lexicon")
    assert "the model of today has none at words: rename it" in refused(one, one, other, ["words"])
    assert "keras-weights never writes hash tables (words)" in refused(one, one, one, ["words"], path="keras-weights")
    numbered, more = tables("l/0"), tables("l/0", "m/1")
    assert placed(numbered, numbered, numbered, ["l/0"]).tables == {"l/0": "l/0"}
    assert "which is which cannot be told" in refused(numbered, numbered, more, ["l/0"])


def test_vocabularies_go_where_the_layers_are_the_same():
    one, two = lookups(look="words"), lookups(look="words", look_1="places")
    archive = {"path": "keras-archive"}
    assert placed(one, one, one, **archive).vocabularies == ("look",)
    assert placed(one, one, lookups(look="terms"), **archive).vocabularies == ("look",), "the only one"
    assert placed(two, two, two, **archive).vocabularies == ("look", "look_1")
    assert "which is which cannot be told" in refused(two, two, lookups(look="places", look_1="words"), **archive)
    assert "which is which cannot be told" in refused(one, one, two, **archive)
    assert "(none)" in refused(one, one, lookups(), **archive)
    assert "keras-weights never writes vocabularies (look)" in refused(one, one, one, path="keras-weights")
    left = placed(one, one, lookups(), **archive, steps=[step(drop=("look",))])
    assert left.vocabularies == () and left.dropped == ("look",)


def test_a_migration_may_name_them_and_must_not_name_what_is_not_there():
    one, other = tables("words"), tables("lexicon")
    named = plan(one, other, [step(rename={"words": "lexicon"})], strict=True)
    assert named.problems == ()
    (wrong,) = plan(one, other, [step(drop=("wrods",))], strict=True).problems
    assert wrong.message == '"wrods" matches no variable of the old model.'
