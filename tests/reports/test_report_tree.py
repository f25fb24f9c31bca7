"""The tree of both sides: what stands beside what, and what is alike."""

from hypothesis import given
from hypothesis import strategies as st

from restore_guard.reports.tree import aligned, flat, tree
from restore_guard.result import Row, Seen

parts = st.lists(st.sampled_from(["a", "b", "0", "1", "kernel"]), min_size=1, max_size=4)


def seen(path, shape=(2,), line=0):
    return path and Seen(path, shape, "float32", "Dense", "m.py", line)


def row(old, now, fate="restored", **more):
    return Row(seen(old, **more), seen(now, **more), {"h5": fate})


def drawn(rows):
    """A line for each node, indented: old | new."""
    return [f"{'  ' * (depth - 1)}{node.old} | {node.new}" for depth, node in flat(tree(rows))]


def test_a_renamed_layer_is_one_node():
    rows = [row("net/attn/kernel", "net/attention/kernel"), row("net/attn/bias", "net/attention/bias")]
    assert drawn(rows) == ["net | net", "  attn | attention", "    kernel | kernel", "    bias | bias"]


def test_what_has_no_partner_is_below_what_both_sides_have():
    rows = [
        row("attn/old", None),
        row("attn/kernel", "attention/kernel"),
        row(None, "attention/new"),
        row("gone/x", None),
    ]
    assert drawn(rows) == [
        "attn | attention",
        "  old | None",
        "  kernel | kernel",
        "  None | new",
        "gone | None",
        "  x | None",
    ]


def test_a_level_that_was_put_between_leaves_a_gap():
    assert aligned(["dense", "kernel"], ["block", "dense", "kernel"]) == [
        (None, "block"),
        ("dense", "dense"),
        ("kernel", "kernel"),
    ]
    assert aligned(["a", "b", "x"], ["a", "c", "d", "x"]) == [("a", "a"), ("b", "c"), (None, "d"), ("x", "x")]
    assert aligned(["a"], ["a", "a"]) == [("a", "a"), (None, "a")]


@given(parts, parts)
def test_an_alignment_says_both_names(olds, news):
    keys = aligned(olds, news)
    assert [old for old, _ in keys if old is not None] == olds
    assert [new for _, new in keys if new is not None] == news


@given(st.lists(st.tuples(parts, parts, st.integers(0, 2)), max_size=12))
def test_every_variable_is_in_the_tree_once(pairs):
    rows = [
        row("/".join(old) if which != 1 else None, "/".join(new) if which != 2 else None) for old, new, which in pairs
    ]
    nodes = [node for _, node in flat(tree(rows))]
    assert sorted(node.row for node in nodes if node.row is not None) == list(range(len(rows)))


def test_blocks_that_differ_in_their_number_are_alike():
    rows = [
        row(f"blocks/{n}/attn/kernel", f"blocks/{n}/attention/kernel", "initial" if n != 2 else "restored")
        for n in range(4)
    ]
    (blocks,) = tree(rows)
    alike = [child.like for child in blocks.children]
    assert alike[0] == alike[1] == alike[3] != alike[2]


def test_other_shapes_lines_or_names_are_not_alike():
    together = tree([row("x_1", "x_1"), row("x_2", "x_2"), row("x_3", "x_3", shape=(3,)), row("y_1", "y_1")])
    assert [node.like for node in together][:2] == [together[0].like] * 2
    assert len({node.like for node in together}) == 3
    assert len({node.like for node in tree([row("x_1", "x_1", line=1), row("x_2", "x_2", line=2)])}) == 2


def test_a_variable_may_have_variables_below_it():
    assert drawn([row("a", "a"), row("a/b", "a/b")]) == ["a | a", "a | a", "  b | b"]


def test_a_very_long_name_ends_somewhere():
    assert len(drawn([row("/".join("x" * 5000), "/".join("x" * 5000))])) == 64
