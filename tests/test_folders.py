"""Folders of the tool's own: gone when the run is over, whatever lies in them, and nobody else's are touched."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from restore_guard import folders


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, ValueError])
def test_gone_however_the_run_ends(end):
    with pytest.raises(end), folders.temporary() as folder:
        (folder / "file").touch()
        raise end
    assert not folder.exists()


def test_gone_where_a_signal_comes_while_it_is_removed(monkeypatch):
    real = folders.shutil.rmtree
    calls = []

    def interrupted(path, **more):
        calls.append(path)
        if len(calls) == 1:
            raise KeyboardInterrupt
        real(path, **more)

    monkeypatch.setattr(folders.shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt), folders.temporary() as folder:
        pass
    assert not folder.exists()


READ_ONLY = """
import os, tempfile
from restore_guard import folders
if os.geteuid() == 0:  # to whom nothing is forbidden
    os.setgroups([]), os.setresgid(*[65534] * 3), os.setresuid(*[65534] * 3)
of_the_user = tempfile.mkdtemp()
with folders.temporary() as folder:
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/file").touch()
    os.symlink(of_the_user, folder / "a/link")
    os.chmod(of_the_user, 0o500)
    for mode, place in ((0o400, "a/b/file"), (0o500, "a/b"), (0o000, "a"), (0o500, "")):
        os.chmod(folder / place, mode)
    try:
        os.mkdir(folder / "forbidden")
    except PermissionError:
        print("forbidden")
print(folder.exists(), oct(os.stat(of_the_user).st_mode & 0o777))
os.rmdir(of_the_user)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_what_a_build_has_forbidden_to_remove_is_removed():
    package = Path(folders.__file__).parents[1]
    environ = {**os.environ, "TMPDIR": "/tmp", "PYTHONPATH": str(package)}
    done = subprocess.run([sys.executable, "-c", READ_ONLY], capture_output=True, text=True, env=environ)
    assert done.stdout.split() == ["forbidden", "False", "0o500"], done.stderr


def test_what_cannot_be_removed_costs_nobody_a_verdict(monkeypatch):
    def refuses(path, ignore_errors=False):
        if not ignore_errors:
            raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch, folders.temporary() as folder:
        patch.setattr(folders.shutil, "rmtree", refuses)
        verdict = "restores"
    assert verdict == "restores"
    folders.remove(folder)


KILLED = """
import time
from restore_guard import folders
with folders.temporary() as folder:
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no locks of POSIX")
def test_the_next_run_clears_what_a_killed_one_has_left(monkeypatch, tmp_path):
    environ = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(folders.__file__).parents[1])}
    runs = [
        subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, env=environ) for _ in "ab"
    ]
    killed, running = (Path(run.stdout.readline().strip()) for run in runs)
    runs[0].send_signal(signal.SIGKILL)
    runs[0].wait()
    others = tmp_path / "of-somebody-else"
    others.mkdir()
    young = tmp_path / f"restore-guard-run-{'0' * 16}"
    young.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for path in (killed, running, others):
        os.utime(path, (1, 1))
    folders.remove_abandoned()
    assert [path.exists() for path in (killed, running, others, young)] == [False, True, True, True]
    runs[1].kill()
    runs[1].wait()
    for run in runs:
        run.stdout.close()


@pytest.mark.parametrize(
    "name",
    [
        *("restore-guard-demo", "restore-guard-template", "restore-guard-run-2026", "restore-guard-report-1a2b3c4d"),
        f"restore-guard-run-{'0' * 16}-kept",
        f"my-restore-guard-run-{'0' * 16}",
    ],
)
def test_a_folder_that_a_user_names_alike_stays(name, tmp_path):
    (tmp_path / name / ".git").mkdir(parents=True)
    os.utime(tmp_path / name, (1, 1))
    folders.remove_abandoned(tmp_path)
    assert (tmp_path / name / ".git").exists()


def test_a_link_with_our_name_is_not_followed(monkeypatch, tmp_path):
    (tmp_path / "precious").mkdir()
    link = tmp_path / f"restore-guard-run-{'0' * 16}"
    link.symlink_to(tmp_path / "precious")
    os.utime(link, (1, 1), follow_symlinks=False)
    folders.remove_abandoned(tmp_path)
    assert (tmp_path / "precious").exists()


def test_who_holds_a_folder(tmp_path):
    first = folders.hold(tmp_path, alone=False)
    second = folders.hold(tmp_path, alone=False)
    with pytest.raises(BlockingIOError):
        folders.hold(tmp_path)
    os.close(first)
    os.close(second)
    alone = folders.hold(tmp_path)
    with pytest.raises(BlockingIOError):
        folders.hold(tmp_path, alone=False)
    os.close(alone)
    assert folders.hold(tmp_path / "gone") is None


def test_the_cache(monkeypatch, tmp_path):
    assert folders.cache_folder({"RESTORE_GUARD_CACHE": str(tmp_path)}) == tmp_path
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folders.cache_folder({}) == tmp_path / "restore-guard"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folders.cache_folder({}) == tmp_path / ".cache/restore-guard"


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert folders.cache_folder({}) is None


def test_a_half_written_file_of_a_killed_run_is_removed_by_the_next(tmp_path):
    old, young = tmp_path / f"{folders._HALF}old", tmp_path / f"{folders._HALF}young"
    for path in (old, young):
        path.write_text("ha")
    os.utime(old, (1, 1))
    folders.write(tmp_path / "file", b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, "file"]
    assert (tmp_path / "file").read_bytes() == b"whole" and (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_a_write_that_fails_leaves_the_file_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        folders.write(tmp_path / "file", b"new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"file": "old"}
