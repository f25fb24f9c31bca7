"""A migration that is edited after it was committed: what it did with old checkpoints it does after the change."""

import pytest
from signatures import module, variable

from restore_guard.build import Build
from restore_guard.change.diffs import Diff
from restore_guard.config import Config, Model
from restore_guard.judging.case import Case
from restore_guard.judging.judge import judge
from restore_guard.promise import migrations
from restore_guard.promise.manifest import Accepted, Broken, Earlier, Manifest, Release
from restore_guard.result import Migrated
from restore_guard.signature import GraphNode, ObjectGraph, Signature

OLD, NEW = module(a=(2,), b=(3,)), module(first=(2,), b=(3,))
PATHS = ("tf-checkpoint",)
HISTORY = (Accepted(2, "names", {"tf-checkpoint": Broken("partial", ("first",), ("a",))}),)
HELD = """\
[[migration]]
from = 1
to = 2
reason = "names"
rename = [{ from = "a", to = "first" }]
"""
AGAIN = HELD.replace("from = 1", "from = 2").replace("to = 2", "to = 3").replace('"a", to = "first"', '"b", to = "c"')
CONFIG = Config(models={"m": Model("m:build", restores=PATHS)})


def parsed(text):
    return migrations.parse(text.encode(), "m.migrations.toml") if text is not None else None


def judged(before, after, old=OLD, new=NEW, history=HISTORY, **known):
    """The verdict on a change of the migrations alone."""
    promised = Manifest("m", PATHS, new, len(history) + 1, history)
    case = Case(
        "m", CONFIG, "m.json", Build(new), Build(new), promised, promised, Diff({}),
        base_migrations=parsed(before), head_migrations=parsed(after), **known,
    )  # fmt: skip
    return judge(case)


def told(result):
    found = [finding for finding in result.findings if finding.rule == "migration-invalid"]
    assert all(finding.status not in ("accepted", "migrated") for finding in found)
    return [(finding.line, finding.message) for finding in found]


def invalid(before, after):
    """What is said where a release is of epoch 1."""
    return told(judged(before, after, releases=(Release(("v1",), Manifest("m", PATHS, OLD)),)))


SAID = "Checkpoints of v1 got across before this change, and no longer do: "


@pytest.mark.parametrize(
    ("after", "line", "why"),
    [
        (None, 1, "a migration on their way is gone."),
        (HELD.replace('rename = [{ from = "a", to = "first" }]\n', ""), 1, "a goes to no variable of the model"),
        (HELD.replace('"first" }', '"first" }, { from = "b", to = "first" }'), 5, "a and b both go to first"),
    ],
)
def test_what_no_longer_carries_a_release_fails(after, line, why):
    ((at, message),) = invalid(HELD, after)
    assert at == line and message.startswith(SAID + why), (at, message)


def test_what_carries_it_as_before_or_never_did_is_no_ones_fault():
    assert invalid(HELD, HELD) == []
    assert invalid(HELD, "# reviewed\n" + HELD) == []
    assert invalid(HELD, HELD + AGAIN) == []
    assert invalid(None, None) == [] and invalid(None, HELD) == []
    spoilt = HELD.replace('"first"', '"b"')
    assert invalid(spoilt, spoilt + "# more\n") == []


ALIKE, EXCHANGED = module(a=(2,), b=(2,), c=(2,)), module(x=(2,), y=(2,), c=(2,))
TWO = """\
[[migration]]
from = 1
to = 2
reason = "names"
rename = [
    { from = "a", to = "x" },
    { from = "b", to = "y" },
]
"""
OTHERWISE = "Checkpoints of epoch 1 (since 1234567) got across otherwise before this change: "


def edited(before, after, old=ALIKE, new=EXCHANGED, history=HISTORY):
    """What is said where git's history has a manifest of epoch 1, and there are no releases."""
    known = (Earlier("epoch 1 (since 1234567)", Manifest("m", PATHS, old)),)
    result = judged(before, after, old, new, history, earlier=known)
    found = told(result)
    assert result.verdict == ("breaks" if found else "restores"), result.notes
    return found


def test_values_that_go_elsewhere_are_told_at_the_line_that_sends_them():
    first, second = edited(TWO, TWO.replace('"x"', '"_"').replace('"y"', '"x"').replace('"_"', '"y"'))
    assert (first[0], second[0]) == (7, 6)
    assert first[1].startswith(f"{OTHERWISE}x got the value of a, and now gets that of b. Take the edit back")
    assert second[1].startswith(f"{OTHERWISE}y got the value of b, and now gets that of a. ")


def test_the_line_is_of_the_entry_and_of_the_table_where_entries_are_gone():
    lost = TWO.replace('    { from = "b", to = "y" },\n', "") + 'drop = ["b"]\ninitial = ["y"]\n'
    ((line, said),) = edited(TWO, lost)
    assert (line, said.startswith(f"{OTHERWISE}y got the value of b, and now keeps its initial one.")) == (8, True)
    ((line, said),) = edited(lost, TWO)
    assert (line, said.startswith(f"{OTHERWISE}y kept its initial value, and now gets the value of b.")) == (7, True)
    same = module(a=(2,), b=(2,), c=(2,))
    ((line, _), *_) = edited(TWO.replace("x", "b").replace("y", "a"), "\n" + TWO.partition("rename")[0], new=same)
    assert line == 2


def test_new_rows_that_are_filled_otherwise_are_told():
    grown = TWO.partition("rename")[0] + 'grow = [{ variable = "a", axis = 0, fill = "zeros" }]\n'
    ((line, said),) = edited(grown, grown.replace("zeros", "mean"), module(a=(2,)), module(a=(3,)))
    assert line == 5 and f"{OTHERWISE}a grew by zeros along axis 0, and now by mean along axis 0." in said


@pytest.mark.parametrize(
    "after",
    [
        TWO.replace('"names"', '"the names of the paper"'),
        "# reviewed\n" + TWO.replace('"x" },', '"x" }, # as in the paper'),
        TWO.replace('    { from = "a", to = "x" },\n', "").replace('"y" },', '"y" }, { from = "a", to = "x" },'),
        # It says more, and does the same.
        TWO.replace('"y" },', '"y" },\n    { from = "c", to = "c" },'),
    ],
    ids=["reason", "comments", "order", "no effect"],
)
def test_what_changes_no_value_is_no_fault(after):
    assert edited(TWO, after) == []


def test_what_was_open_holds_when_it_is_decided():
    undecided = TWO.replace('    { from = "b", to = "y" },\n', "")
    undecided += 'open = [\n    { saved = "b", choose = "drop" },\n    { variable = "y", choose = "initial" },\n]\n'
    assert edited(undecided, TWO) == []
    ((line, said),) = edited(undecided, TWO.replace('"y"', '"z"'))[:1]
    assert (line, said) == (
        7,
        "The migration does not hold: b (now z) goes to no variable of the model: rename it, or list it in drop.",
    )
    assert edited(undecided, undecided.replace('    { variable = "y", choose = "initial" },\n', ""))
    assert edited(undecided, undecided.replace("names", "new names")) == []


def test_what_a_real_checkpoint_shows_of_a_decided_migration_counts():
    undecided = TWO.replace('    { from = "b", to = "y" },\n', "") + 'open = [{ saved = "b", choose = "?" }]\n'
    label = "epoch 1 (since 1234567)"
    known = (Earlier(label, Manifest("m", PATHS, ALIKE)),)
    simulated = judged(undecided, TWO, ALIKE, EXCHANGED, earlier=known)
    assert any("was not tried on a real checkpoint" in note for note in simulated.notes)
    seen = {label: {"tf-checkpoint": Migrated("partial", "witnessed", "x holds another value")}}
    result = judged(undecided, TWO, ALIKE, EXCHANGED, earlier=known, carried_earlier=seen)
    assert told(result) == [
        (1, f"tf-checkpoint: a migrated checkpoint of {label} does not restore completely: x holds another value")
    ]
    assert not any("was not tried" in note for note in result.notes)


def test_a_migration_that_is_written_later_holds_too():
    assert edited(None, TWO) == []
    assert len(edited(None, TWO.replace('"y"', '"z"'))) == 2


def test_a_chain_is_told_where_it_was_edited():
    history = (*HISTORY, Accepted(3, "again", {"tf-checkpoint": Broken("partial", ("u",), ("x",))}))
    later = """\

[[migration]]
from = 2
to = 3
reason = "again"
rename = [
    { from = "x", to = "u" },
    { from = "y", to = "v" },
]
"""
    new = module(u=(2,), v=(2,), c=(2,))
    swapped = later.replace('"u"', '"_"').replace('"v"', '"u"').replace('"_"', '"v"')
    found = edited(TWO + later, TWO + swapped, new=new, history=history)
    assert [(line, said.removeprefix(OTHERWISE)[:45]) for line, said in found] == [
        (16, "u got the value of a, and now gets that of b."),
        (15, "v got the value of b, and now gets that of a."),
    ]


def test_an_edit_that_nobody_can_judge_is_not_green():
    result = judged(TWO, TWO.replace('"a"', '"b"'), ALIKE, EXCHANGED)
    assert result.verdict == "unchecked" and not told(result)
    (note,) = [note for note in result.notes if "edited" in note]
    assert note.startswith("The migration from epoch 1 to 2 is edited and cannot be judged: git's history has no")
    assert judged(TWO, TWO.replace("names", "more names"), ALIKE, EXCHANGED).verdict == "restores"


def tables(*names):
    """A model with a variable and hash tables."""
    children = (("v", 1), *((name, number) for number, name in enumerate(names, 2)))
    nodes = (
        GraphNode("Net", None, children),
        GraphNode("Variable", 0),
        *(GraphNode("Table", state=True),) * len(names),
    )
    return Signature({}, (variable("v"),), ObjectGraph(nodes))


def test_hash_tables_go_where_they_went():
    swapped = TWO.replace('"x"', '"_"').replace('"y"', '"x"').replace('"_"', '"y"')
    first, second = edited(TWO, swapped, tables("a", "b"), tables("x", "y"))
    assert first[1].startswith(f"{OTHERWISE}what is in a went to x, and now goes to y. ") and first[0] == 6
    assert second[1].startswith(f"{OTHERWISE}what is in b went to y, and now goes to x. ") and second[0] == 7
