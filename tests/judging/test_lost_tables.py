"""What a real restore showed counts more than what is simulated: of hash tables too."""

import msgspec
from signatures import variable

from restore_guard.build import Observation, Witness
from restore_guard.change.diffs import Diff
from restore_guard.judging.comparison import compare
from restore_guard.judging.evidence import outranked
from restore_guard.signature import GraphNode, ObjectGraph, Signature


def states(*names):
    """A model with a variable and objects that hold values and are no variables."""
    children = (("v", 1), *((name, number) for number, name in enumerate(names, 2)))
    nodes = (
        GraphNode("Net", None, children),
        GraphNode("Variable", 0),
        *(GraphNode("Table", state=True),) * len(names),
    )
    return Signature({}, (variable("v"),), ObjectGraph(nodes))


SEEN = Observation("restores", None, {"v": "v"}, (), (), ())


def lost(**seen):
    (compared,) = compare(states("words", "names", "steps"), states("names"), ("tf-checkpoint",), Diff({}))
    compared, told = outranked(compared, Witness({"tf-checkpoint": msgspec.structs.replace(SEEN, **seen)}))
    assert told == []
    return compared.outcomes["tf-checkpoint"].lost


def test_of_tables_that_were_looked_into_the_real_restore_says_whether_they_are_lost():
    assert lost() == ("words", "steps"), "none was looked into"
    assert lost(tables=("names", "words"), lost=("words",)) == ("words", "steps")
    assert lost(tables=("names", "words")) == ("steps",)
    assert lost(tables=("names", "words"), lost=("names",)) == ("steps", "names")
