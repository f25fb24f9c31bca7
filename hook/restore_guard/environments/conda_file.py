"""What an environment.yml of conda lists. Text alone."""

from __future__ import annotations

import re
from typing import NamedTuple

_FRAMEWORK = re.compile(r"(tensorflow|keras|tf-)")
_NAMED = re.compile(r"(?:[\w./-]+::)?([\w.-]+)\s*(.*)")


class Listed(NamedTuple):
    """What conda itself installs, and what pip does, as they are written."""

    by_conda: list[str]
    by_pip: list[str]

    @property
    def python(self) -> str | None:
        """The version of Python that it pins."""
        found = (re.fullmatch(r"python\s*=+\s*(\d+\.\d+)[\d.*]*", item) for item in self.by_conda)
        return next((item[1] for item in found if item), None)

    @property
    def frameworks(self) -> list[str]:
        """TensorFlow and Keras, where conda installs them."""
        return [item for item in self.by_conda if _FRAMEWORK.match(name_of(item))]


def listed(file: bytes) -> Listed:
    """The items of the list of dependencies and of the pip part in it."""
    found, inside = Listed([], []), None
    for line in file.decode(errors="replace").splitlines():
        text = line.split(" #")[0].rstrip()
        item = re.fullmatch(r"(\s*)-\s+(.+)", text)
        if item is None:
            inside = None if text.strip() and not text.lstrip().startswith("#") else inside
            continue
        depth, said = len(item[1]), re.sub(r"""^(["'])(.*)\1$""", r"\2", item[2])
        if inside is not None and depth > inside:
            found.by_pip.append(said)
            continue
        inside = depth if said == "pip:" else None
        if inside is None:
            found.by_conda.append(said)
    return found


def name_of(item: str) -> str:
    """The package that an item of conda's names, whatever channel it comes from."""
    named = _NAMED.match(item)
    return named[1] if named is not None else item


def as_pip(item: str) -> str:
    """An item of conda's as pip says it: `tensorflow=2.15` is any 2.15, `tensorflow=2.15.0=cpu_py311` is 2.15.0."""
    named = _NAMED.match(item)
    if named is None:
        return item
    name, version = named[1], named[2].strip()
    exact = re.fullmatch(r"={1,2}\s*(\d[\w.]*?)(\.\*)?(=.*)?", version)
    if exact is None:
        return f"{name}{version}" if re.fullmatch(r"[<>!~].*", version) else name
    is_family = not version.startswith("==") and exact[3] is None and exact[1].count(".") < 2
    return f"{name}=={exact[1]}" + ".*" * bool(is_family or exact[2])
