"""Repositories of every shape, through the hook in a real commit: what is judged is the commit, not the disk."""

import os
import sys

import pytest
from conftest import settings
from hooks import BLOCKS, BROKEN, NET, NET_MODEL, OLD_MODEL, Guarded

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]


def test_linked_worktree(guarded, keras3, tmp_path):
    """It has no environment of its own: the main work tree's builds."""
    project = guarded()
    (project.root / ".venv").symlink_to(keras3.parents[1])
    project.edit("pyproject.toml", f'python = "{keras3}"', 'python = ".venv/bin/python"')
    project.write({".gitignore": "/.venv\n__pycache__/\n"})
    project.commit()
    project.git("worktree", "add", "--quiet", "-b", "linked", str(tmp_path / "linked"))
    linked = Guarded(tmp_path / "linked", tmp_path / "home-linked", project.store)
    linked.watch = project.watch
    line = linked.break_net()
    linked.git("add", "--all")
    log = linked.refused("commit", "--message", "rename")
    assert f"net.py:{line}: error: variable-renamed" in log, log
    assert project.git("status", "--porcelain") == ""


def test_inside_of_a_submodule(guarded, tmp_path):
    project = guarded()
    above = Guarded(tmp_path / "above", tmp_path / "home-above", project.store)
    above.git("submodule", "--quiet", "add", str(project.root), "models")
    above.commit()
    inner = Guarded(above.root / "models", tmp_path / "home-inner", project.store)
    inner.watch = project.watch
    assert (inner.root / ".git").is_file()
    inner.install()
    inner.retire()
    assert BROKEN in inner.refused("commit", "--all", "--message", "retire")


def test_model_that_imports_from_a_submodule(guarded, keras3, make_repository):
    """Of a submodule git only says that it changed: the model is built with both of its commits."""
    layers = make_repository("layers", {"blocks.py": BLOCKS})
    project = guarded()
    project.git("rm", "--quiet", "blocks.py")
    project.git("submodule", "--quiet", "add", str(layers.root), "lib")
    project.write(
        {"pyproject.toml": settings(keras3, {"net": NET_MODEL, "old": OLD_MODEL}, timeout=120, pythonpath=["lib"])}
    )
    project.edit("restore-manifest/net.json", '"blocks.py"', '"lib/blocks.py"')
    project.commit()
    layers.commit({"blocks.py": BLOCKS.replace("8", "9")})
    project.git("-C", "lib", "pull", "--quiet")
    project.git("add", "lib")
    log = project.refused("commit", "--message", "newer layers")
    assert "shape-changed" in log and "hidden/kernel" in log, log
    assert "old: " not in log


def test_partial_clone_with_a_sparse_checkout(guarded, keras3, tmp_path):
    """Blobs come from the remote as they are needed; what is not checked out is part of the commit all the same."""
    origin = guarded(name="origin")
    origin.git("config", "uploadpack.allowFilter", "true")
    origin.git("rm", "--quiet", "blocks.py")
    origin.write({"lib/blocks.py": BLOCKS, "lib/unread.bin": "x" * 1000})
    origin.write(
        {"pyproject.toml": settings(keras3, {"net": NET_MODEL, "old": OLD_MODEL}, timeout=120, pythonpath=["lib"])}
    )
    origin.edit("restore-manifest/net.json", '"blocks.py"', '"lib/blocks.py"')
    origin.commit()
    url = f"file://{origin.root}"
    origin.git("clone", "--quiet", "--filter=blob:none", "--sparse", url, str(tmp_path / "partial"))
    project = Guarded(tmp_path / "partial", tmp_path / "home-partial", origin.store)
    project.watch = origin.watch
    assert not (project.root / "lib").exists()
    assert "?" in project.git("rev-list", "--objects", "--missing=print", "HEAD")
    project.install()
    line = project.break_net()
    log = project.refused("commit", "--all", "--message", "rename")
    assert f"net.py:{line}: error: variable-renamed" in log, log
    assert not (project.root / "lib").exists()


def test_shallow_clone(guarded, tmp_path):
    origin = guarded(name="origin")
    origin.git("clone", "--quiet", "--depth=1", f"file://{origin.root}", str(tmp_path / "shallow"))
    project = Guarded(tmp_path / "shallow", tmp_path / "home-shallow", origin.store)
    project.watch = origin.watch
    project.install()
    project.retire()
    assert BROKEN in project.refused("commit", "--all", "--message", "retire")
    # What this clone lacks is said, never taken for nothing.
    run = project.run("check", "--head", "HEAD")
    assert run.code == 3
    assert "git fetch --unshallow" in run.stderr


FOLDER = "Gemeinsame Modelle/größe"


def test_subfolder_with_spaces_and_other_letters_from_a_graphical_client(guarded, keras3):
    """A hook starts at the root, wherever the project is; nothing is active, and PATH has nothing of the user's."""
    project = guarded(name="mono repo ü")
    project.environ["PATH"] = "/usr/bin:/bin"
    project.edit("pyproject.toml", f'python = "{keras3}"\n', "")
    (project.root / FOLDER).mkdir(parents=True)
    project.git("mv", "net.py", "old.py", "blocks.py", "pyproject.toml", "restore-manifest", FOLDER)
    project.write({"pyproject.toml": "[tool.ruff]\n"})
    (project.root / FOLDER / ".venv").symlink_to(keras3.parents[1])
    project.commit()
    net = f"{FOLDER}/net.py"
    project.edit(net, "self.hidden = ", "self.hidden1 = ")
    project.edit(net, "self.hidden(x)", "self.hidden1(x)")
    log = project.refused("commit", "--all", "--message", "rename")
    assert f"{net}:{project.line(net, 'self.hidden1 = ')}: error: variable-renamed" in log, log


def test_several_projects_in_one_repository(guarded, tool):
    """Each gets a hook of its own; a hook that could mean any of them checks none."""
    project = guarded()
    for folder in ("one", "two"):
        for name in ("pyproject.toml", "old.py", "net.py", "blocks.py", "restore-manifest/old.json"):
            project.write({f"{folder}/{name}": (project.root / name).read_text()})
        project.write({f"{folder}/restore-manifest/net.json": (project.root / "restore-manifest/net.json").read_text()})
    project.git("rm", "--quiet", "-r", "pyproject.toml", "old.py", "net.py", "blocks.py", "restore-manifest")
    project.commit()
    attempt = project.attempt("commit", "--allow-empty", "--message", "which one?")
    assert attempt.code == 1 and "exit code: 2" in attempt.log
    assert "restore-guard is configured in one, two" in attempt.log
    assert "args: [--project, one]" in attempt.log
    project.commit({".pre-commit-config.yaml": project.hooks(tool, ["--project", "two"])})
    (project.root / "two/pyproject.toml").write_text(
        (project.root / "two/pyproject.toml").read_text().replace(f"[tool.restore-guard.models.old]\n{OLD_MODEL}\n", "")
    )
    project.git("add", "two")
    log = project.refused("commit", "--message", "retire")
    assert BROKEN in log and "two/pyproject.toml" in log, log


READERS = """\
import pathlib
import tensorflow as tf


def _model(name):
    size = len(pathlib.Path(__file__).with_name(name).read_text().splitlines())
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(size)])


def known():
    return _model("known.txt")


def absent():
    return _model("absent.txt")
"""

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 40\n"

# What `git lfs clean` does: the content goes below .git/lfs, a pointer to it into the commit.
CLEAN = """\
import hashlib, pathlib, sys

content = sys.stdin.buffer.read()
if content.startswith(b"version https://git-lfs"):
    print(content.decode(), end="")
    sys.exit()
oid = hashlib.sha256(content).hexdigest()
path = pathlib.Path(".git/lfs/objects") / oid[:2] / oid[2:4] / oid
path.parent.mkdir(parents=True, exist_ok=True)
path.write_bytes(content)
print(f"version https://git-lfs.github.com/spec/v1\\noid sha256:{oid}\\nsize {len(content)}")
"""


def test_line_endings_lfs_pointers_and_an_untracked_module(guarded, keras3, tmp_path):
    """One commit: CRLF on disk, files that are pointers in the commit, and an import that is shadowed on disk only."""
    project = guarded()
    (tmp_path / "clean.py").write_text(CLEAN)
    project.git("config", "core.autocrlf", "true")
    project.git("config", "filter.lfs.clean", f"{sys.executable} {tmp_path / 'clean.py'}")
    # git-lfs is not on the PATH of every client that commits.
    project.git("config", "filter.lfs.smudge", "git-lfs-is-not-installed smudge -- %f")
    project.git("config", "filter.lfs.required", "true")
    models = {"net": NET_MODEL, "known": 'builder = "readers:known"', "absent": 'builder = "readers:absent"'}
    project.git("rm", "--quiet", "old.py", "restore-manifest/old.json")
    project.write({"readers.py": READERS, ".gitattributes": "*.txt filter=lfs diff=lfs merge=lfs -text\n"})
    project.write({"known.txt": "word\n" * 5, "absent.txt": "word\n" * 7})
    project.write({"pyproject.toml": settings(keras3, models, timeout=120)})
    assert project.run("update").code == 0
    project.commit()
    assert project.git("show", "HEAD:known.txt").startswith("version https://git-lfs")
    for name in ("net.py", "blocks.py"):
        os.remove(project.root / name)
        project.git("checkout", "--quiet", "--", name)
    content = (project.root / "net.py").read_bytes()
    assert content == NET.replace("\n", "\r\n").encode()

    (project.root / "net.py").write_bytes(content.replace(b"self.hidden", b"self.hidden1"))
    # The second as it lies in a clone that was made without git-lfs.
    project.write({"known.txt": "word\n" * 6, "absent.txt": POINTER.format("5" * 64)})
    project.git("add", "--all")
    project.write({"blocks/__init__.py": BLOCKS.replace("8", "5")})
    log = project.refused("commit", "--message", "everything")
    assert f"net.py:{project.line('net.py', 'self.hidden1 = ')}: error: variable-renamed" in log, log
    assert "net: breaks (4 variables" in log
    # The saved and the new kernel differ by the line that the commit adds, not by the lines of two pointers.
    assert "shape-changed" in log and "(4, 5)" in log and "(4, 6)" in log, log
    assert "absent.txt is a pointer of Git LFS here, not the file itself: run `git lfs pull`" in log, log
