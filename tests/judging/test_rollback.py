"""Older code that loads what newer code saves: pure, of signatures and manifests."""

import msgspec
import pytest
from msgspec.structs import replace
from signatures import model, module, variable

from restore_guard.build import Build
from restore_guard.change.diffs import Diff
from restore_guard.config import Config, Model
from restore_guard.judging.case import Case
from restore_guard.judging.judge import judge
from restore_guard.promise.manifest import Manifest, Release
from restore_guard.reports.text_report import render
from restore_guard.result import Result


def case(head, base, paths=("tf-checkpoint",), rollback="warning", releases=(), built=None):
    return Case(
        name="net",
        config=Config(rollback=rollback, models={"net": Model("net:build", restores=paths)}),
        manifest_file="restore-manifest/net.json",
        head_build=Build(head),
        base_build=Build(built or base),
        head_manifest=Manifest("net", paths, head),
        base_manifest=Manifest("net", paths, base),
        diff=Diff({}),
        releases=tuple(Release((tag,), Manifest("net", paths, signature)) for tag, signature in releases),
    )


def told(case):
    found = [finding for finding in judge(case).findings if finding.rule == "rollback-broken"]
    return [(finding.message, finding.level, finding.status, finding.restores) for finding in found]


def test_a_new_variable_restores_and_cannot_be_loaded_back():
    """The head takes old checkpoints but for its new variable; the older code drops it without a word."""
    bigger = module(a=(2,), b=(3,))
    message = "After this is deployed and trained, the code before this change loads its checkpoints incompletely, "
    assert told(case(bigger, module(a=(2,)))) == [(f"{message}by tf-checkpoint.", "warning", "new", ("tf-checkpoint",))]
    assert told(case(bigger, module(a=(2,)), rollback="off")) == []
    assert told(case(module(a=(2,)), module(a=(2,)))) == []


def test_an_error_fails_the_check_and_is_not_called_a_break():
    one = case(module(a=(2,), b=(3,)), module(a=(2,)), rollback="error", releases=[("v1.4", module(a=(7,)))])
    one = replace(one, config=msgspec.structs.replace(one.config, rules={"variable-added": "off"}))
    judged = judge(one)
    assert [finding.rule for finding in judged.findings if finding.fails] == ["rollback-broken"]
    assert [status for _, _, status, _ in told(one)] == ["new", "pre-existing"], "v1.4 loads nothing of today either"
    text = render(Result(None, "index", (judged,)), width=400)
    assert text.startswith("✗ net: restores, rollback broken") and text.endswith("1 restores with no way back\n")
    assert "After this is deployed and trained, v1.4 cannot load its checkpoints, by tf-checkpoint" in text


def test_what_the_base_could_not_be_rolled_back_to_either_is_no_news():
    grown = module(a=(2,), b=(3,))
    (first,) = told(case(grown, grown, releases=[("v1", module(a=(2,)))]))
    assert first[2] == "pre-existing"


@pytest.mark.parametrize(("nests", "broken"), [(True, False), (False, True)])
def test_containers_within_containers_that_keras_3_14_has_learnt_to_save(nests, broken):
    """What 3.15 writes below a list in a list, a 3.12 neither looks for nor misses."""

    def net(nests):
        blocks = (("container", (("dense", 1),)), ("dense", 2)) if nests else (("dense", 2),)
        nodes = [("Model", "layer", (), [("blocks", blocks)]), *(("Dense", "layer", (n,), ()) for n in range(2))]
        return model(3, (variable("blocks/0/0/kernel"), variable("blocks/1/kernel")), *nodes, nests=nests)

    found = told(case(net(True), net(nests), paths=("keras-weights",)))
    assert bool(found) == broken, found
