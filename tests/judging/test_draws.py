"""Two builds of one commit that differ: what is told, and which findings hold in spite of it."""

import pytest
from signatures import module

from restore_guard.build import Build, Observation, Witness
from restore_guard.change.diffs import Diff, FileDiff, Place
from restore_guard.config import Config, Model
from restore_guard.judging.case import Case
from restore_guard.judging.draws import drawn, is_suspicious
from restore_guard.judging.judge import judge
from restore_guard.promise.manifest import Manifest

CONFIG = Config(models={"m": Model(builder="m:build", restores=("tf-checkpoint",))})
EDITED = Diff({"m.py": FileDiff("m.py", "a = 1\n", "a = 2\n")})
BASE = module(red=(2,), blue=(2,))


def case(head, second=None, promise=None, base=BASE, diff=EDITED, **more):
    kept = Manifest("m", ("tf-checkpoint",), promise or base)
    builds = (Build(head), Build(base))
    return Case("m", CONFIG, "m.json", *builds, kept, kept, diff, second=second, **more)


def raised(judged):
    return {(finding.rule, finding.old, finding.new) for finding in judged.findings}


def test_alike_builds_say_nothing():
    assert drawn(case(BASE)) is None
    assert drawn(case(BASE, second=module(red=(2,), blue=(2,)))) is None


def test_a_verdict_that_depends_on_the_draw_is_unchecked():
    judged = judge(case(module(green=(2,), blue=(2,)), second=module(white=(2,), blue=(2,))))
    assert judged.verdict == "unchecked"
    # In either build `red` is lost, and under which name it comes back is a matter of chance.
    (told,) = [finding for finding in judged.findings if finding.rule == "nondeterministic-build"]
    assert told.level == "warning"
    assert told.message.startswith("Two builds of the same code differ: white in the one is green in the other.")
    assert "What tf-checkpoint restores is a matter of chance" in told.message


def test_a_break_that_is_in_both_builds_is_still_an_error():
    judged = judge(case(module(blue=(3,), one=(2,)), second=module(blue=(3,), other=(2,))))
    assert judged.verdict == "breaks"
    assert ("shape-changed", "blue (2,)", "blue (3,)") in raised(judged)
    assert "nondeterministic-build" in {rule for rule, *_ in raised(judged)}


def test_a_break_that_only_one_build_has_is_none():
    judged = judge(case(module(red=(2,), blue=(7,)), second=BASE))
    assert judged.verdict == "unchecked"
    assert raised(judged) == {("nondeterministic-build", "(2,) float32", "(7,) float32")}


def test_a_shape_that_is_drawn_is_no_break():
    judged = judge(case(module(red=(7,), blue=(2,)), second=module(red=(8,), blue=(2,))))
    assert judged.verdict == "unchecked"
    assert {rule for rule, *_ in raised(judged)} == {"nondeterministic-build"}


def test_the_line_is_that_which_leaves_it_to_chance():
    made = case(module(red=(2,), blue=(7,)), second=BASE, chances=(Place("m.py", 4),))
    (finding,) = judge(made).findings
    assert (finding.file, finding.line) == ("m.py", 4)


@pytest.mark.parametrize(
    ("made", "suspicious"),
    [
        (case(BASE), False),
        (case(BASE, chances=(Place("m.py", 4),)), True),
        (case(module(other=(2,)), diff=Diff({})), True),  # nothing changed
        (case(module(other=(2,))), False),  # something changed
        (case(BASE, promise=module(red=(2,), blue=(9,))), True),  # the base is not what its manifest says
    ],
)
def test_what_is_built_a_second_time(made, suspicious):
    assert is_suspicious(made) == suspicious


def test_a_witness_of_other_variables_is_suspicious():
    seen = Observation("restores", None, {"white": "red"}, (), (), ())
    assert is_suspicious(case(BASE, witness=Witness({"tf-checkpoint": seen})))
