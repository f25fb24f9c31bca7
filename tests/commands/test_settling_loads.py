"""What `update` accepts of losses in other models: pure, of signatures and manifests."""

import pytest
from signatures import module

from restore_guard.build import Build
from restore_guard.commands.settling import Promises
from restore_guard.commands.settling_loads import Into, Loader, settle_loads
from restore_guard.config import Config, Model
from restore_guard.promise.manifest import Manifest

PATHS = ("tf-checkpoint",)
BOTH, ONE, OTHER = module(a=(2,), b=(3,)), module(a=(2,)), module(z=(2,))
CONFIG = Config(models={"train": Model("t:b", loads=("serving",)), "serving": Model("s:b")})


def promise(name, signature, loads=()):
    return Manifest(name, PATHS, signature, loads=loads)


def settle(train, serving, reason=None, own=None):
    """`train` and `serving` are each (committed, built), committed None where there is nothing yet."""
    (before, model), (promised, built) = train, serving
    current = promise("train", before) if before else None
    loader = Loader("train", "train.json", CONFIG, Promises(current), own or current, model, PATHS)
    other = promise("serving", promised) if promised else None
    return settle_loads(loader, [Into("serving", Build(built), other, PATHS)], reason)


def told(settled):
    return [(finding.rule, finding.status) for finding in settled.breaks]


def test_what_restores_is_not_told():
    settled = settle((BOTH, BOTH), (BOTH, BOTH))
    assert (settled.accepted, settled.breaks, settled.notes) == ((), (), ())


@pytest.mark.parametrize("committed", [(BOTH, ONE), (None, None), (BOTH, None)])
def test_what_the_two_never_shared_is_told_and_refuses_nothing(committed):
    settled = settle((committed[0], BOTH), (committed[1], ONE))
    assert settled.accepted == () and told(settled) == [("variable-missing", "pre-existing")]


@pytest.mark.parametrize(("train", "serving"), [((ONE, ONE), (ONE, OTHER)), ((ONE, OTHER), (ONE, ONE))])
def test_a_loss_needs_a_reason_whichever_model_has_changed(train, serving):
    refused = settle(train, serving)
    assert refused.accepted is None and {status for _, status in told(refused)} == {"new"}
    settled = settle(train, serving, "on  purpose")
    (entry,) = settled.accepted
    assert (entry.into, entry.reason, [*entry.broken]) == ("serving", "on purpose", ["tf-checkpoint"])
    assert {status for _, status in told(settled)} == {"accepted"}
    # What the manifest on disk accepts needs no reason a second time, and stays as it is.
    again = settle(train, serving, own=promise("train", train[0], settled.accepted))
    assert again.accepted == settled.accepted and {status for _, status in told(again)} == {"accepted"}
    # Where nothing is lost any more, it is not accepted any more.
    assert settle((ONE, ONE), (ONE, ONE), own=promise("train", ONE, settled.accepted)).accepted == ()


def test_a_model_that_does_not_build_is_told():
    loader = Loader("train", "train.json", CONFIG, Promises(promise("train", ONE)), None, ONE, PATHS)
    settled = settle_loads(loader, [Into("serving", Build(failure="ValueError: x"), None, PATHS)], None)
    assert settled.notes == ("serving, into which its checkpoints are restored, could not be built",)
