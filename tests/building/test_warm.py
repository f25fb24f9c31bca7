"""A Python that is kept warm: lent to whom it belongs, the same as one that is started, and gone when it should be."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import pytest
from conftest import Project, settings, warm_python

from restore_guard import probe
from restore_guard.build import Job
from restore_guard.building import isolation, probing, warm
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import update as updating
from restore_guard.commands import warm as warming
from restore_guard.commands.check import check
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.reports import REPORTS, load, warm_text

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a Python is kept warm on Linux only")

PROBE = Path(probe.__file__).parent
# A keeper that imports no TensorFlow: for all that has nothing to do with building.
BARE = f"""
import os, runpy, sys
runpy.run_path({str(PROBE / "__main__.py")!r})["load"]()
from restore_guard_probe.serving import keeper, memory, server
server.import_tensorflow = server.prepare = lambda: None
memory.is_low = lambda: os.path.exists("low")
keeper._TICK = 0.05
sys.argv = ["probe", "keep", *sys.argv[1:]]
sys.exit(keeper.main())
"""
MODELS = """
import json, os, signal, subprocess, sys, tempfile
import numpy
import tensorflow as tf

def build():
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3)])

def crashes():
    os.kill(os.getpid(), signal.SIGSEGV)

def ends_the_server():
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()

def leaves_a_daemon(pid_file):
    subprocess.run(["sh", "-c", "setsid sleep 1000 & echo $! > " + pid_file])
    return build()

def tells():
    umask = os.umask(0)
    state = [sys.argv[1:], dict(os.environ), umask, sys.stdin.read(), sorted(sys.path), os.getcwd()]
    raise ValueError(json.dumps(state, sort_keys=True))

def draws():
    raise ValueError(str(numpy.random.random()))
"""
PAIRS = {
    "renamed": "variable-renamed",
    "misplaced": "variable-misplaced",
    "behaves": "behaviour-changed",
    "good": "compatible",
}


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """The user's runtime folder; no CI."""
    _use(tmp_path / "run", monkeypatch)
    return tmp_path / "run"


def _use(runtime, patch):
    runtime.mkdir(mode=0o700, exist_ok=True)
    patch.setenv("XDG_RUNTIME_DIR", str(runtime))
    patch.delenv("CI", raising=False)
    patch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.fixture
def bare(tmp_path, runtime):
    """`bare(seconds=600, leader=None)`: a keeper without TensorFlow, and its process."""
    with contextlib.ExitStack() as stack:

        def start(seconds=600, leader=()):
            folder = runtime / "restore-guard" / "warm" / "bare"
            warm._make_private(folder)
            command = [sys.executable, "-c", BARE, str(folder), str(seconds), *map(str, leader)]
            process = stack.enter_context(subprocess.Popen(command, stderr=subprocess.PIPE))
            stack.callback(process.kill)
            assert _becomes_true(lambda: warm._status(folder) is not None or process.poll() is not None)
            return folder, process

        yield start


def _becomes_true(condition, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def someone(request):
    """A process of somebody's who has logged in."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


ENDS = {
    "idle": lambda folder, someone: None,
    "logout": lambda folder, someone: someone.kill(),
    "the runtime folder goes": lambda folder, someone: (folder / "socket").unlink(),
    "memory gets low": lambda folder, someone: (folder / "low").touch(),
    "--stop": lambda folder, someone: [warm.stop(one) for one in warm.kept()],
}


@pytest.mark.parametrize("end", ENDS)
def test_it_ends(bare, someone, end):
    folder, process = bare(seconds=0.5 if end == "idle" else 600, leader=[someone.pid])
    ENDS[end](folder, someone)
    assert process.wait(30) == 0
    assert list(warm.kept()) == [] and not (folder / "socket").exists()
    assert not folder.exists() or end == "the runtime folder goes"


def test_its_socket_is_the_users_alone(bare):
    folder, _ = bare()
    for path in (folder.parents[1], folder.parent, folder, folder / "socket"):
        assert path.stat().st_mode & 0o077 == 0
    (one,) = warm.kept()
    assert one.left == pytest.approx(600, abs=60) and one.changed is None
    folder.chmod(0o711)
    assert list(warm.kept()) == [], "somebody else could have made it"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_sent_away(bare, tmp_path_factory):
    folder, _ = bare()
    knock = "import os, socket; os.setuid(USER); s = socket.socket(socket.AF_UNIX); s.settimeout(20)\n"
    knock += "s.connect('socket'); s.sendall(b'{\"status\": true}\\n'); print(len(s.recv(1)))"
    folder.chmod(0o711)
    (folder / "socket").chmod(0o777)

    def answered(user):
        command = [sys.executable, "-c", knock.replace("USER", str(user))]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        # The connection was closed, before or after something was said.
        return done.stdout == "1\n" if not done.returncode else "Permission" in done.stderr

    assert answered(0) is True and answered(65534) is False


def test_a_second_one_does_not_take_its_place(bare):
    folder, _ = bare()
    _, second = bare()
    assert second.wait(30) == 5
    assert len(list(warm.kept())) == 1


def test_whoever_says_nothing_or_nonsense_keeps_nobody_waiting(bare):
    folder, process = bare()
    before = _at_rest(process.pid)
    here = os.open(folder, os.O_RDONLY)
    silent = []
    for said in (b"", b"nonsense\n", b"[]\n", b'{"environ": {}}\n'):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(f"/proc/self/fd/{here}/socket")
        connection.sendall(said)
        silent.append(connection)
    assert len(list(warm.kept())) == 1
    for connection in silent:
        connection.close()
    os.close(here)
    for _ in range(50):
        assert warm._status(folder) is not None
    assert _becomes_true(lambda: _at_rest(process.pid) == before)


def _at_rest(pid):
    """What a process that has no children any more could have leaked: descriptors, files in its folder."""
    assert _becomes_true(lambda: not Path(f"/proc/{pid}/task/{pid}/children").read_text())
    time.sleep(0.2)
    return sorted(os.listdir(f"/proc/{pid}/fd")), sorted(os.listdir(f"/proc/{pid}/cwd/."))


def test_none_in_ci(runtime, monkeypatch, keras3, make_repository):
    project = make_repository(files={"pyproject.toml": settings(keras3, {"net": 'builder = "net:build"'})})
    for variable in ("CI", "GITHUB_ACTIONS"):
        with Repository(project.root) as repository, pytest.raises(UsageError, match="CI"):
            warming.keep(Run(repository, {**project.environ, variable: "true"}), 60)
    assert list(warm.kept()) == []


def test_what_decides_an_import_decides_which_one(runtime, tmp_path):
    python, environ = Path(sys.executable), isolation.environment(os.environ)
    same = [{"PATH": "/opt"}, {"VIRTUAL_ENV": "/opt"}, {"COLUMNS": "7"}, {"TMPDIR": "/opt"}, {"PWD": "/"}]
    others = [{"TF_USE_LEGACY_KERAS": "1"}, {"KERAS_BACKEND": "jax"}, {"PYTHONPATH": "/opt"}, {"HOME": "/opt"}]
    others += [{"LD_LIBRARY_PATH": "/opt"}, {"OMP_NUM_THREADS": "1"}, {"LANG": "C"}, {"PYTHONHASHSEED": "1"}]
    name = warm._named(python, environ)
    assert {warm._named(python, environ | change) for change in same} == {name}
    names = [name, *(warm._named(python, environ | change) for change in others), warm._named(tmp_path, environ)]
    assert None not in names and len(set(names)) == len(names)
    assert warm._named(python, environ | {"PYTHONPATH": "src:/opt"}) is None
    assert warm._named(python, environ | {"PYTHONPATH": "/opt:"}) is None


def test_a_folder_that_others_may_enter_is_refused(runtime):
    (runtime / "restore-guard").mkdir(mode=0o755)
    with pytest.raises(UncheckedError, match="chmod 700"):
        warm.keep(Path(sys.executable), isolation.environment(os.environ), 60)


def test_a_python_without_tensorflow_is_not_kept(runtime):
    with pytest.raises(UncheckedError, match="No module named 'tensorflow'"):
        warm.keep(Path(sys.executable), isolation.environment(os.environ), 60)
    assert list(warm.kept()) == []


def test_the_command(runtime, make_repository, keras3):
    project = make_repository(files={"pyproject.toml": settings(keras3, {"net": 'builder = "net:build"'})})
    project.environ |= {"XDG_RUNTIME_DIR": str(runtime), "CI": "true"}
    for option in ("--status", "--stop"):
        run = project.run("warm", option)
        assert (run.code, run.stdout) == (0, "No Python is kept warm.\n")
    assert project.run("warm", "--stop", "--status").code == 2 and project.run("warm", "--idle", "0").code == 2
    run = project.run("warm")
    assert run.code == 2 and "no Python is kept warm in CI" in run.stderr


def test_what_is_told_of_one():
    one = warm.Kept("/venv/bin/python", {"tensorflow": "2.21.0"}, 7, 90.0, None, 200 << 20)
    who = "/venv/bin/python (TensorFlow 2.21.0, process 7)"
    assert warm_text.render([one]) == f"warm: {who}, 200 MB; ends after 1.5 minutes without a check\n"
    assert warm_text.render([one], ended=True) == f"ended: {who}\n"
    changed = msgspec.structs.replace(one, changed="/venv/x.pth")
    assert warm_text.render([changed]) == f"out of date, imports anew: {who}, since /venv/x.pth has changed\n"


# --- with TensorFlow ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(keras3, tmp_path_factory):
    """One Python with TensorFlow that is kept warm; a folder of its own comes first in its path."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "path").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        _use(folder / "run", patch)
        patch.setenv("PYTHONPATH", str(folder / "path"))
        yield warm.keep(keras3, isolation.environment(os.environ), 600)
        for one in warm.kept():
            warm.stop(one)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    (root / "models.py").write_text(MODELS)
    return root


def _built(python, root, *names, **kwargs):
    jobs = [Job(id=name, root=root, builder=f"models:{name}", timeout=60, kwargs=kwargs) for name in names]
    with probing.Probe(python) as lent:
        assert isinstance(lent.process, warm.Loan) == bool(list(warm.kept()))
        return lent.run(jobs)


@pytest.mark.tensorflow
def test_it_says_the_same_byte_for_byte(kept, keras3, tmp_path, monkeypatch):
    """Of pairs of the corpus, in every format, with and without it."""
    monkeypatch.setenv("RESTORE_GUARD_CACHE", str(tmp_path / "cache"))
    folders = {name: _first_pair(rule) for name, rule in PAIRS.items()}
    project = Project(tmp_path / "project", tmp_path / "home")
    project.environ["RESTORE_GUARD_CACHE"] = str(tmp_path / "cache")
    lines = {name: f'builder = "{name}:build"' for name in folders}
    project.write({"pyproject.toml": settings(keras3, lines, timeout=120)})
    project.write({f"{name}.py": (folder / "base.py").read_text() for name, folder in folders.items()})
    with Repository(project.root) as repository:
        done = updating.update(Run(repository, project.environ), names=[], reason=None)
    assert {item.state for item in done} == {"written"}
    project.commit(message="first")
    project.write({f"{name}.py": (folder / "head.py").read_text() for name, folder in folders.items()})
    project.edit("good.py", "def build():", "def build():\n    raise ValueError('not today')\n\n\ndef other():")

    def reports():
        with Repository(project.root) as repository:
            # The same cache for both would leave nothing to build.
            run = Run(repository, project.environ | {"RESTORE_GUARD_CACHE": tempfile.mkdtemp(dir=tmp_path)})
            result = check(run, Sides(repository.head(), repository.worktree()))
        return {form: load(form).render(result) for form in REPORTS}

    lent = reports()
    with monkeypatch.context() as patch:
        patch.setenv("CI", "true")
        with warm_python(keras3) as cold:
            assert isinstance(cold.process, subprocess.Popen)
            assert reports() == lent
    assert json.loads(lent["json"])["verdict"] == "breaks"


def _first_pair(rule):
    pairs = Path(__file__).parent.parent / "pairs" / rule
    return min(path.parent for path in pairs.glob("*/head.py") if "INPUTS" not in path.read_text())


@pytest.mark.tensorflow
def test_a_build_sees_what_it_would_see_in_a_python_of_its_own(kept, keras3, models, monkeypatch):
    monkeypatch.setenv("PATH", f"/nowhere:{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "33")
    monkeypatch.chdir(models)
    before = os.umask(0o27)
    try:
        lent = _built(keras3, models, "tells")["tells"].failure
        monkeypatch.setenv("CI", "1")
        with probing.Probe(keras3) as cold:
            own = cold.run([Job(id="x", root=models, builder="models:tells")])["x"].failure
    finally:
        os.umask(before)
    assert json.loads(lent.partition(" ")[2])[1]["COLUMNS"] == "33"
    cleaned = [re.sub(r'"CI": "1", |restore-guard-[\w-]+', "", text) for text in (lent, own)]
    assert cleaned[0] == cleaned[1]


@pytest.mark.tensorflow
def test_two_runs_draw_other_numbers(kept, keras3, models):
    """As two Pythons that were started would."""
    drawn = {_built(keras3, models, "draws")["draws"].failure for _ in range(2)}
    assert len(drawn) == 2 and all(text.startswith("ValueError: 0.") for text in drawn)


@pytest.mark.tensorflow
def test_no_build_harms_it_and_nothing_is_left(kept, keras3, models, tmp_path):
    before = _at_rest(kept.pid)
    done = _built(keras3, models, "crashes", "build")
    assert "SIGSEGV" in done["crashes"].failure and done["build"].signature is not None
    ended = _built(keras3, models, "ends_the_server")["ends_the_server"]
    assert ended.failure == "the Python that builds ended with signal 9 before this build did"
    daemon = tmp_path / "daemon"
    assert _built(keras3, models, "leaves_a_daemon", pid_file=str(daemon))["leaves_a_daemon"].failure is None
    assert _becomes_true(lambda: not Path("/proc", daemon.read_text().strip()).exists())
    assert _built(keras3, models, "build")["build"].signature is not None
    assert _becomes_true(lambda: _at_rest(kept.pid) == before)
    assert "models" not in Path(f"/proc/{kept.pid}/maps").read_text()


@pytest.mark.tensorflow
def test_a_run_that_is_killed_leaves_no_process(kept, keras3, models):
    before = _at_rest(kept.pid)
    script = f"""
from pathlib import Path
from restore_guard.building import probing, warm
from restore_guard.build import Job
with probing.Probe(Path({str(keras3)!r})) as lent:
    print(lent.process.pid, isinstance(lent.process, warm.Loan), flush=True)
    lent.run([Job(id="x", root=Path({str(models)!r}), builder="time:sleep", kwargs={{"secs": 1000}})])
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as run:
        pid, lent = run.stdout.readline().split()
        assert lent == "True" and _becomes_true(lambda: Path(f"/proc/{pid}/task/{pid}/children").read_text())
        run.send_signal(signal.SIGKILL)
    assert _becomes_true(lambda: not Path("/proc", pid).exists())
    assert _becomes_true(lambda: _at_rest(kept.pid) == before)


def _many(kept, keras3, models, count):
    _built(keras3, models, "build")
    before, memory = _at_rest(kept.pid), warm._memory(kept.pid)
    for _ in range(count):
        assert _built(keras3, models, "build")["build"].signature is not None
    assert _becomes_true(lambda: _at_rest(kept.pid) == before)
    assert warm._memory(kept.pid) < memory + 10 * 1024**2


@pytest.mark.tensorflow
def test_many_runs_leak_nothing(kept, keras3, models):
    _many(kept, keras3, models, 5)


@pytest.mark.tensorflow
def test_one_that_hangs_costs_time_and_no_verdict(kept, keras3, models, monkeypatch):
    monkeypatch.setattr(probing, "_SILENT_SECONDS", 3)
    jobs = [Job(id=name, root=models, builder=f"models:{name}", timeout=60) for name in ("build", "crashes")]
    with probing.Probe(keras3) as lent:
        expected = lent.run(jobs)
        hung = lent.process
        os.kill(hung.pid, signal.SIGSTOP)
        found = lent.run(jobs)
        assert not isinstance(lent.process, warm.Loan)
        assert hung.poll() == -signal.SIGKILL
        assert lent.run(jobs)["build"].signature is not None
    assert [one.pid for one in warm.kept()] == [kept.pid]
    assert found["build"].signature == expected["build"].signature
    assert found["crashes"].failure == expected["crashes"].failure


@pytest.mark.long
@pytest.mark.tensorflow
def test_a_thousand_runs_leak_nothing(kept, keras3, models):
    _many(kept, keras3, models, 1000)


@pytest.mark.tensorflow
def test_one_that_is_out_of_date_is_replaced_and_not_used(kept, keras3, models):
    """Last: it imports anew."""
    (Path(os.environ["PYTHONPATH"]) / "sitecustomize.py").write_text("")
    with tempfile.TemporaryFile() as errors:
        assert warm.borrow(keras3, isolation.environment(os.environ), errors) is None
    environ = isolation.environment(os.environ)
    assert _becomes_true(lambda: (one := warm.of(keras3, environ)) and one.changed is None)
    assert [one.pid for one in warm.kept()] == [kept.pid]
    assert _built(keras3, models, "build")["build"].signature is not None
