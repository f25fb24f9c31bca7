"""One table of faults: whatever is wrong, the command ends with the right code and a sentence, and changes nothing.

No row needs TensorFlow: the Python that is named has none, so a run that comes as far as building is unchecked.
"""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import COMMAND, settings

from restore_guard import terminal
from restore_guard.change.repository import Repository
from restore_guard.change.sides import Sides
from restore_guard.commands import check

NO_TENSORFLOW = "cannot import TensorFlow"
MODELS = {"m": 'builder = "m:build"'}
CONFIG = settings(sys.executable, MODELS)
ONE_COMMIT = ("check", "--base", "HEAD~", "--head", "HEAD")


def _config(text):
    return lambda project: project.commit({"pyproject.toml": text})


def _model(line):
    return _config(CONFIG + line + "\n")


def _file(name, text):
    return lambda project: project.commit({name: text})


def _lose(revision):
    def lose(project):
        name = project.git("rev-parse", revision)
        (project.root / ".git/objects" / name[:2] / name[2:]).unlink()

    return lose


def _setting(name, value):
    return lambda project: project.git("config", name, value)


def _index(project):
    (project.root / ".git/index").write_bytes(b"junk")


def _per_commit(project):
    project.commit({"pyproject.toml": settings(sys.executable, MODELS, environment="per-commit")})


def _includes(line):
    def include(project):
        _per_commit(project)
        project.commit({"requirements.txt": f"tensorflow==2.15.1\n{line}\n", "m.py": "c = 3\n"})

    return include


# name: (what is done to a sound repository, the command, its exit code, words of what it says)
FAULTS = {
    "none": (lambda _: None, ONE_COMMIT, 3, NO_TENSORFLOW),
    "no configuration": (_config("[project]\n"), ONE_COMMIT, 2, "not configured"),
    "no model": (_config("[tool.restore-guard]\ntimeout = 3\n"), ONE_COMMIT, 2, "configures no model"),
    "a date for the builder": (_model("kwargs = { start = 2024-01-01 }"), ONE_COMMIT, 2, "m.kwargs.start: expected"),
    "a time in a list": (_model("kwargs = { a = [[07:32:00]] }"), ONE_COMMIT, 2, "kwargs.a"),
    "an unknown key": (_model("kwarg = {}"), ONE_COMMIT, 2, "did you mean kwargs?"),
    "no function": (_config(CONFIG.replace("m:build", "m")), ONE_COMMIT, 2, "m.builder: expected a function"),
    "a number of 5000 digits": (_config(f"{CONFIG}x = {'9' * 5000}\n"), ONE_COMMIT, 2, "not valid TOML"),
    "3000 levels": (_config(f"{CONFIG}x = {'[' * 3000}\n"), ONE_COMMIT, 2, "not valid TOML"),
    "half a table": (_config(CONFIG + "[tool.restore"), ONE_COMMIT, 2, "not valid TOML"),
    "a merge in the configuration": (_config(f"<<<<<<< a\n{CONFIG}"), ONE_COMMIT, 2, "not valid TOML"),
    "manifests outside": (_config(settings(sys.executable, MODELS, manifests="../x")), ONE_COMMIT, 2, "manifests"),
    "two configurations": (
        _file("restore-guard.toml", '[models.m]\nbuilder = "m:build"\n'),
        *(ONE_COMMIT, 2, "both configure restore-guard"),
    ),
    "an unknown base": (lambda _: None, ("check", "--base", "nowhere", "--head", "HEAD"), 3, "no such commit"),
    "an option for a base": (lambda _: None, ("check", "--base", "--output=x"), 3, "no such commit"),
    "an unknown model": (lambda _: None, (*ONE_COMMIT, "other"), 2, "not a configured model"),
    "two heads": (lambda _: None, ("check", "--staged", "--worktree"), 2, "exclude each other"),
    "the head's tree is lost": (_lose("HEAD^{tree}"), ONE_COMMIT, 3, "missing or damaged"),
    "the base's tree is lost": (_lose("HEAD~^{tree}"), ONE_COMMIT, 3, "missing or damaged"),
    "the base is lost": (_lose("HEAD~"), ONE_COMMIT, 3, "no such commit"),
    "a file of the head is lost": (_lose("HEAD:m.py"), ONE_COMMIT, 3, "run git fsck"),
    "the configuration is lost": (_lose("HEAD:pyproject.toml"), ONE_COMMIT, 3, "run git fsck"),
    "an index of junk": (_index, ("check", "--staged"), 3, "git"),
    "colours always": (_setting("color.ui", "always"), ONE_COMMIT, 3, NO_TENSORFLOW),
    "submodules always": (_setting("submodule.recurse", "true"), ONE_COMMIT, 3, NO_TENSORFLOW),
    "an order of files": (_setting("diff.orderFile", "nowhere"), ONE_COMMIT, 3, NO_TENSORFLOW),
    "a pager": (_setting("core.pager", "false"), ONE_COMMIT, 3, NO_TENSORFLOW),
    "an external diff": (
        _setting("diff.external", "false"),
        ("check", "--worktree", "--base", "HEAD~"),
        3,
        NO_TENSORFLOW,
    ),
    "no lock file": (_per_commit, ONE_COMMIT, 3, "needs one of uv.lock"),
    "a requirements file outside": (_includes("-r ../outside.txt"), ONE_COMMIT, 3, "no file of the repository"),
    "an absolute requirements file": (_includes("-r /etc/hostname"), ONE_COMMIT, 3, "no file of the repository"),
    "a constraints file that is gone": (_includes("-c gone.txt"), ONE_COMMIT, 3, "requirements.txt:2: gone.txt"),
    "a lock that is of pdm": (
        lambda project: (_per_commit(project), project.commit({"pdm.lock": "", "m.py": "c = 4\n"})),
        *(ONE_COMMIT, 3, "pdm export"),
    ),
    "no such Python": (_config(settings("/nowhere/python", MODELS)), ONE_COMMIT, 2, "there is no such Python"),
    "a report that cannot be written": (
        _file("README.md", "x"),
        *(("check", "--base", "HEAD~", "--head", "HEAD", "--output", "/nowhere/x"), 0, "cannot be written"),
    ),
    "a checkpoint that is not there": (lambda _: None, ("audit", "gone.keras"), 2, "there is no such checkpoint"),
    "a rule that is none": (lambda _: None, ("explain", "no-such"), 2, "there is no rule"),
    "a report that is none": (_file("r.json", '{"schema": \xff'), ("report", "r.json"), 3, "not a JSON report"),
    "a report of half a character": (
        _file("r.json", '{"schema": "\\ud800"}'),
        ("report", "r.json"),
        3,
        "not a JSON report",
    ),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    from conftest import Project

    folder = tmp_path_factory.mktemp("sound")
    project = Project(folder / "project", folder / "home")
    project.commit({"pyproject.toml": CONFIG, "m.py": "a = 1\n", ".gitignore": "*.log\n"})
    project.commit({"m.py": "b = 2\n"})
    return project.root


def _files(project):
    return {
        path: path.read_bytes()
        for path in project.root.rglob("*")
        if path.is_file() and not path.is_relative_to(project.root / ".git/objects")
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(make_repository, sound, fault):
    change, arguments, code, said = FAULTS[fault]
    project = make_repository(copy_of=sound)
    change(project)
    before = _files(project)
    run = project.run(*arguments)
    assert (run.code, said in run.stdout + run.stderr) == (code, True), (run.code, run.stdout, run.stderr)
    assert _files(project) == before, "the user's repository changed"
    assert list(project.temporary.iterdir()) == [], "something was left among the temporary files"


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
