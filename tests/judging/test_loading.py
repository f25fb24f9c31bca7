"""Checkpoints of one model restored into another: pure, of signatures and manifests."""

import msgspec
import pytest
from msgspec.structs import replace
from signatures import GOOD, module

from restore_guard.build import Build, Observation, Witness
from restore_guard.change.diffs import Diff
from restore_guard.config import Config, Model
from restore_guard.judging.case import Case, Target
from restore_guard.judging.judge import judge
from restore_guard.promise.manifest import AcceptedLoad, Broken, Manifest, Release, dump, parse

PATHS = ("tf-checkpoint",)
BOTH, ONE = module(a=(2,), b=(3,)), module(a=(2,))
CONFIG = Config(models={"train": Model("t:build", restores=PATHS, loads=("serving",)), "serving": Model("s:build")})


def case(train, serving, before=None, *, built=None, releases=(), loads=(), **more):
    """`train` and `serving` are each (base, head)."""
    target = Target("serving", built or Build(serving[1]), before or serving[0], PATHS, Diff({}))
    return Case(
        name="train",
        config=CONFIG,
        manifest_file="restore-manifest/train.json",
        head_build=Build(train[1]),
        base_build=Build(train[0]),
        head_manifest=Manifest("train", PATHS, train[1], loads=loads),
        base_manifest=Manifest("train", PATHS, train[0]),
        diff=Diff({}),
        releases=tuple(Release(("v1",), Manifest("train", PATHS, signature)) for signature in releases),
        targets=(target,),
        **more,
    )


def across(case):
    """(the first words of each finding, its status, the variables it is about)."""
    found = [finding for finding in judge(case).findings if "restored into serving" in finding.message]
    return [(finding.message.partition(":")[0], finding.status, finding.variables) for finding in found]


OLD, NEW = "Checkpoints of train restored into serving", "New checkpoints of train restored into serving"


def test_what_all_restores_says_so_and_gives_no_finding():
    result = judge(case((BOTH, BOTH), (BOTH, BOTH)))
    assert result.verdict == "restores" and result.findings == ()
    assert result.notes == (f"{OLD}: tf-checkpoint restores.",)


def test_what_the_two_never_shared_is_no_news():
    one = case((BOTH, BOTH), (ONE, ONE))
    assert across(one) == [(OLD, "pre-existing", ("b",))] and judge(one).verdict == "restores"
    new = case((BOTH, BOTH), (None, ONE))
    assert across(new) == [(OLD, "pre-existing", ("b",))], "the other model is new"


def test_a_change_of_the_other_model_breaks():
    one = case((BOTH, BOTH), (BOTH, ONE))
    assert across(one) == [(OLD, "new", ("b",))] and judge(one).verdict == "breaks"
    renamed = case((ONE, ONE), (ONE, module(z=(2,))))
    assert [status for _, status, _ in across(renamed)] == ["new"]


def test_a_change_of_the_model_itself_is_judged_for_what_it_saves_from_now_on():
    (lost,) = across(case((ONE, module(z=(2,))), (ONE, ONE)))
    assert lost[:2] == (NEW, "new")


def test_releases_count_too():
    found = across(case((BOTH, BOTH), (BOTH, BOTH), releases=[module(a=(7,), b=(3,))]))
    assert [said for said, _, _ in found] == ["Checkpoints of train of v1 restored into serving"]


def test_what_is_accepted_passes_and_only_that():
    broken = {"tf-checkpoint": Broken("partial", unused=("b",))}
    one = case((BOTH, BOTH), (BOTH, ONE), loads=(AcceptedLoad("serving", "pruned", broken),))
    assert across(one) == [(OLD, "accepted", ("b",))] and judge(one).verdict == "restores"
    other = case((BOTH, BOTH), (BOTH, ONE), loads=(AcceptedLoad("another", "pruned", broken),))
    assert judge(other).verdict == "breaks"
    content = dump(one.head_manifest)
    assert parse(content, "train.json", "train").loads == one.head_manifest.loads
    assert dump(parse(content, "train.json", "train")) == content


@pytest.mark.parametrize("target", [{"build": Build(failure="ValueError: x")}, {"restores": ("h5",)}])
def test_what_could_not_be_judged_is_unchecked(target):
    one = case((BOTH, BOTH), (BOTH, BOTH))
    result = judge(replace(one, targets=tuple(replace(each, **target) for each in one.targets)))
    assert result.verdict == "unchecked"
    assert any(note.startswith("Checkpoints of train are restored into serving, ") for note in result.notes)


def test_a_demanded_witness_is_demanded_here_too():
    one = case((BOTH, BOTH), (BOTH, module(a=(2,), b=(3,), c=(4,))), must_be_witnessed=True)
    assert judge(one).verdict in ("unchecked", "breaks")


def test_the_optimizer_of_either_is_missed_by_nobody():
    trained = msgspec.structs.replace(GOOD, archive=None, saver_file=None)
    assert judge(case((trained, trained), (trained, trained))).verdict == "restores"


@pytest.mark.parametrize("demanded", [False, True])
def test_a_real_restore_that_failed_is_told_and_not_green_where_it_was_demanded(demanded):
    asked = case((BOTH, BOTH), (BOTH, BOTH), must_be_witnessed=demanded)
    seen = Witness({"tf-checkpoint": Observation("restores", None, {"a": "a", "b": "b"}, (), (), ())})
    failed = replace(asked.targets[0], old=Witness(failures=("tf-checkpoint: OSError: disk full",)))
    result = judge(replace(asked, witness=seen, targets=(failed,)))
    assert f"{OLD}, not really tried: tf-checkpoint: OSError: disk full" in result.notes
    assert result.verdict == ("unchecked" if demanded else "restores")
