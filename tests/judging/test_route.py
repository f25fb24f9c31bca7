"""Of which epoch a file is: what is said where it fits several of them."""

import msgspec
import pytest
from signatures import module

from restore_guard.judging.route import NoRoute, Promise, by_promises
from restore_guard.promise import migrations
from restore_guard.promise.migrations import MigrationError

MODEL = module(a=(2,), b=(2,))
OLD, TODAY = Promise(1, MODEL, "since 1234567", (2,)), Promise(2, MODEL, "the code on disk")
SWAPPED = """\
[[migration]]
from = 1
to = 2
reason = "exchanged"
rename = [{ from = "a", to = "b" }, { from = "b", to = "a" }]
"""
OPEN = """\
[[migration]]
from = 1
to = 2
reason = "nobody knows"
open = [
    { saved = "a", choose = "drop or rename" },
]
"""


def said(text, epoch=None):
    with pytest.raises((NoRoute, MigrationError)) as found:
        by_promises(MODEL, "tf-checkpoint", [OLD], TODAY, migrations.parse(text.encode(), "m.toml"), epoch)
    return str(found.value)


def test_epochs_that_say_otherwise_where_values_belong_are_named():
    assert said(SWAPPED) == (
        "it fits the model of epoch 1 (since 1234567) and of epoch 2 (the code on disk), and its values belong "
        "elsewhere in each: say which one the file is of: --epoch NUMBER."
    )


def test_an_open_migration_is_named_with_its_line_and_not_a_contradiction():
    found = said(OPEN)
    assert "and from epoch 1 it cannot be migrated yet: m.toml:6: " in found, found
    assert "remove this entry. Mend that first, " in found, found
    assert "elsewhere" not in found and found.endswith("or say which one the file is of: --epoch NUMBER.")
    assert said(OPEN, epoch=1).startswith("m.toml:6: ")


@pytest.mark.parametrize(("text", "source"), [(SWAPPED, "b"), (OPEN, "a")])
def test_a_person_may_say_which_one(text, source):
    tables = migrations.parse(text.encode(), "m.toml")
    epoch = 1 if text == SWAPPED else 2
    assert by_promises(MODEL, "tf-checkpoint", [OLD], TODAY, tables, epoch).sources["a"] == source


def test_epochs_that_differ_by_their_optimizers_alone_are_told_apart_by_what_the_file_holds():
    text = SWAPPED.replace(
        'rename = [{ from = "a", to = "b" }, { from = "b", to = "a" }]',
        'rename = [{ from = "optimizer_v", to = "optimizer_m" }]\ndrop = ["optimizer_m"]',
    )
    tables = migrations.parse(text.encode(), "m.toml")
    two, one = module(a=(2,), optimizer_m=(2,), optimizer_v=(2,)), module(a=(2,), optimizer_m=(2,))
    promises = [msgspec.structs.replace(OLD, signature=two)], msgspec.structs.replace(TODAY, signature=one)
    assert by_promises(two, "tf-checkpoint", *promises, tables).sources["optimizer_m"] == "optimizer_v"
    assert by_promises(one, "tf-checkpoint", *promises, tables).sources["optimizer_m"] == "optimizer_m"
    bare = by_promises(module(a=(2,)), "tf-checkpoint", *promises, tables)
    assert bare.sources == {"a": "a"}
