"""The repositories of this folder: their files, and the models that were marked in them by hand."""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent


class Mark(NamedTuple):
    """A model that a person would guard; `shape` is that of one of its variables."""

    target: str
    shape: list[int]


class Repository(NamedTuple):
    """A small repository in some public style; README.md beside it tells what the fields are."""

    name: str
    files: dict[str, str]
    marks: list[Mark]
    optional: list[str]
    carry: list[str]
    python: str
    by_hand: dict[str, str]
    package: str | None


def load(name):
    head, *parts = re.split(r"^=== (.+) ===\n", (FOLDER / f"{name}.txt").read_text(), flags=re.MULTILINE)
    table = tomllib.loads(head)
    marks = [Mark(model["target"], model["shape"]) for model in table["model"]]
    files = dict(zip(parts[::2], parts[1::2], strict=True))
    optional, carry = table.get("optional", []), table.get("carry", [])
    by_hand = {path: content.lstrip("\n") for path, content in table.get("by_hand", {}).items()}
    python, package = table.get("python", "keras3"), table.get("package")
    return Repository(name, files, marks, optional, carry, python, by_hand, package)


NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
