"""Layouts: what changes nothing is told from what does, and the lines of one layout are found in another."""

import ast
import sys
import textwrap

import pytest

from restore_guard.build import Spot
from restore_guard.change import layout

SOURCE = '''\
"""A module."""
import net


class Model:
    """Doc."""

    def __init__(self):
        self.first = net.Layer(4)
        self.rows = [net.Layer(1), net.Layer(2)]
        self.stack = [net.Layer(n) for n in range(3)]
        self.last = net.Layer(3)(self.rows)
'''

SAME = {
    "comment": lambda text: text.replace("        self.rows", "        # rows\n        self.rows"),
    "blank lines": lambda text: text.replace("\n", "\n\n"),
    "docstring": lambda text: text.replace('"""Doc."""', '"""Another\n\n    text."""'),
    "no docstring": lambda text: text.replace('    """Doc."""\n\n', ""),
    "new docstring": lambda text: text.replace("__init__(self):", "__init__(self):\n        'Makes it.'"),
    "spread": lambda text: text.replace("[net.Layer(1), net.Layer(2)]", "[\n  net.Layer(\n1),\n\n net.Layer(2)\n]"),
    "quotes": lambda text: text.replace('"""A module."""', "'A module.'"),
    "joined": lambda text: text.replace("Layer(4)\n        self.rows", "Layer(4); self.rows"),
    "windows": lambda text: text.replace("\n", "\r\n"),
    "tabs": lambda text: text.replace("    ", "\t"),
}
OTHER = {
    "name": lambda text: text.replace("self.first", "self.erste"),
    "number": lambda text: text.replace("range(3)", "range(4)"),
    "string": lambda text: text.replace("net.Layer(4)", 'net.Layer("# 4")'),
    "order": lambda text: text.replace("net.Layer(1), net.Layer(2)", "net.Layer(2), net.Layer(1)"),
    "syntax error": lambda text: text + "(",
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_in_substance(name):
    text = SAME[name](SOURCE)
    assert text != SOURCE
    assert layout.digest(text.encode()) == layout.digest(SOURCE.encode())


@pytest.mark.parametrize("name", OTHER)
def test_not_the_same(name):
    text = OTHER[name](SOURCE)
    assert layout.digest(text.encode()) != layout.digest(SOURCE.encode())


class Recorder:
    """Stands for a library: notes what the running Python says of where a layer is created."""

    def __init__(self):
        self.spots = []

    def Layer(self, *_):
        frame = sys._getframe(1)
        positions = list(frame.f_code.co_positions())[frame.f_lasti // 2]
        self.spots.append(Spot("model.py", frame.f_lineno, *positions[1:]))
        return lambda *_: None


def _spots(text, monkeypatch):
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, "net", recorder)
    names = {"__name__": "model"}
    exec(compile(text, "model.py", "exec"), names)
    names["Model"]()
    return recorder.spots


@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize("name", SAME)
def test_lines_are_those_that_python_gives_in_the_new_layout(name, precise, monkeypatch):
    """A Python before 3.11 knows the line alone: what it cannot tell apart is None, and never wrong."""
    text = SAME[name](SOURCE)
    old, new = _spots(SOURCE, monkeypatch), _spots(text, monkeypatch)
    assert len(old) == len(new) == 7
    unknown = 0
    for before, after in zip(old, new, strict=True):
        spot = before if precise else Spot(before.file, before.line, None, None, None)
        found = layout.line(text.encode(), layout.points(SOURCE.encode(), spot))
        unknown += found is None
        assert found in (after.line, None)
    assert unknown == 0 or (not precise and name in ("spread", "joined"))


def test_attributes_on_lines_of_their_own_are_not_guessed():
    old = "x = a.b(1)\n"
    spread = "x = (a\n    .b(1))\n"
    call = ast.parse(old).body[0].value
    spot = Spot("m.py", 1, call.end_lineno, call.col_offset, call.end_col_offset)
    assert layout.line(spread.encode(), layout.points(old.encode(), spot)) is None


def test_a_file_that_cannot_be_parsed_counts_by_its_bytes():
    broken = textwrap.dedent("def f(:\n")
    assert layout.digest(broken.encode()) == layout.digest(broken.encode())
    assert layout.digest(broken.encode()) != layout.digest((broken + "# comment\n").encode())
    assert layout.line(broken.encode(), layout.points(broken.encode(), Spot("m.py", 1, 1, 0, 3))) is None
