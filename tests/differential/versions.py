"""The corpus on many versions of TensorFlow and Keras, each in an environment that is made for it and thrown away.

    scripts/differential --versions [--every N] [--only TEXT]

TensorFlow from the oldest that is judged, each with the Keras of its day; the newest Keras 3 of each minor version on
one TensorFlow. A disagreement is printed, and the exit code is 1 then; so it is where a version could not be tried.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from differential import proof
from differential.frameworks import Framework, Oracle
from differential.table import Table
from restore_guard import folders

# What Keras 3.0 to 3.15 are tried on: all of them work with it.
_ONE = "2.18.1"
_MINORS = (
    *("3.0.5", "3.1.1", "3.2.1", "3.3.3", "3.4.1", "3.5.0", "3.6.0", "3.7.0"),
    *("3.8.0", "3.9.2", "3.10.0", "3.11.3", "3.12.4", "3.13.2", "3.14.1", "3.15.1"),
)
_OF_THEIR_DAY = (
    *(("2.12.1", "2.12.0"), ("2.15.1", "2.15.0"), ("2.16.2", "3.3.3")),
    *(("2.18.1", "3.6.0"), ("2.20.0", "3.11.3"), ("2.21.0", "3.15.1")),
)
_PYTHON = "3.11"


@dataclass(frozen=True)
class Version:
    """A TensorFlow and the Keras beside it."""

    tensorflow: str
    keras: str

    @property
    def framework(self) -> Framework:
        return Framework(f"TensorFlow {self.tensorflow}, Keras {self.keras}", "", f"keras{self.keras[0]}")

    @property
    def requirements(self) -> list[str]:
        """TensorFlow's wheel for processors, where there is one; legacy HDF5 is written by h5py."""
        package = "tensorflow-cpu" if sys.platform != "darwin" and os.uname().machine == "x86_64" else "tensorflow"
        return [f"{package}=={self.tensorflow}", f"keras=={self.keras}", "h5py", "setuptools<81"]


VERSIONS = tuple(dict.fromkeys(Version(*pair) for pair in (*_OF_THEIR_DAY, *((_ONE, minor) for minor in _MINORS))))


def run(table: Table, uv: str, *, every: int, only: str = "") -> None:
    """Judges one pair of the corpus out of `every` on each version whose title has a text in it."""
    pairs = proof.corpus()
    chosen = {name: pairs[name] for name in list(pairs)[::every]}
    for number, version in enumerate(VERSIONS):
        if only not in version.framework.title:
            continue
        # Another part of the corpus for each, so that together they see more of it.
        own = {name: pairs[name] for name in list(pairs)[number % every :: every]} if every > 1 else chosen
        begin = time.monotonic()
        try:
            with folders.temporary() as folder:
                _judge(table, version, own, _environment(uv, folder, version), folder)
            if not any(row == version.framework.title for row, _ in table.counts):
                table.disagreements.append(f"{version.framework.title}: no pair of the corpus could be judged")
        except (subprocess.CalledProcessError, OSError, msgspec.ValidationError) as error:
            table.disagreements.append(f"{version.framework.title} could not be tried: {_said(error)}")
        took = time.monotonic() - begin
        print(f"-- {version.framework.title}: {len(own)} pairs, {took:.0f} s", file=sys.stderr, flush=True)


def _judge(table: Table, version: Version, pairs: proof.Pairs, python: Path, folder: Path) -> None:
    with (folder / "oracle.log").open("w") as log:
        oracle = Oracle(version.framework.title, str(python), log, version.framework)
        try:
            proof.run(table, {oracle.name: oracle}, pairs)
        finally:
            oracle.close()


def _environment(uv: str, folder: Path, version: Version) -> Path:
    """The Python of a new environment that holds a version."""
    own = folder / "environment"
    _ask([uv, "venv", "--quiet", "--python", _PYTHON, str(own)])
    python = own / "bin" / "python"
    # Keras is asked for by its version, whatever TensorFlow would have.
    overrides = folder / "overrides.txt"
    overrides.write_text(f"keras=={version.keras}\n")
    install = [uv, "pip", "install", "--quiet", "--python", str(python), "--override", str(overrides)]
    _ask([*install, *version.requirements])
    return python


def _ask(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def _said(error: Exception) -> str:
    return (getattr(error, "stderr", "") or str(error)).strip()[-500:]
