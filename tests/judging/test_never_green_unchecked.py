"""Whatever is missing or broken: a verdict that lets a change pass was reached by comparing with what was promised."""

from itertools import product

import msgspec
from msgspec.structs import replace
from signatures import module

from restore_guard.build import Build, Observation, Witness
from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.config import Config, Model
from restore_guard.judging.case import Case
from restore_guard.judging.judge import judge
from restore_guard.promise.manifest import Manifest, ManifestError, Release
from restore_guard.signature import Signature

CONFIG = Config(models={"m": Model(builder="m:build", restores=("tf-checkpoint",))})
EDITED = Diff({"m.py": FileDiff("m.py", "a = 1\n", "a = 2\n")})
OLD, NEW = module(red=(2,)), module(blue=(2,))
FAILED = Build(failure="ValueError: x")
UNREADABLE = ManifestError("m.json", 1, "it is half merged")


def promise(signature):
    return Manifest("m", ("tf-checkpoint",), signature)


MANIFESTS = (None, UNREADABLE, promise(OLD), promise(NEW))
BUILDS = (None, FAILED, Build(OLD), Build(NEW))
CASES = [
    Case("m", CONFIG, "m.json", head, base, own, kept, diff, releases=released, unread_releases=unread, **more)
    for head, base, own, kept, diff, released, unread, more in product(
        BUILDS[1:],
        BUILDS,
        MANIFESTS,
        MANIFESTS,
        (Diff({}), EDITED),
        ((), (Release(("v1",), promise(OLD)),), (Release(("v1",), promise(NEW)),)),
        ((), ("v2: it cannot be read",)),
        ({}, {"must_be_witnessed": True}),
    )
]


def test_what_passes_was_compared_with_the_promise():
    passed = 0
    for case in CASES:
        result = judge(case)
        if result.verdict in ("breaks", "unchecked"):
            continue
        passed += 1
        head, base, kept = case.head_build.signature, case.base_build, case.base_manifest
        assert head is not None and not case.unread_releases and not case.must_be_witnessed
        assert not isinstance(kept, ManifestError)
        assert {*result.restores} == {"tf-checkpoint"}
        saved = kept.signature if kept is not None else base and base.signature
        # Only where there was nothing before is there nothing to compare with.
        assert (saved is None) == (kept is None and base is None)
        restores = _same(saved, head)
        assert (result.restores["tf-checkpoint"].outcome == "restores") == restores
        if not restores:
            # It was lost before this change, which is said and fails nothing.
            assert base is not None and _same(base.signature, head)
            assert "pre-existing" in {finding.status for finding in result.findings}
        assert all(
            _same(release.promise.signature, head) or "pre-existing" in {finding.status for finding in result.findings}
            for release in case.releases
        )
    assert 0 < passed < len(CASES) / 2


def test_all_that_is_told_is_data():
    """A report can be made of each of them."""
    for case in CASES[::50]:
        assert msgspec.json.encode(judge(case))


def _same(saved: Signature | None, head: Signature) -> bool:
    return saved is None or [item.path for item in saved.variables] == [item.path for item in head.variables]


def test_a_model_without_variables_is_not_checked():
    empty = module()
    for base, kept in ((None, None), (Build(empty), promise(empty)), (Build(empty), None)):
        result = judge(Case("m", CONFIG, "m.json", Build(empty), base, kept, kept, EDITED))
        assert result.verdict in ("unchecked", "breaks") if kept is None else result.verdict == "unchecked"
        assert any("no variables" in note and "configure inputs" in note for note in result.notes)
    lost = judge(Case("m", CONFIG, "m.json", Build(empty), Build(OLD), promise(OLD), promise(OLD), EDITED))
    assert lost.verdict == "breaks"


def test_a_migration_that_could_not_be_tried_is_told_and_not_green_where_trying_was_demanded():
    seen = Witness({"tf-checkpoint": Observation("restores", None, {"red": "red"}, (), (), ())})
    for demanded in (False, True):
        case = Case("m", CONFIG, "m.json", Build(OLD), Build(OLD), promise(OLD), promise(OLD), Diff({}))
        case = replace(case, witness=seen, uncarried=("migrating by h5: x",), must_be_witnessed=demanded)
        result = judge(case)
        assert "Not really tried: migrating by h5: x" in result.notes
        assert result.verdict == ("unchecked" if demanded else "restores")
