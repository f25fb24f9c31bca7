"""Environments of lock files: what uv is given, where anything is written, and how long it is kept."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from restore_guard import folders
from restore_guard.environments import kept, locked, lockfiles, variables
from restore_guard.environments.lockfiles import Lock
from restore_guard.errors import UncheckedError

UV = f"""#!{sys.executable}
import json, os, pathlib, sys
here = pathlib.Path(os.environ["HOME"])
own = pathlib.Path.cwd()
while not own.name.startswith("restore-guard-"):
    own = own.parent
files = sorted(str(path.relative_to(own)) for path in own.rglob("*") if path.is_file())
with open(here / "calls", "a") as log:
    log.write(json.dumps([sys.argv[1:], os.getcwd(), files, dict(os.environ)]) + "\\n")
if (here / "refuse").exists() and "--no-build" in sys.argv:
    sys.exit("a build script is needed")
if (here / "fail").exists() and sys.argv[1] == "pip":
    sys.exit("no such package")
target = sys.argv[-1] if sys.argv[1] == "venv" else os.environ["UV_PROJECT_ENVIRONMENT"]
python = pathlib.Path(target, "bin/python")
python.parent.mkdir(parents=True, exist_ok=True)
python.touch()
"""


class Bench:
    def __init__(self, root):
        self.root, self.cache = root, root / "cache"
        (root / "bin").mkdir()
        (root / "bin/uv").write_text(UV)
        (root / "bin/uv").chmod(0o755)
        self.environ = {
            "PATH": f"{root}/bin:{os.environ['PATH']}",
            "HOME": str(root),
            "RESTORE_GUARD_CACHE": str(self.cache),
        }

    def make(self, text="tensorflow==2.15.1\n", **environ):
        lock = Lock("requirements.txt", {"requirements.txt": text.encode()}, None)
        return locked.python(lock, self.environ | environ)

    @property
    def calls(self):
        return [json.loads(line) for line in (self.root / "calls").read_text().splitlines()]

    @property
    def home(self):
        return self.cache / "environments"


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_made_once_and_found_again(bench):
    python = bench.make()
    assert python.is_file() and python.is_relative_to(bench.home)
    assert bench.make() == python
    assert [call[0][:2] for call in bench.calls] == [["venv", bench.calls[0][0][1]], ["pip", "install"]]
    assert [path.name for path in bench.home.iterdir()] == [python.parents[1].name]


def test_what_is_to_be_resolved_is_resolved_into_a_file_and_installed_from_it(bench):
    given = ("requirements.txt", "--output-file", "kept.txt")
    lock = Lock("uv.lock", {"requirements.txt": b"", "kept.txt": b"numpy==1\n"}, None, given, resolved="kept.txt")
    python = locked.python(lock, bench.environ)
    made = bench.calls[0][0][-1]
    assert [call[0] for call in bench.calls] == [
        ["venv", made],
        ["pip", "compile", "--python", made, *given],
        ["pip", "install", "--python", made, "--requirement", "kept.txt"],
    ]
    assert locked.python(lock, bench.environ) == python and len(bench.calls) == 3


def test_included_files_stay_in_a_folder_of_the_run(bench):
    (bench.root / "x.txt").write_text("mine")
    contents = {
        "requirements.txt": b"-r ../../base.txt\n",
        "../../base.txt": b"-r deep/x.txt\n",
        "../../deep/x.txt": b"",
    }
    before = tree(bench.root)
    locked.python(Lock("requirements.txt", contents, None), bench.environ)
    files = bench.calls[0][2]
    assert sorted(files) == ["base.txt", "deep/x.txt", "project/project/requirements.txt"]
    after = tree(bench.root)
    added = {path for path in after.keys() - before.keys() if path != "calls" and "/bin/python" not in path}
    assert added == set()
    assert {path: after[path] for path in before} == before


def test_nothing_is_written_elsewhere_whatever_a_lock_says(bench):
    target = bench.root / "abs.txt"
    target.write_text("mine")
    with pytest.raises(UncheckedError, match="no file of the repository"):
        locked.python(Lock("requirements.txt", {"requirements.txt": b"", str(target): b"theirs"}, None), bench.environ)
    assert target.read_text() == "mine"


SECRETS = (
    "HF_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "NPM_AUTH",
    "WHATEVER",
    "MY_PSWD",
    "hf_token",
    "TF_VAR_db",
)


def test_no_secret_reaches_uv(bench):
    bench.make(**dict.fromkeys(SECRETS, "x"), UV_INDEX_URL="https://example.org/simple", SSL_CERT_FILE="/c.pem")
    for _, _, _, seen in bench.calls:
        assert seen.keys() & set(SECRETS) == set()
        assert (seen["UV_INDEX_URL"], seen["SSL_CERT_FILE"]) == ("https://example.org/simple", "/c.pem")


LOGINS = {"UV_INDEX_MINE_PASSWORD": "x", "UV_DEFAULT_INDEX": "https://me:x@example.org/simple"}


def test_logins_are_there_where_no_code_of_a_package_runs(bench):
    bench.make(**LOGINS)
    _, install = bench.calls
    assert install[0][-1] == "--no-build" and install[3].keys() >= LOGINS.keys()
    (bench.root / "refuse").touch()
    bench.make("keras==3\n", **LOGINS)
    _, _, _, refused, built = bench.calls
    assert refused[0][-1] == "--no-build" and "--no-build" not in built[0]
    assert built[3].keys() & LOGINS.keys() == set()
    (bench.root / "fail").touch()
    with pytest.raises(UncheckedError, match="(?s)a build script is needed.*Without the logins.*no such package"):
        bench.make("keras==2\n", **LOGINS)


def test_only_a_few_are_kept_and_none_that_is_in_use(bench, monkeypatch):
    monkeypatch.setattr(kept, "_held", [])
    used = bench.make("used\n")
    for descriptor in kept._held[1:]:
        os.close(descriptor)
    for number in range(kept.MOST + 3):
        folder = bench.home / f"{number:032}"
        (folder / "bin").mkdir(parents=True)
        (folder / "bin/python").touch()
        os.utime(folder, (1000 + number, 1000 + number))
    of_the_user = [bench.home / name for name in ("mine", "0123")]
    for folder in of_the_user:
        folder.mkdir()
        os.utime(folder, (1, 1))
    os.utime(used.parents[1], (1, 1))
    newest = bench.make("new\n")
    assert all(folder.exists() for folder in of_the_user)
    left = {path.name for path in bench.home.iterdir()}
    oldest = {f"{number:032}" for number in range(4)}
    assert left >= {used.parents[1].name, newest.parents[1].name} and not left & oldest
    assert len(left) == kept.MOST + 1 + len(of_the_user)


def test_what_a_killed_run_has_left_is_removed(bench):
    abandoned = bench.home / f".making-{'0' * 16}"
    (abandoned / "environment").mkdir(parents=True)
    os.utime(abandoned, (1, 1))
    with folders.temporary(bench.home, ".making-") as used:
        os.utime(used, (1, 1))
        bench.make()
        assert used.exists() and not abandoned.exists()


def test_what_cannot_be_kept_is_told(bench, monkeypatch):
    def fails(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(locked.os, "rename", fails)
    with pytest.raises(UncheckedError, match="could not be kept in .*: Permission denied. Make room"):
        bench.make()
    (bench.root / "file").touch()
    with pytest.raises(UncheckedError, match="could not be kept"):
        bench.make(RESTORE_GUARD_CACHE=f"{bench.root}/file")


def test_another_run_that_was_first_is_no_failure(bench, monkeypatch):
    real = os.rename

    def later(source, target):
        (Path(target) / "bin").mkdir(parents=True)
        (Path(target) / "bin/python").touch()
        real(source, target)

    monkeypatch.setattr(locked.os, "rename", later)
    assert bench.make().is_file()


def test_a_uv_that_hangs_is_stopped(bench, monkeypatch):
    monkeypatch.setattr(locked, "_SECONDS", 0.2)
    (bench.root / "bin/uv").write_text("#!/bin/sh\nexec sleep 60\n")
    begin = time.monotonic()
    with pytest.raises(UncheckedError, match="took longer than 0.2 seconds"):
        bench.make()
    assert time.monotonic() - begin < 20


# --- which files belong to a lock ----------------------------------------------------------------------------


def test_included_files_are_read_from_the_side_and_nowhere_else(make_repository):
    from restore_guard.change.repository import Repository

    project = make_repository(
        files={
            "base.txt": "numpy<2\n-r app/req.txt\n",  # a circle
            "app/req.txt": "-r ../base.txt\n",
            "app/requirements.txt": "-r req.txt\n-c https://example.org/limits.txt\ntensorflow==2.15.1\n",
            "app/pyproject.toml": '[tool.restore-guard.models.m]\nbuilder = "m:build"\n',
        }
    )
    with Repository(project.root / "app") as repository:
        for side in (repository.commit("HEAD"), repository.worktree()):
            lock = lockfiles.lock_of(repository.reader(side))
            assert sorted(lock.contents) == ["../app/req.txt", "../base.txt", "req.txt", "requirements.txt"]


@pytest.mark.parametrize("named", ["../outside.txt", "../../outside.txt", "{outside}", "gone.txt"])
def test_what_is_no_file_of_the_repository_is_told(make_repository, named):
    from restore_guard.change.repository import Repository

    project = make_repository(files={"requirements.txt": ""})
    outside = project.root.parent / "outside.txt"
    outside.write_text("mine")
    named = named.format(outside=outside)
    project.commit({"requirements.txt": f"# first\n-r {named}\n"})
    with Repository(project.root) as repository:
        for side in (repository.commit("HEAD"), repository.worktree()):
            with pytest.raises(UncheckedError, match=r"requirements.txt:2: .* is no file of the repository"):
                lockfiles.lock_of(repository.reader(side))


# --- variables -----------------------------------------------------------------------------------------------

BUILDS_SEE = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "CI", "Path"),
    *("KERAS_BACKEND", "KERAS_HOME", "TF_USE_LEGACY_KERAS", "TF_XLA_FLAGS", "XLA_FLAGS", "HF_HOME", "HF_HUB_OFFLINE"),
    *("TOKENIZERS_PARALLELISM", "PYTHONPATH", "OMP_NUM_THREADS", "GITHUB_WORKSPACE", "RUNNER_TEMP", "https_proxy"),
)
BUILDS_DO_NOT_SEE = (
    *SECRETS,
    *("GIT_DIR", "PYTHONHOME", "GITHUB_ENV", "ACTIONS_RUNTIME_TOKEN", "SSH_AUTH_SOCK", "TF_TOKEN_app_terraform_io"),
    *("KERAS_API_KEY", "UV_INDEX_URL", "PGPASS", "DOCKER_CONFIG", "KUBECONFIG", "NETRC", "DATABASE_URL"),
)


def test_what_builds_see():
    seen = variables.harmless(dict.fromkeys((*BUILDS_SEE, *BUILDS_DO_NOT_SEE), "x"))
    assert sorted(seen) == sorted(BUILDS_SEE)


def test_a_login_in_an_address_is_a_secret_whatever_its_name():
    given = {"HTTPS_PROXY": "http://me:x@proxy", "HTTP_PROXY": "http://proxy:3128", "TF_X": "https://token@example.org"}
    assert variables.harmless(given).keys() == {"HTTP_PROXY"}


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line")
def test_an_interpreter_that_is_only_asked_sees_no_secret(tmp_path, monkeypatch):
    from restore_guard.environments import interpreters

    log = tmp_path / "seen"
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n/usr/bin/env >>{log}\nexit 0\n")
    python.chmod(0o755)
    monkeypatch.setenv("HF_TOKEN", "s3cr3t")
    environ = {**os.environ, "PATH": "/nowhere"}
    assert interpreters.choose(None, tmp_path, environ).path == python
    assert "PATH=" in log.read_text() and "s3cr3t" not in log.read_text()


def test_poetry_sees_its_settings_and_no_secret(tmp_path):
    from restore_guard.environments import managers

    (tmp_path / "poetry").write_text(f"#!/bin/sh\n/usr/bin/env >{tmp_path}/seen\necho {sys.executable}\n")
    (tmp_path / "poetry").chmod(0o755)
    (tmp_path / "poetry.lock").touch()
    (tmp_path / ".git").mkdir()
    environ = {
        "PATH": str(tmp_path),
        "HF_TOKEN": "secret",
        "POETRY_VIRTUALENVS_PATH": "/v",
        "POETRY_PYPI_TOKEN_A": "secret",
    }
    (found, *_) = managers.asked_for(tmp_path, environ)
    assert found.python == Path(sys.executable)
    seen = (tmp_path / "seen").read_text()
    assert "POETRY_VIRTUALENVS_PATH=/v" in seen and "s3cr3t" not in seen
