"""Virtual environments below `.venvs/`: made on first use, made again when what they shall hold changed."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venvs"
BIN = "Scripts" if os.name == "nt" else "bin"
# Between two signs of life of something that takes long.
_BEAT = 5.0


class SetupError(Exception):
    """An environment cannot be made; the message says why and what to do."""


def create(name: str, versions: str, groups: Sequence[str], *, project: bool = False) -> Path:
    """Returns the Python of the environment `name`, as it is or newly made.

    Args:
        versions: the Pythons that will do, such as ">=3.9,<3.12".
        groups: the dependency groups of pyproject.toml that it holds.
        project: whether it holds restore-guard too, as an editable install.

    Raises:
        SetupError: no such Python, or something cannot be installed.
    """
    folder = FOLDER / name
    python, stamp = folder / BIN / "python", folder / "restore-guard.stamp"
    wanted = _digest(versions, groups, project)
    if python.exists() and stamp.is_file() and stamp.read_text() == wanted:
        return python
    settings = {**os.environ, **index_settings(), "UV_PYTHON_DOWNLOADS": "never"}
    uv = str(uv_command())
    what = [word for group in groups for word in ("--group", group)] + (["--editable", "."] if project else [])
    _run(
        f"environment {name}: creating",
        [uv, "venv", "--quiet", "--clear", "--python", _interpreter(uv, versions, settings), str(folder)],
        settings,
    )
    begin = time.monotonic()
    _run(
        f"environment {name}: installing",
        [uv, "pip", "install", "--compile-bytecode", "--python", str(python), *what],
        settings,
    )
    stamp.write_text(wanted)
    say(f"environment {name}: ready after {time.monotonic() - begin:.0f} s")
    return python


def command(python: Path, name: str) -> str:
    """A command of the environment that `python` belongs to."""
    return str(python.parent / name)


def say(sentence: str) -> None:
    print(f"-- {sentence}", flush=True)


def index_settings() -> dict[str, str]:
    """Where pip installs from, by its configuration and environment, in the variables of uv, which reads neither.

    What the user says to uv itself stays in force.
    """
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    found: dict[str, str] = {}
    # The later scope wins, as in pip: pip.conf for all commands, pip.conf for install, the environment.
    for scope in ("global.", "install.", ":env:."):
        for line in listed.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(scope):
                found[key.removeprefix(scope)] = ast.literal_eval(value)
    settings = {}
    if "index-url" in found:
        settings["UV_DEFAULT_INDEX"] = found["index-url"]
    if "extra-index-url" in found:
        settings["UV_INDEX"] = " ".join(found["extra-index-url"].split())
        settings["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # as pip does
    if "find-links" in found:
        settings["UV_FIND_LINKS"] = ",".join(found["find-links"].split())
    if "cert" in found:
        settings["SSL_CERT_FILE"] = found["cert"]
    return {name: value for name, value in settings.items() if name not in os.environ}


def uv_command() -> Path:
    """uv, in an environment of its own: it installs TensorFlow in a fraction of pip's time and disk."""
    folder = FOLDER / "uv"
    uv = folder / BIN / ("uv.exe" if os.name == "nt" else "uv")
    if uv.exists():
        return uv
    FOLDER.mkdir(exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    _run("uv: creating its environment", [sys.executable, "-m", "venv", str(folder)], os.environ)
    pip = [str(folder / BIN / "python"), "-m", "pip", "--disable-pip-version-check", "install", "uv"]
    _run("uv: installing", pip, os.environ)
    return uv


def _interpreter(uv: str, versions: str, settings: Mapping[str, str]) -> str:
    find = [uv, "python", "find", "--no-project", versions]
    found = subprocess.run(find, env=settings, cwd=ROOT, capture_output=True, text=True)
    if found.returncode:
        raise SetupError(f"there is no Python {versions} on this machine. Install one so that it is on PATH.")
    return found.stdout.strip()


def _digest(versions: str, groups: Sequence[str], project: bool) -> str:
    """What an environment depends on: the requirements, and where and for which machine it was made."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [str(ROOT), platform.platform(), versions, settings["tool"]["uv"], *groups, settings["dependency-groups"]]
    if project:
        parts += [settings["project"], settings["build-system"], settings["tool"]["hatch"]]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _run(what: str, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Runs a command in silence but for a line every few seconds; what it printed is shown if it fails."""
    say(what)
    begin = beat = time.monotonic()
    with tempfile.TemporaryFile() as output:
        with subprocess.Popen(arguments, env=environ, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT) as process:
            while True:
                try:
                    process.wait(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    now = time.monotonic()
                    if now - beat >= _BEAT:
                        beat = now
                        say(f"{what}, {now - begin:.0f} s")
                except BaseException:
                    process.terminate()
                    raise
        if process.returncode:
            output.seek(0)
            raise SetupError(f"{what} failed:\n{output.read().decode(errors='replace').strip()}")
