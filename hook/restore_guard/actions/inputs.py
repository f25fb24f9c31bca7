"""The inputs of action.yml. They come as variables RESTORE_GUARD_<INPUT>; an empty one is not given.

RESTORE_GUARD_PYTHON and RESTORE_GUARD_CACHE are read where they matter, as outside of GitHub Actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from restore_guard.config import OWN_FILE, SHARED_FILE, WitnessMode
from restore_guard.errors import UsageError

Word = TypeVar("Word", bound=str)


class Inputs(msgspec.Struct, frozen=True):
    """What the workflow says.

    Attributes:
        folder: where the configuration is looked for, there and above; only there if `configured`.
        accept_label: the label that a reviewer must give for a break to be accepted, or "" for none.
        shards: the number of jobs to plan; 0 to check.
        results: folder with the reports of earlier jobs to join, or "" to check.
    """

    base: str
    head: str
    models: tuple[str, ...]
    folder: Path
    configured: bool
    witness: WitnessMode
    fail_on: Literal["error", "warning", "never"]
    annotations: bool
    summary: bool
    sarif_file: str
    comment: bool
    accept_label: str
    shards: int
    results: str


def read(environ: Mapping[str, str]) -> Inputs:
    """Returns the inputs.

    Raises:
        UsageError: one that is none of its values; names the input.
    """
    config = environ.get("RESTORE_GUARD_CONFIG", "")
    return Inputs(
        base=environ.get("RESTORE_GUARD_BASE", ""),
        head=environ.get("RESTORE_GUARD_HEAD", ""),
        models=tuple(environ.get("RESTORE_GUARD_MODELS", "").split()),
        folder=_folder(environ.get("RESTORE_GUARD_WORKING_DIRECTORY") or ".", config),
        configured=bool(config),
        witness=_choice(environ, "witness", ("auto", "always", "never")),
        fail_on=_choice(environ, "fail-on", ("error", "warning", "never")),
        annotations=_choice(environ, "annotations", ("true", "false")) == "true",
        summary=_choice(environ, "summary", ("true", "false")) == "true",
        sarif_file=environ.get("RESTORE_GUARD_SARIF_FILE", ""),
        comment=_choice(environ, "comment", ("false", "true")) == "true",
        accept_label=environ.get("RESTORE_GUARD_ACCEPT_LABEL", ""),
        shards=_shards(environ.get("RESTORE_GUARD_SHARDS") or "0"),
        results=environ.get("RESTORE_GUARD_RESULTS", ""),
    )


def _choice(environ: Mapping[str, str], name: str, values: tuple[Word, ...]) -> Word:
    """One of the values, the first of which is the default."""
    given = environ.get(f"RESTORE_GUARD_{name.upper().replace('-', '_')}") or values[0]
    for value in values:
        if value == given:
            return value
    raise UsageError(f"the input {name} is {given!r}: it takes {', '.join(values[:-1])} or {values[-1]}.")


def _folder(directory: str, config: str) -> Path:
    folder = Path(directory, config)
    if config and not folder.is_dir():
        if folder.name not in (OWN_FILE, SHARED_FILE) or not folder.is_file():
            raise UsageError(
                f"the input config is {config!r}: it takes a {OWN_FILE} or {SHARED_FILE} of the checkout, "
                "or the folder of one."
            )
        return folder.parent
    return folder


def _shards(value: str) -> int:
    if not value.isdecimal() or int(value) > 256:
        raise UsageError(f"the input shards is {value!r}: it takes a number of jobs up to 256, GitHub's limit.")
    return int(value)
