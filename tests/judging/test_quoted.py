"""Errors that people quote: what kind they are, what they name, and whether this file and this code say so too."""

import pytest

from restore_guard.judging.quoted import explain
from restore_guard.result import ModelResult, PathResult, Row, Seen


def row(path, saved, now, fate="raises", old=None):
    sides = [shape and Seen(name, shape, "float32", "Dense") for name, shape in ((old or path, saved), (path, now))]
    return Row(*sides, {"keras-weights": fate})


RAISES = PathResult("raises", 0, 3, error="ValueError: Layer 'dense_1' expected 2 variables, but received 0 variables.")
ROWS = (
    row("dense_1/kernel", (4, 8), (4, 8)),
    row("dense_2/kernel", (8, 3), (8, 5)),
    row("head/_kernel", None, (5, 1), "initial"),
    row("other/kernel", (3, 3), (3, 3), "restored"),
)


def told(message, path=RAISES, rows=ROWS, state="intact"):
    return explain(message, state, ModelResult("net", "breaks", restores={"keras-weights": path}, table=rows))


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (
            "Layer 'a' expected 2 variables, but received 0 variables during loading.",
            "could not load a layer with 2 variables",
        ),
        ("Layer count mismatch when loading weights. Model expected 3 layers, found 4 saved layers.", "has 3 layers"),
        ("Weight count mismatch for layer #1. Layer expects 2 weight(s). Received 1 saved weight(s)", "has 2 weights"),
        ("NotFoundError: Key head/kernel not found in checkpoint", "no value named head/kernel"),
        ("Could not locate class 'Scale'. Make sure custom classes are decorated", "names Scale"),
        ("Unknown layer: 'Scale'. Please ensure you are using a `keras.utils.custom_object_scope`", "names Scale"),
        ("Unresolved object in checkpoint (root).a.kernel: attributes {", "no object of the code takes"),
        ("Found 3 Python objects that were not bound to checkpointed values", "found no value in the file"),
        ("Object not assigned a value from checkpoint: <tf.Variable 'a/kernel:0'", "found no value in the file"),
        ("Received incompatible tensor with shape (3,) when attempting to restore variable", "different shapes"),
        ("ValueError: Shape mismatch in layer #1 (named d) for weight d/kernel.", "different shapes"),
        ("The shape of the target variable and the shape of the target value in x must match.", "different shapes"),
        ("DataLossError: Checksum does not match: stored 1 vs. calculated 2", "could not be read"),
        ("OSError: Unable to synchronously open file (truncated file: eof = 96)", "could not be read"),
        ("NotFoundError: Failed to find any matching files for nowhere/ckpt", "no file of that name"),
        ("something else", "none of those that are known"),
    ],
)
def test_the_kind_of_a_message(message, kind):
    assert kind in told(message)[0]


def test_whether_this_file_raises_it_too():
    (same,) = [line for line in told(f"ValueError: {RAISES.error}\n(and more)") if line.startswith("keras-weights:")]
    assert "this very error" in same
    (other,) = [line for line in told("Key x not found in checkpoint") if line.startswith("keras-weights:")]
    assert "raises this: ValueError: Layer 'dense_1' expected" in other
    whole = told("Key x not found in checkpoint", PathResult("restores", 4, 4))
    assert "restores completely into this code" in whole[1]
    silent = told("Key x not found in checkpoint", PathResult("partial", 2, 4, ("a", "b"), ("c",)))
    assert "raises nothing, but 2 variables keep their initial value and 1 saved values go nowhere" in silent[1]


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("Layer 'dense_1' expected 2 variables, but received 0", ["dense_1/kernel"]),
        ("Unresolved object in checkpoint (root).dense_2.kernel: attributes", ["dense_2/kernel"]),
        ("dense_2/_kernel/.ATTRIBUTES/VARIABLE_VALUE is wrong", ["dense_2/kernel"]),
        ("Shapes (8, 5) and (8, 3) are incompatible", ["dense_2/kernel"]),
        ("the kernel of the dense layers", []),
    ],
)
def test_what_a_message_names(message, named):
    lines = [line for line in told(message) if ": saved " in line]
    assert [line.partition(":")[0] for line in lines] == named
    if not named:
        assert told(message)[-1].endswith("dense_1/kernel, dense_2/kernel, head/_kernel.")


def test_a_damaged_file_and_no_code():
    assert explain("Checksum does not match", "damaged", None)[1:] == ["This file is damaged."]


def test_many_that_it_names_are_counted():
    rows = tuple(row(f"block/{number}/kernel", (2, number), (2, number + 1)) for number in range(20))
    lines = told(" ".join(f"block/{number}/kernel" for number in range(20)), rows=rows)
    assert lines[-1] == "and 14 more that it names"
