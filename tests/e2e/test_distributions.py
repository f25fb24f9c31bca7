"""The wheel and the source distribution: built, checked, installed and run as users do, by name where they do so."""

import json
import shlex
import subprocess
import zipfile
from pathlib import Path

import pytest
from adoption import repositories
from signatures import module
from test_gitlab import template

from restore_guard.promise.manifest import Manifest, dump

VERSION = "9999.1"
"""Newer than any that an index may have, and in pyproject.toml alone: whatever knows it has read it there."""

PROMISED = dump(Manifest("net", ("tf-checkpoint",), module(kernel=(2, 3)))).decode()
NET, OLD = ('[models.net]\nbuilder = "net:build"\n', '[models.old]\nbuilder = "net:old"\n')
FILES = {
    "net.py": "def build(): ...\n",
    "restore-guard.toml": NET + OLD,
    "restore-manifest/net.json": PROMISED,
    "restore-manifest/old.json": PROMISED.replace('"net"', '"old"'),
}


@pytest.fixture(scope="module")
def run(index_settings, managers, tmp_path_factory):
    """Runs a command of an installer, or git; returns what it printed."""
    from conftest import Project

    folder = tmp_path_factory.mktemp("installers")
    environ = Project(folder / "unused", folder / "home").environ
    # The user's own cache and settings: where packages come from.
    environ |= {"HOME": str(Path.home()), "UV_PYTHON_DOWNLOADS": "never", **index_settings}
    environ |= {"PIPX_HOME": str(folder / "pipx"), "RESTORE_GUARD_CACHE": str(folder / "cache")}

    def run(*command, cwd, code=0):
        words = [str(managers / command[0]) if (managers / command[0]).exists() else command[0], *command[1:]]
        done = subprocess.run(list(map(str, words)), cwd=cwd, env=environ, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr  # where git sends what a hook says

    return run


@pytest.fixture(scope="module")
def distributions(run, tool, tmp_path_factory):
    """A folder with both, of this source but for the version."""
    source, folder = tmp_path_factory.mktemp("source") / "restore-guard", tmp_path_factory.mktemp("dist")
    run("git", "clone", "--quiet", tool, source, cwd=folder)
    settings = source / "pyproject.toml"
    lines = settings.read_text().splitlines()
    (number,) = [number for number, line in enumerate(lines) if line.startswith("version = ")]
    lines[number] = f'version = "{VERSION}"'
    settings.write_text("\n".join(lines) + "\n")
    run("uv", "build", "--quiet", "--out-dir", folder, source, cwd=folder)
    return folder


def test_twine_finds_nothing(distributions):
    from hooks import TOOLS

    files = [str(path) for path in distributions.iterdir() if path.suffix in (".whl", ".gz")]
    assert len(files) == 2
    done = subprocess.run([TOOLS / "twine", "check", "--strict", *files], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.count("PASSED") == 2, done.stdout


def test_wheel_holds_the_package_and_all_its_data(distributions):
    (wheel,) = distributions.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = Path(__file__).resolve().parents[2] / "hook"
    there = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert held == {name for name in there if "__pycache__" not in name}


def test_uvx_by_name(run, distributions, make_repository):
    project = make_repository(files=FILES)
    project.commit({"README.md": "other words\n"})
    uvx = ("uv", "tool", "run", "--find-links", distributions, "restore-guard")
    assert run(*uvx, "--version", cwd=project.root) == f"restore-guard, version {VERSION}\n"
    assert "variable-renamed" in run(*uvx, "rules", cwd=project.root)
    assert run(*uvx, "check", "--base", "HEAD~1", cwd=project.root).startswith("2 models")
    project.commit({"restore-guard.toml": NET})
    assert "error: model-removed" in run(*uvx, "check", "--base", "HEAD~1", cwd=project.root, code=1)


def test_pipx_from_the_source_distribution(run, distributions, tmp_path):
    (sdist,) = distributions.glob("*.tar.gz")
    pipx = ("pipx", "run", "--spec", sdist, "restore-guard")
    assert run(*pipx, "--version", cwd=tmp_path) == f"restore-guard, version {VERSION}\n"
    assert '"$schema"' in run(*pipx, "schema", "config", cwd=tmp_path)


def test_gitlab_job_from_its_first_line(run, distributions, make_repository, tmp_path):
    """In an environment of its own, as the image of the job is; the index is where pip finds packages."""
    job, project = template(), make_repository(files=FILES | {"requirements.txt": ""})
    base = project.git("rev-parse", "HEAD")
    project.commit({"restore-guard.toml": NET})
    run("uv", "venv", "--quiet", "--seed", tmp_path / "image", cwd=tmp_path)
    lines = "\n".join(["set -e", f"PATH={tmp_path}/image/bin:$PATH", *job["before_script"], *job["script"]])
    given = f"export PIP_FIND_LINKS={distributions} CI_MERGE_REQUEST_DIFF_BASE_SHA={base}\n"
    said = run("sh", "-c", given + lines, cwd=project.root, code=1)
    assert f"restore-guard-{VERSION}" in said, said
    report = json.loads((project.root / job["artifacts"]["reports"]["codequality"]).read_text())
    assert [issue["check_name"] for issue in report] == ["model-removed"]


@pytest.mark.tensorflow
def test_stranger_goes_from_uvx_to_a_refused_break(run, distributions, managers, keras3, make_repository):
    """A repository of the corpus with an environment of its own: nothing is installed, and no line written by hand."""
    project = make_repository(files=repositories.load("dataclass_config").files | {".gitignore": ".venv\n"})
    (project.root / ".venv").symlink_to(keras3.parents[1])
    uvx = ("uv", "tool", "run", "--find-links", distributions, "restore-guard")
    assert "Transformer" in run(*uvx, "init", "--yes", cwd=project.root)
    (manifest,) = (project.root / "restore-manifest").iterdir()
    project.commit(message="Guard checkpoints")
    hook = project.root / ".git/hooks/pre-commit"
    hook.write_text(f"#!/bin/sh\nexec {shlex.join(map(str, (managers / uvx[0], *uvx[1:])))} check --staged\n")
    hook.chmod(0o755)
    project.edit("transformer/model.py", "self.head = ", "self.logits = ")
    project.edit("transformer/model.py", "return self.head(", "return self.logits(")
    line = project.line("transformer/model.py", "self.logits = ")
    before = project.git("rev-parse", "HEAD")
    project.git("add", "--all")
    done = run("git", "commit", "--message", "rename", cwd=project.root, code=1)
    assert f"transformer/model.py:{line}: error: variable-renamed" in done
    assert f'restore-guard update {manifest.stem} --accept-break "REASON"' in done
    assert project.git("rev-parse", "HEAD") == before
