"""The table of `audit`: a line for each layer, and for what of it does not restore."""

import re

from restore_guard.reports import layer_table
from restore_guard.result import Row, Seen


def row(old, now, fate, shapes=((2, 3), (2, 3)), **more):
    sides = [name and Seen(name, shape, "float32", "Dense") for name, shape in zip((old, now), shapes, strict=True)]
    return Row(*sides, {"tf-checkpoint": fate}, **more)


def same(name):
    return row(name, name, "restored")


def test_layers_that_restore_share_a_line():
    rows = [same(f"dense_{number}/{leaf}") for number in range(4) for leaf in ("kernel", "bias")]
    assert layer_table.render(rows) == [
        "  saved       now  verdict",
        "  … 4 layers  …    restores (8 variables)",
    ]
    assert layer_table.render(rows[:2])[1:] == ["  dense_0 Dense  dense_0 Dense  restores (2 variables)"]


def test_what_is_lost_is_told_with_what_it_is_near_to():
    rows = [
        same("a/kernel"),
        row("b/kernel", "b/kernel", "raises", ((2, 3), (2, 4))),
        row("old/kernel", "new/kernel", "initial"),
        row("gone/kernel", None, "dropped", near=("here/kernel",)),
        row(None, "here/kernel", "misplaced", got={"tf-checkpoint": "a/kernel"}),
    ]
    lines = [" | ".join(re.split(" {2,}", line.strip())) for line in layer_table.render(rows)]
    assert lines == [
        "saved | now | verdict",
        "a Dense | a Dense | restores (1 variable)",
        "b Dense | b Dense | does not restore (1 variable)",
        "kernel (2, 3) | kernel (2, 4) | the load call raises over it; same name, another shape",
        "old Dense | new Dense | does not restore (1 variable)",
        "kernel (2, 3) | kernel (2, 3) | keeps its initial value; same shape, another name",
        "gone Dense | (nothing) | does not restore (1 variable)",
        "kernel (2, 3) | (nothing) | its saved value goes nowhere; same shape elsewhere: here/kernel",
        "(nothing) | here Dense | does not restore (1 variable)",
        "(nothing) | kernel (2, 3) | gets the value of another variable (a/kernel)",
    ]


def test_a_long_table_is_cut():
    rows = [row(f"d{number}/kernel", None, "dropped") for number in range(100)]
    lines = layer_table.render(rows)
    assert len(lines) == layer_table.LINES + 1 and lines[-1].startswith("  and 141 more lines")


def test_nothing_to_compare_is_no_table():
    assert layer_table.render([Row(None, Seen("a", (2,), "float32"))]) == []
