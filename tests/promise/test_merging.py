"""Manifests joined from their texts: what one side changed is taken, what both changed otherwise is a conflict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signatures import module

from restore_guard.promise.manifest import Accepted, Broken, Manifest, dump, since
from restore_guard.promise.merging import MergeConflict, joined_history, merged

names = st.sets(st.sampled_from("abcdefgh"), max_size=4)


def promise(names, epoch=1, history=(), shape=(2,)):
    return Manifest("m", ("tf-checkpoint",), module(**dict.fromkeys(names, shape)), epoch, tuple(history))


def entry(epoch, reason):
    return Accepted(epoch, reason, {"tf-checkpoint": Broken("partial", initial=(reason,))})


def joined(*manifests):
    return merged(*map(dump, manifests), "m.json")


@given(names, names, names)
def test_what_either_side_added_or_took_away_is_so_in_the_result(base, ours, theirs):
    found = joined(promise(sorted(base)), promise(sorted(ours)), promise(sorted(theirs)))
    expected = {
        n
        for n in base | ours | theirs
        if (n in ours) + (n in theirs) + (n not in base) >= 2 or (n not in base and (n in ours or n in theirs))
    }
    assert {variable.path for variable in found.signature.variables} == expected
    assert {edge for edge, _ in found.signature.object_graph.nodes[0].children} == expected


@given(names, names)
def test_one_side_alone_is_taken_as_it_is(base, other):
    before, after = promise(sorted(base)), promise(sorted(other), 2, [entry(2, "why")])
    assert joined(before, after, before) == joined(before, before, after) == joined(before, after, after) == after


def test_new_entries_follow_what_they_followed():
    found = joined(promise("az"), promise("abz"), promise("acz"))
    assert [variable.path for variable in found.signature.variables] == ["a", "b", "c", "z"]


def test_the_same_changed_twice_is_a_conflict():
    with pytest.raises(MergeConflict, match="variables/a/shape was changed by both sides"):
        joined(promise("a"), promise("a", shape=(3,)), promise("a", shape=(4,)))


def test_both_histories_go_on():
    old, mine, other = entry(2, "old"), entry(3, "mine"), entry(3, "other")
    base = promise("a", 2, [old])
    found = joined(base, promise("a", 3, [old, mine]), promise("a", 3, [old, other]))
    assert (found.epoch, found.history) == (4, (old, mine, entry(4, "other")))
    # Whatever its number, an entry is the same: either side sees what the other has accepted.
    assert since(promise("a", 3, [old, mine]), found.history) == (entry(4, "other"),)
    assert since(promise("a", 3, [old, other]), found.history) == (mine,)


def test_a_picked_commit_brings_only_what_it_accepted_itself():
    branch, picked = entry(2, "branch"), entry(3, "picked")
    base, theirs = promise("a", 2, [branch]), promise("a", 3, [branch, picked])
    assert joined_history(base, promise("a"), theirs) == (2, (entry(2, "picked"),))
