"""JSON that people edit and merge: what is wrong with it is told with its line."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from typing import Any, NoReturn, TypeVar

import msgspec

T = TypeVar("T")

Place = tuple[str | int, ...]
"""The keys and positions that lead to a value of a document."""


class Malformed(ValueError):
    """Something is wrong at a place of a document; `line` is known where the document cannot be decoded at all."""

    def __init__(self, sentence: str, place: Place = (), line: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence, self.place, self.line = sentence, place, line


def decode(content: bytes) -> Any:
    """Returns the document as plain data.

    Raises:
        Malformed: no JSON, no UTF-8, nested too deeply, a number that JSON has not, or a key that is there twice.
    """
    doubled: list[object] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(document := dict(found)) != len(found):
            doubled.append(found)
        return document

    try:
        text = content.decode()
        document = json.loads(text, object_pairs_hook=pairs, parse_constant=_no_number)
        if "\\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise Malformed("It is not UTF-8", line=content.count(b"\n", 0, error.start) + 1) from error
    except UnicodeEncodeError as error:
        raise Malformed("A text holds half of a character", line=_line_with(text, r"\\u[dD]")) from error
    except json.JSONDecodeError as error:
        raise Malformed(f"It is not JSON: {error.msg}", line=error.lineno) from error
    except RecursionError as error:
        raise Malformed("It is nested too deeply", line=1) from error
    except ValueError as error:  # a number of thousands of digits
        raise Malformed(f"It holds a number that cannot be read: {error}", line=1) from error
    if doubled:  # only told of sound JSON
        place = _twice(text)
        raise Malformed(f"{place[-1]!r} is there twice", place)
    return document


def convert(value: Any, kind: type[T], place: Place = ()) -> T:
    """Returns plain data as what it should be.

    Args:
        place: where `value` stands in its document.

    Raises:
        Malformed: it is something else.
    """
    try:
        return msgspec.convert(value, kind)
    except RecursionError as error:
        raise Malformed("It is nested too deeply", place) from error
    except msgspec.ValidationError as error:
        sentence, _, inner = str(error).partition(" - at `")
        field = re.search(r"unknown field `(.+)`", sentence)
        steps = (*_steps(inner, value, kind), *(field.groups() if field else ()))
        raise Malformed(sentence, (*place, *steps)) from error


def line(content: bytes, place: Place) -> int:
    """The line on which a place begins; of what is missing, that of what it is missing in."""
    text = content.decode()
    try:
        positions = dict(_walk(text, 0, ()))
    except RecursionError:
        return 1
    while place and place not in positions:
        place = place[:-1]
    return text.count("\n", 0, positions.get(place, 0)) + 1


def name(place: Place) -> str:
    """A place for a person, such as `variables[3].shape` or `object_graph["a/b"].type`."""
    return "".join(_step(step) for step in place).removeprefix(".")


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if step.isidentifier() else f"[{json.dumps(step, ensure_ascii=False)}]"


def _steps(path: str, value: Any, kind: type) -> Place:
    """msgspec's own name of a place in `value`, which is no `kind`, with the first key that it leaves out."""
    steps: list[str | int] = []
    for field, number, unknown in re.findall(r"\.(\w+)|\[(\d+)\]|(\[\.\.\.\])", path.rpartition("$")[2]):
        if unknown:
            return (*steps, *_wrong_key(value, tuple(steps), kind))
        steps.append(field or int(number))
    return tuple(steps)


def _wrong_key(value: Any, place: Place, kind: type) -> Place:
    """The key of the dictionary at a place without which `value` would go further as a `kind`."""
    for key, item in _at(value, place).items():
        try:
            msgspec.convert(_exchanged(value, place, {key: item}), kind)
        except msgspec.ValidationError:
            return (key,)
    return ()


def _at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _exchanged(value: Any, place: Place, by: Any) -> Any:
    if not place:
        return by
    step, rest = place[0], place[1:]
    inner = _exchanged(value[step], rest, by)
    if isinstance(step, str):
        return {**value, step: inner}
    return [*value[:step], inner, *value[step + 1 :]]


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _twice(text: str) -> Place:
    """The first place that is there a second time."""
    seen: set[Place] = set()
    for place, _ in _walk(text, 0, ()):
        if place in seen:
            return place
        seen.add(place)
    raise AssertionError("no place is there twice")


_WHOLE = json.JSONDecoder()
_BLANKS = (" ", "\t", "\n", "\r")


def _walk(text: str, position: int, place: Place) -> Generator[tuple[Place, int], None, int]:
    """Yields every place of sound JSON, and where it begins; returns where the value at `position` ends."""
    position = _after_blanks(text, position)
    if text[position] not in "{[":
        return _WHOLE.raw_decode(text, position)[1]
    closing, number = "]" if text[position] == "[" else "}", 0
    position = _after_blanks(text, position + 1)
    while text[position] != closing:
        begin = position
        step: str | int = number
        if closing == "}":
            step, position = _WHOLE.raw_decode(text, position)
            position = _after_blanks(text, position) + 1
        yield (*place, step), begin
        position = yield from _walk(text, position, (*place, step))
        position, number = _after_blanks(text, position), number + 1
        if text[position] == ",":
            position = _after_blanks(text, position + 1)
    return position + 1


def _after_blanks(text: str, position: int) -> int:
    while text[position : position + 1] in _BLANKS:
        position += 1
    return position


def _line_with(text: str, pattern: str) -> int:
    found = re.search(pattern, text)
    return text.count("\n", 0, found.start()) + 1 if found else 1
