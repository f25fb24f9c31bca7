"""Whatever is wrong, the command ends with the right code and a sentence, and changes nothing."""

import contextlib
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import pytest
from command_faults import COMMANDS
from conftest import COMMAND, Project, settings
from fault_tables import CONFIG, FAULTS, NO_TENSORFLOW, ONE_COMMIT
from place_faults import HANGS, MOVED, PLACES
from signatures import module

from restore_guard import cli, terminal
from restore_guard.change import git_command
from restore_guard.change.repository import Repository
from restore_guard.change.sides import Sides
from restore_guard.commands import check
from restore_guard.promise import manifest, releases
from restore_guard.promise.manifest import Manifest
from restore_guard.promise.project import Projects

ALL = FAULTS | COMMANDS | PLACES


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    project = Project(folder / "project", folder / "home")
    promise = Manifest("m", ("tf-checkpoint",), module(a=(2,)))
    manifest.write(project.root / "restore-manifest/m.json", promise)
    project.commit({"pyproject.toml": CONFIG, "m.py": "a = 1\n", ".gitignore": "*.log\n"})
    project.commit({"m.py": "b = 2\n"})
    return project.root


def _files(project):
    return {
        path: path.read_bytes()
        for path in project.root.rglob("*")
        if path.is_file() and not path.is_relative_to(project.root / ".git/objects")
    }


@pytest.fixture
def run_here(monkeypatch, capsys):
    """Runs the command in this process, which is ten times as fast."""

    def run(project, arguments):
        with monkeypatch.context() as patch:
            patch.chdir(project.root)
            for name in os.environ.keys() - project.environ.keys():
                patch.delenv(name)
            for name, value in project.environ.items():
                patch.setenv(name, value)
            patch.setattr(tempfile, "tempdir", str(project.temporary))
            patch.setattr(terminal, "_clean_up_when_stopped", lambda: None)
            with pytest.raises(SystemExit) as ended:
                cli.main(list(arguments))
        said = capsys.readouterr()
        return ended.value.code, said.out + said.err

    return run


@pytest.mark.parametrize("fault", ALL)
def test_faults(make_repository, sound, fault, run_here):
    _try(make_repository, sound, ALL[fault], run_here)


@pytest.mark.parametrize("fault", HANGS)
def test_what_hangs_is_stopped(make_repository, sound, fault, run_here, monkeypatch):
    monkeypatch.setattr(git_command, "SECONDS", 3)
    _try(make_repository, sound, HANGS[fault], run_here)


def _try(make_repository, sound, row, run_here):
    change, arguments, code, words = row
    project = make_repository(copy_of=sound)
    change(project)
    before = _files(project)
    begin = time.monotonic()
    ended, said = run_here(project, arguments)
    assert (ended, words in said) == (code, True), said
    assert "This is a bug" not in said
    assert not [line for line in said.splitlines() if line.lstrip().startswith("::")] and "##[" not in said
    assert time.monotonic() - begin < 30
    assert _files(project) == before, "the user's repository changed"
    assert _processes(project) == set(), "a process is left"
    left = [path.name for path in project.temporary.iterdir() if not path.name.startswith("uv-")]  # locks of uv's own
    assert left == [], "something was left among the temporary files"


def _processes(project):
    """What runs with the project's folder for temporary files, whoever is its parent by now; Linux alone tells."""
    found = set()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if os.fsencode(f"TMPDIR={project.temporary}") in environ.read_bytes().split(b"\0"):
                found.add((environ.parent / "cmdline").read_bytes())
    return found


def test_the_command_itself(make_repository, sound):
    project = make_repository(copy_of=sound)
    run = project.run(*ONE_COMMIT)
    assert (run.code, "cannot import TensorFlow" in run.stderr) == (3, True)


def _command(project, *arguments, **more):
    return subprocess.run([COMMAND, *arguments], cwd=project.root, env=project.environ, **more)


def test_a_full_disk_for_the_report(make_repository, sound):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    project = make_repository(copy_of=sound)
    project.commit({"README.md": "x"})
    with open("/dev/full", "w") as full:
        done = _command(project, *ONE_COMMIT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, "cannot be written: No space left" in done.stderr) == (0, True), done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    ("command", "streams", "code"),
    [("rules", ">/dev/full", 3), ("--help", ">/dev/full", 3), ("nonsense", "2>/dev/full", 2)]
    + [(" ".join(ONE_COMMIT), streams, 3) for streams in ("2>/dev/full", ">/dev/full 2>&1")],
)
def test_no_room_for_what_is_told(make_repository, sound, command, streams, code):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    project = make_repository(copy_of=sound)
    line = f'exec "{COMMAND}" {command} {streams}'
    done = subprocess.run(["sh", "-c", line], cwd=project.root, env=project.environ, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams(make_repository, sound, closed):
    project = make_repository(copy_of=sound)
    project.commit({"README.md": "x"})
    line = f'exec "{COMMAND}" {" ".join(ONE_COMMIT)} {closed}'
    done = subprocess.run(["sh", "-c", line], cwd=project.root, env=project.environ, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_a_folder_that_is_gone(make_repository, sound):
    project = make_repository(copy_of=sound)
    gone = project.root / "gone"
    gone.mkdir()
    line = f'rmdir "{gone}"; exec "{COMMAND}" check'
    done = subprocess.run(["sh", "-c", line], cwd=gone, env=project.environ, capture_output=True, text=True)
    assert (done.returncode, "is gone" in done.stderr) == (2, True), done.stderr


def test_no_home(make_repository, sound):
    project = make_repository(copy_of=sound)
    del project.environ["HOME"]
    assert project.run(*ONE_COMMIT).code == 3


def test_no_git(make_repository, sound):
    project = make_repository(copy_of=sound)
    shutil.rmtree(project.root / ".git")
    run = project.run("check")
    assert (run.code, "git finds no repository" in run.stderr) == (2, True)


def test_what_nobody_foresaw_is_one_line_and_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        terminal.finish(lambda: {}["x"])
    said = capsys.readouterr().err
    assert ended.value.code == 3
    assert said.startswith("restore-guard: not checked: KeyError: 'x'. This is a bug") and said.count("\n") == 1
    (details,) = tmp_path.iterdir()
    assert str(details) in said and "Traceback" in details.read_text()


@pytest.mark.parametrize(
    ("content", "unread"),
    [(CONFIG + "x = [", True), (CONFIG + "kwarg = {}", True), ("[project]\n", False), (CONFIG, False)],
)
def test_a_base_that_cannot_be_read_is_not_a_base_that_is_not_there(make_repository, content, unread):
    project = make_repository(files={"pyproject.toml": content, "m.py": "a = 1\n"})
    project.commit({"pyproject.toml": CONFIG, "m.py": "a = 2\n"})
    with Repository(project.root) as repository:
        sides = Sides(repository.commit("HEAD~"), repository.commit("HEAD"))
        found = check.select(repository, sides)
        assert (found.unread, found.projects.base is None) == (unread, content != CONFIG)
        result = check._result(repository, sides, found, [check.ModelResult("m", "restores")])
    assert result.verdict == ("unchecked" if unread else "restores")


REFUSED = {
    "no git": ({"PATH": "/nowhere"}, None, 3, "git does not start"),
    "a broken configuration of git": ({"GIT_CONFIG_COUNT": "x"}, None, 2, "bogus count"),
    "another repository's variables": ({"GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere"}, None, 3, NO_TENSORFLOW),
    "traces of git": ({"GIT_TRACE": "1"}, None, 3, NO_TENSORFLOW),
    "no folder for temporary files": ({"TMPDIR": "/nowhere"}, None, 3, NO_TENSORFLOW),
    "no home": ({"HOME": "/nowhere"}, None, 3, NO_TENSORFLOW),
    "a file for the cache": ({"RESTORE_GUARD_CACHE": "/dev/null"}, None, 3, NO_TENSORFLOW),
    "another encoding": ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}, None, 3, NO_TENSORFLOW),
    "12 open files": ({}, ("RLIMIT_NOFILE", 12), 3, "Too many open files"),
    "no file that may grow": ({}, ("RLIMIT_FSIZE", 0), 3, "That is refused by the system"),
}


@pytest.mark.parametrize("refused", REFUSED)
def test_what_the_system_refuses_is_told_as_that(make_repository, sound, refused):
    resource = pytest.importorskip("resource")
    more, limit, code, words = REFUSED[refused]
    project = make_repository(copy_of=sound)
    set_limit = limit and (lambda: resource.setrlimit(getattr(resource, limit[0]), (limit[1], limit[1])))
    command = [COMMAND, *ONE_COMMIT]
    done = subprocess.run(
        command, cwd=project.root, env=project.environ | more, preexec_fn=set_limit, capture_output=True, text=True
    )
    assert (done.returncode, words in done.stderr, "bug" in done.stderr) == (code, True, False), done.stderr
    assert list(project.temporary.iterdir()) == []


def test_a_project_that_moved_is_compared_with_what_it_was(make_repository, sound):
    project = make_repository(copy_of=sound)
    project.commit(
        {"pyproject.toml": CONFIG.replace("[tool.restore-guard]\n", '[tool.restore-guard]\nreleases = ["v*"]\n', 1)}
    )
    project.git("tag", "v1")
    MOVED["a project that moved into a folder"][0](project)
    with Repository(project.root) as repository:
        found = check.select(repository, Sides(repository.commit("HEAD~"), repository.commit("HEAD")))
        base, head = found.projects
        assert isinstance(base.manifest("m"), Manifest) and base.manifest("m") == head.manifest("m")
        assert {change.old_path for change in found.changes if change.path == "m.py"} == {"m.py"}
        assert (found.chosen, found.notes) == (["m"], [])
        assert [release.tags for release in releases.read(repository, ["v*"], ["m"]).promises["m"]] == [("v1",)]
        assert repository.read(repository.commit("v1"), "m.py") is not None


@pytest.mark.parametrize(
    "name", ["a\nb", "a\u2028b", "%0A::error::x", "::error::x", "-x", "a\udcff", "a\x1b[31m", "*[a]?"]
)
def test_odd_names_of_the_repository(make_repository, sound, run_here, name):
    project = make_repository(f"odd/{name}", copy_of=sound)
    for arguments in (ONE_COMMIT, ("check", "--base", "HEAD~"), ("plan", "--shards", "2", "--all")):
        ended, said = run_here(project, arguments)
        assert ended in (0, 3) and "This is a bug" not in said, said
        assert not [line for line in said.splitlines() if line.lstrip().startswith("::")]


def test_30_000_models_are_told_of_at_once(make_repository, sound):
    project = make_repository(copy_of=sound)
    with Repository(project.root) as repository:
        sides = Sides(repository.commit("HEAD~"), repository.commit("HEAD"))
        found = check.select(repository, sides)
        model = found.projects.head.config.models["m"]
        many = msgspec.structs.replace(found.projects.head.config, models={f"m{n}": model for n in range(30_000)})
        head = dataclasses.replace(found.projects.head, config=many, manifests=dict.fromkeys(many.models, b"{}"))
        found = found._replace(projects=Projects(None, head), chosen=list(many.models)[::2])
        judged = [check.ModelResult(name, "restores") for name in reversed(found.chosen)]
        begin = time.process_time()
        result = check._result(repository, sides, found, judged)
        assert time.process_time() - begin < 5
    assert [one.name for one in result.models] == list(many.models)


def test_10_000_models_are_read_at_once(make_repository, sound, run_here):
    project = make_repository(copy_of=sound)
    models = {f"m{number}": 'builder = "m:build"' for number in range(10_000)}
    ignored = '[[tool.restore-guard.ignore]]\nmodel = "m1"\nrule = "not-saved"\nreason = "x"\n' * 1000
    project.commit({"pyproject.toml": settings(sys.executable, models) + ignored})
    project.commit({"README.md": "x"})
    begin = time.process_time()
    code, said = run_here(project, ("plan", "--shards", "4", "--all", *ONE_COMMIT[1:]))
    assert (code, said.count("m9999")) == (0, 1)
    assert time.process_time() - begin < 8
