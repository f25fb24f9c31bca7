"""A migration that is edited after a release: what carried its checkpoints before the change carries them after it."""

import pytest
from signatures import module

from restore_guard.build import Build
from restore_guard.change.diffs import Diff
from restore_guard.config import Config, Model
from restore_guard.judging.case import Case
from restore_guard.judging.judge import judge
from restore_guard.promise import migrations
from restore_guard.promise.manifest import Accepted, Broken, Manifest, Release

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


def invalid(before, after):
    """What is said of a change of the migrations alone."""
    promised = Manifest("m", PATHS, NEW, 2, HISTORY)
    case = Case(
        "m", CONFIG, "m.json", Build(NEW), Build(NEW), promised, promised, Diff({}),
        releases=(Release(("v1",), Manifest("m", PATHS, OLD)),),
        base_migrations=parsed(before), head_migrations=parsed(after),
    )  # fmt: skip
    found = [finding for finding in judge(case).findings if finding.rule == "migration-invalid"]
    assert all(finding.status not in ("accepted", "migrated") for finding in found)
    return [(finding.line, finding.message) for finding in found]


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
