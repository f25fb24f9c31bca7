"""Unchanged code with other packages may restore otherwise: it is tried, and untried it is not taken for certain."""

import pytest
from msgspec.structs import replace
from signatures import model, variable

from restore_guard.build import Build
from restore_guard.change.diffs import Diff
from restore_guard.config import Config, Model
from restore_guard.judging.case import Case, not_worth_a_witness
from restore_guard.judging.draws import is_suspicious
from restore_guard.judging.judge import judge
from restore_guard.promise.manifest import Manifest

PATHS = ("keras-weights",)


def net(role, *names):
    nodes = (("Net", "layer", (), [("dense", 1)]), ("Own", role, (0,), ()))
    return model(3, (variable(names[0] if names else "dense/kernel"),), *nodes)


def case(built, **more):
    promise = Manifest("m", PATHS, built)
    config = Config(models={"m": Model("m:build", restores=PATHS)})
    return Case("m", config, "m.json", Build(built), Build(built), promise, promise, Diff({}), apart=True, **more)


@pytest.mark.parametrize(("one_python", "verdict"), [(True, "restores"), (False, "unchecked")])
def test_code_that_is_not_simulated_is_certain_only_where_nothing_changed(one_python, verdict):
    assert judge(case(net("custom"), one_python=one_python)).verdict == verdict
    assert judge(case(net("layer"), one_python=one_python)).verdict == "restores"


def test_a_witness_is_worth_it_where_only_the_packages_changed():
    assert not_worth_a_witness(case(net("layer"))) == "nothing has changed that a model is made of"
    assert not_worth_a_witness(case(net("layer"), one_python=False)) is None


def test_what_other_packages_build_otherwise_is_no_chance():
    apart = replace(case(net("layer")), head_build=Build(net("layer", "dense/w")))
    assert is_suspicious(apart)
    assert not is_suspicious(replace(apart, one_python=False))
