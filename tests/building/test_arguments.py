"""Arguments of the configuration arrive as the builder's annotations and defaults ask for."""

from __future__ import annotations

from typing import Annotated, Dict, List, Optional, Sequence, Tuple, Union  # noqa: UP035

import pytest

from restore_guard.probe.arguments import fitted

Shape = Tuple[int, int]  # noqa: UP006


def _builder(annotation, *default):
    def build(x):
        pass

    build.__annotations__["x"] = annotation
    build.__defaults__ = default or None
    return build


@pytest.mark.parametrize(
    ("annotation", "given", "wanted"),
    [
        (tuple, [1, 2], (1, 2)),
        ("tuple[tuple[int, int], ...]", [[1, 2], [3, 4]], ((1, 2), (3, 4))),
        (Optional[Tuple[Tuple[int, int], ...]], [[1, 2]], ((1, 2),)),  # noqa: UP006, UP045
        ("list[tuple[int, int]]", [[1, 2]], [(1, 2)]),
        (List[Tuple[int, int]], [[1, 2]], [(1, 2)]),  # noqa: UP006
        (Sequence[Shape], [[1, 2]], [(1, 2)]),
        ("Shape", [1, 2], (1, 2)),
        ("tuple[int, int] | None", [1, 2], (1, 2)),
        (Union[int, Tuple[int, int]], [1, 2], (1, 2)),  # noqa: UP006, UP007
        (Union[int, Tuple[int, int]], 3, 3),  # noqa: UP006, UP007
        ("tuple[int, tuple[int, int]]", [1, [2, 3]], (1, (2, 3))),
        (Dict[str, Tuple[int, int]], {"a": [1, 2]}, {"a": (1, 2)}),  # noqa: UP006
        (Annotated[Tuple[int, int], "pixels"], [1, 2], (1, 2)),  # noqa: UP006
        ("set[str]", ["a", "b"], {"a", "b"}),
        (frozenset, ["a"], frozenset(["a"])),
        (List[int], [1, 2], [1, 2]),  # noqa: UP006
        ("no.such.Thing[int]", [1, 2], [1, 2]),
        ("not an annotation", [1, 2], [1, 2]),
        ("int", [1, 2], [1, 2]),
    ],
)
def test_annotations(annotation, given, wanted):
    found = fitted(_builder(annotation), {"x": given})["x"]
    assert (found, type(found)) == (wanted, type(wanted))


def test_a_default_and_an_annotation():
    assert fitted(_builder("tuple[tuple[int, int], ...]", ()), {"x": [[1, 2]]}) == {"x": ((1, 2),)}
    assert fitted(_builder("list", (1,)), {"x": [1, 2]}) == {"x": (1, 2)}


def test_a_class_asks_by_its_constructor():
    class Net:
        def __init__(self, sizes: Optional[Tuple[int, ...]] = None):  # noqa: UP006, UP045
            pass

    assert fitted(Net, {"sizes": [1, 2]}) == {"sizes": (1, 2)}
