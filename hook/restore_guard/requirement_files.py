"""Requirements files as pip reads them: continued lines, comments, options, other files. Text alone, nothing runs.

Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/ and pip's `req_file.py`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

import msgspec

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_OPTION = re.compile(r"(?:-([rc])|--(requirement|constraint))(?:\s*=\s*|\s+|(?<=-[rc]))(\S.*)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s+)(\S.*)")
_COMMENT = re.compile(r"(^|\s+)#.*$")


class Entry(msgspec.Struct, frozen=True):
    """One logical line of a requirements file.

    Attributes:
        line: where it begins.
        kind: a requirement, another file to install (-r) or to be bound by (-c), or an option of pip's.
        text: the requirement without its options, the named file, or the option as it is written.
    """

    line: int
    kind: Literal["requirement", "install", "constrain", "option"]
    text: str


def entries(text: str) -> Iterator[Entry]:
    """What a file asks for, in its order."""
    for number, line in _logical_lines(text):
        if not line.startswith("-"):
            # pip takes the first word with a dash in front for the begin of the options, such as --hash.
            yield Entry(number, "requirement", re.split(r"\s+-", line, maxsplit=1)[0].strip())
        elif named := _OPTION.fullmatch(line):
            installs = "r" in (named[1], (named[2] or "")[:1])
            yield Entry(number, "install" if installs else "constrain", named[3].strip().strip("\"'"))
        elif named := _EDITABLE.fullmatch(line):
            yield Entry(number, "requirement", named[1].strip().strip("\"'"))
        else:
            yield Entry(number, "option", line)


def is_address(text: str) -> bool:
    """Whether a file is named by an address of the network, and not by a path."""
    return re.match(r"[a-z][a-z0-9+.-]+://", text, re.IGNORECASE) is not None


def requirement(text: str) -> Requirement | None:
    """What a requirement says of a package; None where it names none, as a folder does, or is no requirement."""
    from packaging.requirements import InvalidRequirement, Requirement

    for form in (text, f"{_name_in_address(text)} @ {text}"):
        try:
            return Requirement(form)
        except InvalidRequirement:
            continue
    return None


def _name_in_address(text: str) -> str:
    """The package behind an address without a name: `#egg=NAME`, or the name of a wheel or an archive."""
    from packaging.utils import (
        InvalidSdistFilename,
        InvalidWheelFilename,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    parts = urlsplit(text)
    if egg := re.search(r"(?:^|&)egg=([A-Za-z0-9._-]+)", parts.fragment):
        return egg[1]
    file = posixpath.basename(unquote(parts.path))
    for parse, error in ((parse_wheel_filename, InvalidWheelFilename), (parse_sdist_filename, InvalidSdistFilename)):
        try:
            return parse(file)[0]
        except error:
            continue
    return ""


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """(number of its first line, line) without comments, blanks and the ends that continue it."""
    parts: list[str] = []
    begin = 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        begin = begin if parts else number
        is_comment = re.match(r"\s*#", line)
        parts.append(_COMMENT.sub("", line) if is_comment or not line.endswith("\\") else line[:-1])
        if line.endswith("\\") and not is_comment:
            continue
        whole = _COMMENT.sub("", " ".join(parts)).strip()
        parts = []
        if whole:
            yield begin, whole
