"""The file of migrations: what it says, and where it is wrong."""

import pytest

from restore_guard.promise import migrations
from restore_guard.promise.migrations import Grow, Migration, MigrationError, Open, Rename

TEXT = """\
# reviewed by all
[[migration]]
from = 1
to = 2
reason = "names follow the paper"
rename = [
    { from = "blocks/*/attn/**", to = "blocks/*/attention/**" },
]
drop = ["aux_head/**"]
initial = ["adapter/**"]
grow = [{ variable = "embed/embeddings", axis = 0, fill = "mean" }]
cast = ["head/*"]

[[migration]]
from = 3
to = 4
reason = "later"
open = [{ saved = "a/kernel", choose = "drop, or rename it" }]
"""


def test_a_file_is_read():
    found = migrations.parse(TEXT.encode(), "m.toml")
    first, second = found.tables
    assert first == Migration(
        1,
        2,
        "names follow the paper",
        rename=(Rename("blocks/*/attn/**", "blocks/*/attention/**"),),
        drop=("aux_head/**",),
        initial=("adapter/**",),
        grow=(Grow("embed/embeddings", 0, "mean"),),
        cast=("head/*",),
    )
    assert second.open == (Open("drop, or rename it", saved="a/kernel"),)
    assert found.line(first, '"blocks/*/attn/**"') == 7
    assert found.line(second, '"a/kernel"', "choose") == 18
    assert found.line(second, '"aux_head/**"') == 14  # which stands in another table


def test_a_chain_leads_from_epoch_to_epoch():
    found = migrations.parse(TEXT.encode(), "m.toml")
    assert [table.old for table in found.chain([2])] == [1]
    assert found.chain([]) == []
    with pytest.raises(MigrationError, match="no migration leads from epoch 2 to 3"):
        found.chain([2, 3, 4])


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("axis = 0", "axes = 0", 11, "unknown field `axes`"),
        ("axis = 0", "axis = -1", 11, "counted from 0"),
        ('fill = "mean"', 'fill = "ones"', 11, "Invalid enum value 'ones'"),
        ("from = 1", 'from = "1"', 3, "Expected `int`"),
        ("to = 2", "to = 3", 3, "leads from an epoch to the next"),
        ("to = 2", "to = 1", 3, "leads from an epoch to the next"),
        ("from = 3\nto = 4", "from = 1\nto = 2", 15, "another migration leads from epoch 1"),
        ('"names follow the paper"', '" "', 5, "reason is empty"),
        ("drop = [", "drop [", 9, "not valid TOML"),
        ('"aux_head/**"', '"aux_*/**"', 9, "within a part"),
        ('"blocks/*/attention/**"', '"blocks/attention/**"', 7, "other wildcards"),
        ('saved = "a/kernel", ', "", 18, "either a saved value or a variable"),
        ("# reviewed by all", "<<<<<<< HEAD", 1, "merge conflict"),
        ("# reviewed by all", "schema = 2", 1, "unknown field `schema`"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old, new, line, message):
    assert TEXT.count(old) == 1
    with pytest.raises(MigrationError, match="m.toml:") as error:
        migrations.parse(TEXT.replace(old, new).encode(), "m.toml")
    assert message in str(error.value)
    assert error.value.line == line


def test_what_is_no_text_is_told():
    with pytest.raises(MigrationError, match="UTF-8"):
        migrations.parse(b"[[migration]]\n\xff", "m.toml")
