"""Writes what the loading code of each released TensorFlow and Keras is: see scripts/loading-code."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from environments import ROOT, say

# {package: (its name in the index, the oldest version that is known)}; tensorflow-cpu has the same Python code.
PACKAGES = {
    "tensorflow": ("tensorflow-cpu", (2, 12)),
    "keras": ("keras", (2, 12)),
    "tf_keras": ("tf-keras", (2, 14)),
}
NAMES = {"tensorflow": "TensorFlow", "keras": "Keras", "tf_keras": "tf-keras"}
PYTHON = "3.11"


def main(folder: str | None = None) -> int:
    """Args: folder: wheels that are there already; without it each is downloaded, read and deleted."""
    probe = _probe()
    known = json.loads(Path(probe.KNOWN).read_text()) if Path(probe.KNOWN).exists() and folder is None else {}
    for package, (name, oldest) in PACKAGES.items():
        found = known.setdefault(package, {})
        for version, wheel in _local(Path(folder), name) if folder else _released(name, oldest, set(found)):
            say(f"{package} {version}")
            found[version] = digests(probe, package, wheel)
        known[package] = dict(sorted(found.items(), key=lambda item: _order(item[0])))
    Path(probe.KNOWN).write_text(json.dumps(known, indent=1) + "\n")
    print(table())
    return 0


def table() -> str:
    """What README.md says of the versions that are known."""
    known = json.loads(Path(_probe().KNOWN).read_text())
    paths = list(dict.fromkeys(path for versions in known.values() for path in next(iter(versions.values()))))
    lines = ["| package | releases | " + " | ".join(f"`{path}`" for path in paths) + " |"]
    lines.append("| --- | --- |" + " ---: |" * len(paths))
    for package, versions in known.items():
        releases = list(versions)
        kinds = [str(len({found[path][1] for found in versions.values() if path in found}) or "") for path in paths]
        told = f"{releases[0]} to {releases[-1]} ({len(releases)})"
        lines.append(f"| {NAMES[package]} | {told} | " + " | ".join(kinds) + " |")
    return "\n".join(lines)


def digests(probe: ModuleType, package: str, wheel: Path) -> dict[str, list[str]]:
    """{restore path: [digest of the files, digest of what counts in them]} of a wheel."""
    with zipfile.ZipFile(wheel) as opened:
        read = _reader(opened, package)
        return {
            path: [probe.of_files(read, code), probe.of_functions(read, code)]
            for path, code in probe.CODE[package].items()
        }


def _reader(wheel: zipfile.ZipFile, package: str) -> Callable[[str], bytes | None]:
    names = set(wheel.namelist())

    def read(file: str) -> bytes | None:
        places = (f"{package}/src/{file}", f"{package}/{file}")
        return next((wheel.read(place) for place in places if place in names), None)

    return read


def _released(name: str, oldest: tuple[int, ...], known: set[str]) -> Iterator[tuple[str, Path]]:
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", name], capture_output=True, text=True, check=True
    ).stdout
    versions = re.findall(r"[\d.]+(?:post\d+)?", listed.partition("Available versions:")[2].partition("\n")[0])
    for version in versions:
        if _order(version) < oldest or version in known:
            continue
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
            only = ["--only-binary=:all:", "--python-version", PYTHON, "--dest", folder]
            subprocess.run([*pip, *only, f"{name}=={version}"], check=True)
            (wheel,) = Path(folder).glob("*.whl")
            yield version, wheel
            shutil.rmtree(folder, ignore_errors=True)


def _local(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for wheel in folder.glob(f"{name.replace('-', '_')}-*.whl"):
        yield wheel.name.split("-")[1], wheel


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _probe() -> ModuleType:
    """`restore_guard.probe.loading_code`, without the package around it, which needs what may not be installed."""
    file = ROOT / "hook" / "restore_guard" / "probe" / "loading_code.py"
    spec = importlib.util.spec_from_file_location("loading_code", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
