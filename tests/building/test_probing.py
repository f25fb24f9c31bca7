"""Builds in a real TensorFlow: whatever a builder does, it becomes one `Build`, and the others are built too."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing import shared_memory
from pathlib import Path

import msgspec
import pytest

from restore_guard import probe
from restore_guard.build import Job
from restore_guard.building import isolation, probing
from restore_guard.errors import UncheckedError
from restore_guard.probe.serving import server, trees
from restore_guard.restore_paths import RESTORE_PATHS, same_promise

pytestmark = pytest.mark.tensorflow

GOOD = """
import tensorflow as tf

def build():
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3), tf.keras.layers.Dense(2)])

class Subclassed(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.first = tf.keras.layers.Dense(3)
        self.norm = tf.keras.layers.BatchNormalization()

    def call(self, x):
        return self.norm(self.first(x))

def subclassed():
    return Subclassed()

def functional():
    x = tf.keras.Input((5, 4))
    y = tf.keras.layers.LSTM(3)(x)
    y = tf.keras.layers.Dropout(0.5)(y)
    model = tf.keras.Model(x, tf.keras.layers.Dense(1)(y))
    model.compile("adam", "mse")
    return model

class Module(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(tf.ones([2, 2]), name="kernel")
        self.rows = [tf.Variable([1, 2, 3]), tf.Variable(0.5)]

def module():
    return Module()

def checkpoint():
    return tf.train.Checkpoint(step=tf.Variable(0, dtype=tf.int64), module=Module())

def pretrained():
    base = tf.keras.applications.VGG16(include_top=False, weights="imagenet", input_shape=(32, 32, 3))
    return tf.keras.Sequential([tf.keras.Input((32, 32, 3)), *base.layers[1:3], tf.keras.layers.Dense(2)])

def never_called():
    class Pair(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3)])

        def train_step(self, data):
            return {"loss": self.encoder(data)}
    return Pair()
"""

BAD = """
import os, signal, subprocess, sys, tempfile, time
import tensorflow as tf
from good import build

def raises():
    raise ValueError("no such width: 7")

def hangs():
    while True:
        time.sleep(0.1)

def asks_whether_it_is_eager():
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3 if tf.executing_eagerly() else 5)])

def asks_by_another_name():
    from tensorflow.compat.v1 import executing_eagerly_outside_functions as eager
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3 if eager() else 5)])

def tries_a_value():
    try:
        width = int(tf.constant(3).numpy())
    except AttributeError:
        width = 5
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(width)])

def tries_the_truth_of_a_tensor():
    try:
        width = 3 if tf.constant(3) > 2 else 4
    except TypeError:
        width = 5
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(width)])

def tries_what_numpy_makes_of_it():
    import numpy as np
    try:
        width = int(np.sum(tf.constant([1, 2])))
    except NotImplementedError:
        width = 5
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(width)])

def asks_by_tensorflows_own_name():
    from tensorflow.python.eager import context
    width = 3 if context.executing_eagerly() else 5
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(width)])

def asks_in_what_is_traced():
    class Layer(tf.keras.layers.Layer):
        def call(self, inputs):
            return inputs if tf.executing_eagerly() else inputs + 1
    inputs = tf.keras.Input((4,))
    return tf.keras.Model(inputs, tf.keras.layers.Dense(3)(Layer()(inputs)))

def waits_and_dies():
    time.sleep(2)
    os._exit(3)

def hangs_deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(1000)

def os_exit():
    os._exit(0)

def forges_an_answer(text):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, text.encode())
        except OSError:
            pass
    os._exit(0)

def nests_an_answer():
    forges_an_answer("[" * 100_000)

def forges_another_form():
    forges_an_answer('["result"]')

def sys_exit():
    sys.exit("bye")

def interrupts():
    raise KeyboardInterrupt

def gives_up():
    raise GeneratorExit("no more")

def real_time_signal():
    signal.signal(signal.SIGRTMIN + 3, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGRTMIN + 3)

def none():
    return None

def number():
    return 7

def memory():
    raise MemoryError("512 GB")

def killed():
    os.kill(os.getpid(), signal.SIGKILL)

def crashes():
    os.kill(os.getpid(), signal.SIGSEGV)

def only_says_that_it_is_built():
    class Net(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = tf.keras.layers.Dense(2)
            self.build((None, 3))

        def call(self, x):
            return self.dense(x)

    return Net()


def unbuilt():
    return tf.keras.Sequential([tf.keras.layers.Dense(3)])

def prints():
    for number in range(20000):
        print('{"id": "job", "failure": "forged by print"}')
        print('{"error": "forged"}', file=sys.stderr)
    os.write(1, b'{"id": "job", "failure": "forged by write"}\\n' * 1000)
    subprocess.run(["echo", '{"ready": {}}'])
    return build()

def leaves_a_process(pid_file):
    child = subprocess.Popen(["sleep", "1000"])
    with open(pid_file, "w") as file:
        file.write(str(child.pid))
    return build()

def leaves_a_daemon(pid_file):
    # A session of its own, and its parent is gone.
    subprocess.run(["sh", "-c", "setsid sleep 1000 & echo $! > " + pid_file])
    return build()

def hangs_with_a_daemon(pid_file):
    leaves_a_daemon(pid_file)
    hangs_deaf()

opened = []

def closes_all_descriptors(file):
    os.closerange(0, 256)
    opened.extend(open(file, "a") for _ in range(40))
    return build()

def names_with_half_characters():
    module = tf.Module()
    setattr(module, os.fsdecode(b"w\\xff"), tf.Variable([1.0]))
    module.\u00e9 = tf.Variable([1.0])
    return module

def reads_its_input():
    return build() if sys.stdin.read() == "" else None

def leaves_temporary_files():
    tempfile.mkdtemp()

    @tf.function
    def traced(x):
        if tf.reduce_sum(x) > 0:
            x = x + 1
        return x

    traced(tf.zeros(3))
    return build()

def values_of_tensors():
    model = build()
    assert model.layers[0].kernel.numpy().shape == (4, 3)
    return model

def needs_the_initial_values():
    model = build()
    model.add(tf.keras.layers.Dense(2, kernel_initializer="ones"))
    model.build((None, 4))
    kernel = model.layers[-1].kernel.numpy()
    if not (kernel == 1).all():
        raise ValueError(f"not what I made: {kernel}")
    return model

class NotAFunction:
    pass
"""

GIVEN = {"closes_all_descriptors": "precious.txt"}
HOSTILE = """
import os, signal, tempfile, time
from good import build

def stops_the_parent():
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(1000)

def answers(text):
    folder = tempfile.gettempdir()
    for name in os.listdir(folder):
        if name.startswith("answer-"):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
    os._exit(0)

def writes_to_the_parent(text):
    folder = f"/proc/{os.getppid()}/fd"
    for name in os.listdir(folder):
        try:
            if "pipe:" in os.readlink(f"{folder}/{name}"):
                with open(f"{folder}/{name}", "wb", buffering=0) as pipe:
                    os.set_blocking(pipe.fileno(), False)
                    pipe.write(text.encode())
        except OSError:
            pass
    return build()
"""

LEAVES = """
import os, signal, subprocess, sys, time
from multiprocessing import resource_tracker, shared_memory
from good import build

def leaves_memory(name):
    shared_memory.SharedMemory(name, create=True, size=64)
    with open(f"/dev/shm/{name}-file", "w") as file:
        file.write("x")
    os.makedirs(f"/dev/shm/{name}-folder/inner")
    os._exit(7)

def uses_memory_of_others(name):
    shared_memory.SharedMemory(name)
    resource_tracker.unregister(f"/{name}", "shared_memory")
    return build()

def ends_its_parent(pid_file):
    sleep = [sys.executable, "-c", "import time; time.sleep(1000)"]
    started = [subprocess.Popen(sleep, start_new_session=True), subprocess.Popen(sleep, env={})]
    pids = [process.pid for process in started] + [os.fork()]
    if pids[-1] == 0:
        os.setsid()
        time.sleep(1000)
    with open(pid_file, "w") as file:
        file.write(" ".join(map(str, pids)))
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1000)
"""

WRITES = """
import contextlib, os, shutil, tempfile
import tensorflow as tf
from good import build

def opens(path):
    open(path, "w")

def swallows(path):
    with contextlib.suppress(OSError):
        open(path, "w")
    return build()

def appends(path):
    with open(path, "a") as file:
        file.write("x")

def removes(path):
    os.remove(path)

def removes_by_the_folder(path):
    os.remove(os.path.basename(path), dir_fd=os.open(os.path.dirname(path), os.O_RDONLY))

def removes_a_tree(path):
    shutil.rmtree(path + "-tree", ignore_errors=True)

def truncates(path):
    os.truncate(path, 0)

def links(path):
    os.symlink("/etc/hostname", path + ".link")

def writes_within_a_function(path):
    tf.function(lambda: tf.io.write_file(path, "x"))()

def renames(path):
    os.rename(path, path + "2")

def makes_a_folder(path):
    os.makedirs(path + "folder/inner")

def saves_weights(path):
    build().save_weights(path + ".weights.h5", overwrite=True)

def saves_a_model(path):
    build().save(path + ".keras")

def saves_a_checkpoint(path):
    tf.train.Checkpoint(v=tf.Variable(1.0)).write(path)

def writes_by_tensorflow(path):
    tf.io.gfile.GFile(path, "w").write("x")

def writes_by_an_operation(path):
    tf.io.write_file(path, "x")

def writes_records(path):
    tf.io.TFRecordWriter(path)

def writes_a_summary(path):
    tf.summary.create_file_writer(os.path.dirname(path))

def writes_a_summary_of_old(path):
    with tf.Graph().as_default():
        tf.compat.v1.summary.FileWriter(os.path.dirname(path))

def caches_a_dataset(path):
    list(tf.data.Dataset.range(3).cache(path))

def saves_a_dataset(path):
    tf.data.Dataset.range(3).save(path + "-dataset")

def saves_a_whole_model(path):
    tf.saved_model.save(tf.Module(), path + "-saved")

def makes_a_database(path):
    import sqlite3
    sqlite3.connect(path + ".db").execute("create table a (b)")

def makes_a_pipe(path):
    os.mkfifo(path + "-pipe")

def makes_within_an_open_folder(path):
    os.mkdir("precious-new", dir_fd=os.open(os.path.dirname(path), os.O_RDONLY))

def opens_within_an_open_folder(path):
    os.open("precious", os.O_WRONLY | os.O_TRUNC, dir_fd=os.open(os.path.dirname(path), os.O_RDONLY))

def renames_within_an_open_folder(path):
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.replace("precious", "precious2", src_dir_fd=folder, dst_dir_fd=folder)

def deletes_by_tensorflow(path):
    tf.io.gfile.remove(path)

def writes_elsewhere(path):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("x")
    with tempfile.TemporaryDirectory() as folder:
        tf.io.write_file(os.path.join(folder, "inner/x"), "x")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return build()
"""

LEAVING = ("leaves_a_process", "leaves_a_daemon", "hangs_with_a_daemon")

SHAPES = {
    "build": [[4, 3], [3], [3, 2], [2]],
    "subclassed": [[4, 3], [3], [3], [3], [3], [3]],
    "module": [[2, 2], [3], []],
    "pretrained": [[3, 3, 3, 64], [64], [3, 3, 64, 64], [64], [64, 2], [2]],
    "never_called": [[4, 3], [3]],
    "checkpoint": [[2, 2], [3], [], []],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    (root / "good.py").write_text(GOOD)
    (root / "bad.py").write_text(BAD)
    (root / "hostile.py").write_text(HOSTILE)
    (root / "leaves.py").write_text(LEAVES)
    (root / "writes.py").write_text(WRITES)
    (root / "syntax.py").write_text("def build():\n    return (\n")
    (root / "imports.py").write_text("import no_such_package\n")
    return root


@pytest.fixture(scope="module")
def built(keras3, folder):
    """Every builder, good and bad, in one run: what one of them does must not touch another."""
    pid_files = {name: folder.parent / f"{name}.pid" for name in LEAVING}
    precious = folder.parent / "precious.txt"
    precious.write_text("mine")
    jobs = [_job(folder, f"bad:{name}") for name in _functions(BAD) if name not in (*LEAVING, *GIVEN)]
    jobs.append(_job(folder, "bad:closes_all_descriptors", kwargs={"file": str(precious)}))
    jobs += [_job(folder, f"good:{name}") for name in _functions(GOOD) if name not in ("call", "subclassed")]
    jobs += [_job(folder, builder) for builder in ("syntax:build", "imports:build", "absent:build", "good:absent")]
    jobs.append(_job(folder, "good:subclassed", inputs=[{"shape": [4], "dtype": "float32"}]))
    jobs += [_job(folder, f"bad:{name}", kwargs={"pid_file": str(file)}) for name, file in pid_files.items()]
    before = _tree(folder)
    said = []
    temporary = folder.parent / "temporary"
    temporary.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", None)
        results = _run(keras3, jobs, said.append)
    assert set(results) == {job.id for job in jobs}
    assert _tree(folder) == before, "a build left files in the tree"
    assert _tree(temporary) == [], "a build left temporary files"
    assert precious.read_text() == "mine", "the probe wrote into a file of the user's"
    return results | {"said": said, "left": {name: int(file.read_text()) for name, file in pid_files.items()}}


def _run(python, jobs, progress=lambda _: None):
    with probing.Probe(python, progress) as probe:
        return probe.run(jobs)


def _job(root, builder, **options):
    # Seconds are those of one job, not of the run: a job that waits for a place has not begun.
    options = {"timeout": 3 if "hangs" in builder else 120} | options
    return Job(id=builder, root=root, builder=builder, **options)


def _functions(source):
    return [line[4:].partition("(")[0] for line in source.splitlines() if line.startswith("def ")]


def _tree(folder):
    return sorted(str(path) for path in folder.rglob("*"))


@pytest.mark.parametrize(
    ("builder", "failure"),
    [
        ("bad:raises", "ValueError: no such width: 7"),
        ("bad:hangs", "took longer than 3 seconds"),
        ("bad:hangs_deaf", "took longer than 3 seconds"),
        ("bad:hangs_with_a_daemon", "took longer than 3 seconds"),
        ("bad:os_exit", "ended its own process with exit status 0"),
        ("bad:nests_an_answer", "ended its own process with exit status 0"),
        ("bad:forges_another_form", "ended its own process with exit status 0"),
        ("bad:sys_exit", "SystemExit: bye"),
        ("bad:interrupts", "KeyboardInterrupt"),
        ("bad:gives_up", "GeneratorExit: no more"),
        ("bad:real_time_signal", "crashed with signal 37"),
        ("bad:none", "bad:none returned NoneType"),
        ("bad:number", "bad:number returned int"),
        ("bad:memory", "MemoryError: 512 GB"),
        ("bad:killed", "memory ran out"),
        ("bad:crashes", "crashed with signal SIGSEGV"),
        ("bad:unbuilt", "Sequential is not built"),
        ("bad:only_says_that_it_is_built", "Net is not built"),
        ("syntax:build", "SyntaxError"),
        ("imports:build", "No module named 'no_such_package'"),
        ("absent:build", "No module named 'absent'"),
        ("good:absent", "good has no 'absent'"),
    ],
)
def test_failures_say_what_happened(built, builder, failure):
    assert built[builder].signature is None
    assert failure in built[builder].failure


def test_traceback_is_kept_and_names_the_line(built):
    assert 'raise ValueError("no such width: 7")' in built["bad:raises"].detail
    assert "syntax.py" in built["syntax:build"].detail


@pytest.mark.parametrize("name", SHAPES)
def test_the_other_models_are_built(built, name):
    signature = built[f"good:{name}"].signature
    shapes = [list(variable.shape) for variable in signature.variables if not variable.seed]
    assert sorted(map(str, shapes)) == sorted(map(str, SHAPES[name]))
    assert signature.sources == ("good.py",)


@pytest.mark.parametrize(
    "name", ["prints", "leaves_a_process", "leaves_a_daemon", "reads_its_input", "closes_all_descriptors"]
)
def test_printing_and_children_and_input_do_not_matter(built, name):
    assert built[f"bad:{name}"].failure is None
    assert len(built[f"bad:{name}"].signature.variables) == 4


@pytest.mark.parametrize("name", LEAVING)
def test_no_process_is_left_behind(built, name):
    assert not _lives(built["left"][name])


def test_half_characters_are_told_by_their_escapes(built):
    signature = built["bad:names_with_half_characters"].signature
    assert sorted(variable.path for variable in signature.variables) == ["w\\udcff", "\u00e9"]


def test_cheapest_strategy_that_works(built):
    assert built["good:build"].strategy == "graph"
    assert built["bad:values_of_tensors"].strategy in ("weightless", "eager")
    assert built["bad:needs_the_initial_values"].strategy == "eager"
    plain, valued = (built[name].signature for name in ("good:build", "bad:values_of_tensors"))
    assert same_promise(plain, valued, RESTORE_PATHS)


@pytest.mark.parametrize(
    "name",
    [
        *("asks_whether_it_is_eager", "asks_by_another_name", "asks_by_tensorflows_own_name"),
        *("tries_a_value", "tries_the_truth_of_a_tensor", "tries_what_numpy_makes_of_it"),
    ],
)
def test_a_builder_that_asks_whether_it_runs_eagerly_does(built, name):
    build = built[f"bad:{name}"]
    assert (build.failure, build.strategy) == (None, "weightless")
    assert "which a graph does not answer" in build.because
    assert [list(variable.shape) for variable in build.signature.variables] == [[4, 3], [3]]


def test_a_question_in_what_is_traced_has_one_answer(built):
    assert (built["bad:asks_in_what_is_traced"].failure, built["bad:asks_in_what_is_traced"].strategy) == (
        None,
        "graph",
    )


def test_progress_is_told(built):
    assert "importing TensorFlow" in built["said"][0]
    assert built["said"][1] == "building"
    assert built["said"][-1] == f"building, {len(built) - 2} of {len(built) - 2} done"


def _lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_keras_2(keras2, folder):
    names = ["good:build", "good:functional", "good:module", "bad:raises", "bad:values_of_tensors"]
    names += ["good:pretrained", "good:never_called"]
    results = _run(keras2, [_job(folder, name) for name in names])
    assert results["bad:raises"].failure == "ValueError: no such width: 7"
    assert [list(item.shape) for item in results["good:build"].signature.variables] == SHAPES["build"]
    assert [results[f"good:{name}"].failure for name in ("module", "pretrained", "never_called")] == [None] * 3
    # kernel, recurrent kernel, bias, kernel, bias; Adam's iterations, learning rate and two slots for each
    assert len([item for item in results["good:functional"].signature.variables if not item.seed]) == 5 + 2 + 10


DRIVER = """
import concurrent.futures, json, multiprocessing, os, runpy, sys
runpy.run_path(os.path.join(sys.argv[1], "__main__.py"))["load"]()
import tensorflow
from restore_guard_probe import build, strategies
fork = multiprocessing.get_context("fork")
def answer(sender, root, builder, strategy):
    job = {"root": root, "project": "", "pythonpath": [], "builder": builder, "kwargs": {}, "worktree": None,
           "restores": [], "environ": {}, "load": {}, "inputs": [{"shape": [4], "dtype": "float32"}],
           "strategy": strategy}
    try:
        sender.send(build.run(job)["signature"])
    except Exception as error:
        sender.send(f"{type(error).__name__}: {error}")
def signature(work):
    receiver, sender = fork.Pipe(duplex=False)
    child = fork.Process(target=answer, args=(sender, *work))
    child.start()
    found = receiver.recv()
    child.join()
    return found
work = [(root, builder, strategy) for root, builder in json.load(sys.stdin) for strategy in strategies.order([], {})]
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    found = list(pool.map(signature, work))
json.dump([[*what, it] for what, it in zip(work, found)], sys.stdout)
"""
PAIRS = sorted(path.parent for path in (Path(__file__).parent.parent / "pairs").glob("*/*/base.py"))


def _by_strategy(python, folder, builders):
    """{builder: {strategy: its signature, or the error}}, each in a process of its own."""
    here = Path(probe.__file__).parent
    done = subprocess.run(
        [python, "-c", DRIVER, here],
        input=json.dumps(builders),
        capture_output=True,
        text=True,
        env=isolation.environment(os.environ),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = {}
    for root, builder, strategy, signature in json.loads(done.stdout):
        found.setdefault((root, builder), {})[strategy] = signature
    return found


@pytest.mark.parametrize("framework", ["keras3", "keras2"])
@pytest.mark.parametrize(
    "pairs", [pytest.param(PAIRS[::16], id="some"), pytest.param(PAIRS, id="all", marks=pytest.mark.long)]
)
def test_signature_does_not_depend_on_the_strategy(framework, pairs, folder, request):
    python = request.getfixturevalue(framework)
    builders = [(str(folder), f"good:{name}") for name in ("build", "subclassed", "functional", "module", "checkpoint")]
    builders += [(str(pair), "head:build") for pair in pairs]
    results = _by_strategy(python, folder, builders)
    strategies = ["graph", "weightless", "eager"] if framework == "keras3" else ["weightless", "eager"]
    for builder in builders:
        found = results[builder]
        assert list(found) == strategies
        assert found["eager"]["variables"]
        for strategy in strategies:
            # A builder that needs the values of tensors is not served by the cheapest: it fails there, and no more.
            if not isinstance(found[strategy], str):
                assert found[strategy] == found["eager"], (builder, strategy)
    served = [strategy for found in results.values() for strategy, it in found.items() if not isinstance(it, str)]
    assert len(served) >= 0.9 * len(builders) * len(strategies)


def test_requests_come_while_the_parent_is_warming_up_and_after(keras3, folder):
    said = []
    with probing.Probe(keras3, said.append) as probe:
        first = probe.run([_job(folder, "bad:raises"), _job(folder, "good:build")])
        begin = time.monotonic()
        second = probe.run([_job(folder, "good:build")])
        seconds = time.monotonic() - begin
        assert probe.run([]) == {}
    assert first["bad:raises"].failure == "ValueError: no such width: 7"
    assert second["good:build"].signature == first["good:build"].signature
    assert sum("importing" in sentence for sentence in said) == 1
    assert 0 < second["good:build"].seconds <= seconds


FORKLESS = """\
import os, runpy, sys
del os.fork, os.killpg, os.setpgid, sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_python_of_its_own_where_a_process_cannot_be_forked(keras3, folder, built, tmp_path, monkeypatch):
    """As on Windows: nothing is forked, there are no process groups and no signals, and taskkill ends what hangs."""
    _fake(tmp_path / "taskkill", f'echo "$@" >>{tmp_path}/ended; kill -s KILL -- "-$4"')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delattr(os, "killpg")
    monkeypatch.setattr(trees, "KILLED", None)
    (tmp_path / "forkless.py").write_text(FORKLESS)
    python = _fake(tmp_path / "python", f'exec {keras3} {tmp_path}/forkless.py "$1/__main__.py"')
    names = ["good:build", "bad:prints", "bad:sys_exit"]
    jobs = [_job(folder, name) for name in names] + [_job(folder, "bad:hangs_deaf", timeout=40)]
    spawned = _run(python, jobs)
    for name in names:
        assert spawned[name].signature == built[name].signature
        assert spawned[name].strategy == built[name].strategy
        assert spawned[name].failure == built[name].failure
    assert "took longer than 40 seconds" in spawned["bad:hangs_deaf"].failure
    ended = (tmp_path / "ended").read_text().splitlines()
    assert all(line.startswith("/F /T /PID ") for line in ended)
    assert not [line for line in ended if _lives(int(line.split()[-1]))]


@pytest.mark.parametrize(
    ("code", "killed", "said", "again"),
    [
        (-9, -9, "was killed from outside", False),
        (-11, -9, "crashed with signal SIGSEGV", True),
        (3, -9, "ended its own process with exit status 3", False),
        (0xC0000005, None, "crashed with status 0xc0000005", True),
        (1, None, "ended its own process with exit status 1", False),
    ],
)
def test_exit_codes_of_either_system(monkeypatch, code, killed, said, again):
    monkeypatch.setattr(trees, "KILLED", killed)
    assert said in server._died(code)
    assert server._may_retry(None, code) is again


def test_a_python_that_does_not_start_says_so():
    done = subprocess.run(
        [sys.executable, "-c", ""], env={**os.environ, "PYTHONHASHSEED": "x"}, capture_output=True, text=True
    )
    said = server._died(done.returncode, done.stderr)
    assert "its `environ`: config_init_hash_seed: PYTHONHASHSEED must be" in said


def test_interrupted_in_the_middle_of_a_build(keras3, folder, tmp_path):
    pid_file = tmp_path / "pid"
    job = _job(folder, "bad:hangs_with_a_daemon", timeout=600, kwargs={"pid_file": str(pid_file)})
    with probing.Probe(keras3) as probe:
        runner = threading.Thread(target=probe.run, args=([job],))
        runner.start()
        while not (pid_file.exists() and pid_file.read_text()):
            time.sleep(0.1)
    runner.join(10)
    assert not _lives(int(pid_file.read_text()))


# --- interpreters that cannot build --------------------------------------------------------------------------


def _fake(path, script):
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_missing_interpreter(folder, tmp_path):
    with pytest.raises(UncheckedError, match="cannot be started: No such file"):
        _run(tmp_path / "python", [_job(folder, "good:build")])


def test_interpreter_without_tensorflow(folder, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    with pytest.raises(UncheckedError, match="No module named 'tensorflow'.*Install it there"):
        _run(tmp_path / "venv/bin/python", [_job(folder, "good:build")])


OLD_PYTHON = """\
import runpy, sys
sys.version_info = (3, 8, 18, "final", 0)
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize(
    ("tensorflow", "versions"),
    [("2.5.0", "TensorFlow 2.5.0, and 2.12"), ("2.11.1", "TensorFlow 2.11.1, and 2.12"), (None, "Python 3.8, and 3.9")],
)
def test_interpreter_that_is_too_old_says_the_minimum(folder, tmp_path, tensorflow, versions):
    (tmp_path / "old.py").write_text(OLD_PYTHON)
    start = f'{tmp_path}/old.py "$1/__main__.py"' if tensorflow is None else '"$1"'
    (tmp_path / "tensorflow.py").write_text(f"__version__ = {tensorflow!r}\nclass keras: layers = None\n")
    python = _fake(tmp_path / "python", f"PYTHONPATH={tmp_path} exec {sys.executable} {start}")
    with pytest.raises(UncheckedError) as told:
        _run(python, [_job(folder, "good:build")])
    assert str(told.value) == (
        f"{python} cannot build the models: it has {versions} is the oldest that restore-guard judges. "
        'Name a newer one that has your TensorFlow: python = ".venv/bin/python" in the configuration.'
    )


def test_interpreter_that_dies_without_a_word(folder, tmp_path):
    python = _fake(tmp_path / "python", "echo 'Illegal instruction (core dumped)' >&2; exit 132")
    built = _run(python, [_job(folder, "good:build")])["good:build"]
    assert built.signature is None
    assert "the Python that builds ended with exit status 132" in built.failure
    assert "Illegal instruction" in built.detail


@pytest.mark.parametrize("own", [None, "/models"])
def test_what_tensorflow_hub_downloads_lasts_and_the_rest_does_not(folder, tmp_path, monkeypatch, own):
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    if own:
        monkeypatch.setenv("TFHUB_CACHE_DIR", own)
    python = _fake(tmp_path / "python", f"env >{tmp_path}/env; exit 1")
    _run(python, [_job(folder, "good:build")])
    seen = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    assert seen["TFHUB_CACHE_DIR"] == (own or f"{tempfile.gettempdir()}/tfhub_modules")
    assert seen["TMPDIR"].startswith(f"{tempfile.gettempdir()}/restore-guard-")
    assert not Path(seen["TMPDIR"]).exists()


def test_what_a_start_up_file_prints_is_not_taken_for_an_answer(folder, tmp_path):
    answer = '{"id": "good:build", "failure": "the real answer", "detail": ""}'
    python = _fake(tmp_path / "python", f"""read request; echo 'Welcome to our cluster'; echo '[1]'; echo '{answer}'""")
    assert _run(python, [_job(folder, "good:build")])["good:build"].failure == "the real answer"


@pytest.mark.parametrize("signature", ['"text"', '{"variables": 3}', "[]", "null"])
def test_signature_that_is_none(folder, tmp_path, signature):
    result = f'{{"signature": {signature}, "trace": {{}}}}'
    answer = f'{{"id": "good:build", "strategy": "graph", "result": {result}, "seal": "\'$seal\'"}}'
    seal = """seal=${request##*: \\"}; seal=${seal%%\\"*}"""
    python = _fake(tmp_path / "python", f"read -r request; {seal}; echo '{answer}'")
    built = _run(python, [_job(folder, "good:build")])["good:build"]
    assert built.signature is None
    assert "cannot be read" in built.failure


def test_interpreter_that_ignores_being_ended(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(probing, "_IMPORT_SECONDS", 1)
    python = _fake(tmp_path / "python", f"echo $$ >{tmp_path}/pid; trap '' TERM; while :; do sleep 1; done")
    begin = time.monotonic()
    built = _run(python, [_job(folder, "bad:hangs")])["bad:hangs"]
    assert built.failure == "importing TensorFlow took longer than 1 seconds and was stopped"
    assert time.monotonic() - begin < 30
    assert not _lives(int((tmp_path / "pid").read_text()))


# --- a probe that hangs, and answers that get lost -----------------------------------------------------------


def test_a_probe_that_hangs_is_noticed_while_it_hangs(keras3, folder, monkeypatch):
    monkeypatch.setattr(probing, "_SILENT_SECONDS", 6)
    jobs = [_job(folder, "hostile:stops_the_parent", timeout=600), _job(folder, "bad:hangs", timeout=500)]
    with probing.Probe(keras3) as probe:
        assert probe.run([_job(folder, "good:build")])["good:build"].failure is None
        begin = time.monotonic()
        built = probe.run(jobs)
        again = probe.run([_job(folder, "good:build")])["good:build"]
        assert time.monotonic() - begin < 60
    assert {build.failure for build in built.values()} == {
        "the Python that builds hangs: nothing was heard of it for 6 seconds, so it was stopped"
    }
    assert "the Python that builds ended with signal 9" in again.failure


@pytest.fixture(scope="module")
def sturdy(keras3):
    """A probe that outlives what is done to it."""
    with probing.Probe(keras3) as probe:
        yield probe


def test_an_answer_that_cannot_be_read_is_a_failure_at_once(sturdy, folder):
    begin = time.monotonic()
    for value in ("NaN", "1e999", "[1, 2"):
        job = _job(folder, "hostile:answers", kwargs={"text": f'{{"result": {value}}}'}, timeout=600)
        (built,) = sturdy.run([job]).values()
        assert built.signature is None
        assert "cannot be read" in built.failure or "ended its own process" in built.failure
    text = '{"id": "hostile:writes_to_the_parent", "failure": NaN}\n'
    hostile = _job(folder, "hostile:writes_to_the_parent", timeout=600, kwargs={"text": text})
    built = sturdy.run([hostile, _job(folder, "good:build")])
    assert built["hostile:writes_to_the_parent"].failure is not None
    assert time.monotonic() - begin < 120


def test_what_hdf5_keeps_in_memory_is_no_file_that_a_build_writes(sturdy, folder):
    """The probe itself makes such a file, to see how Keras reads it."""
    assert sturdy.run([_job(folder, "good:build")])["good:build"].trace.written == ()


def test_nothing_is_written_into_the_work_tree(sturdy, folder, tmp_path):
    names = ("precious", "precious.weights.h5", "precious.keras", "precious-tree/inner")
    files = {tmp_path / name: name.encode() for name in names}
    for path, content in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    for name in ("good.py", "writes.py"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    jobs = [
        _job(tmp_path, f"writes:{name}", worktree=tmp_path, kwargs={"path": str(tmp_path / "precious")})
        for name in _functions(WRITES)
    ]
    built = sturdy.run(jobs)
    there = [path for path in tmp_path.rglob("*") if not path.is_dir() and path.suffix != ".py"]
    assert {path: path.read_bytes() for path in there} == files
    assert built.pop("writes:writes_elsewhere").failure is None
    for name, build in built.items():
        assert build.signature is None and build.writes, (name, build)
        assert "in the work tree, which a check may not change" in build.failure


ELSEWHERE = """
import io

import h5py
import tensorflow as tf
from good import build as plain

def in_memory():
    with h5py.File(io.BytesIO(), "w") as file:
        file["x"] = 1
    with h5py.File("x.h5", "w", driver="core", backing_store=False) as file:
        file["x"] = 1
    model = plain()
    tf.io.gfile.makedirs("ram://folder")
    with tf.io.gfile.GFile("ram://folder/notes", "w") as file:
        file.write("x")
    with tf.init_scope():
        tf.io.write_file("ram://folder/more", "x")
    return model

def by_address(path):
    with tf.io.gfile.GFile("file://" + path, "w") as file:
        file.write("x")
    return plain()
"""


def test_what_is_kept_in_memory_is_not_written_into_the_work_tree(sturdy, folder, tmp_path):
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    tree.mkdir()
    (tree / "good.py").write_bytes((folder / "good.py").read_bytes())
    (tree / "elsewhere.py").write_text(ELSEWHERE)
    asked = {
        "memory": ("in_memory", {}),
        **{path.name: ("by_address", {"path": str(path)}) for path in (outside, tree / "x")},
    }
    jobs = [
        msgspec.structs.replace(_job(tree, f"elsewhere:{function}", worktree=tree, kwargs=kwargs), id=name)
        for name, (function, kwargs) in asked.items()
    ]
    built = sturdy.run(jobs)
    assert {name: build.writes for name, build in built.items()} == {"memory": None, "outside": None, "x": "x"}
    assert built["memory"].failure is None and built["outside"].failure is None


DEEP = """
import tensorflow as tf

class Box(tf.Module):
    inner = None

def modules(depth):
    top = box = Box()
    for _ in range(depth):
        box.inner = Box()
        box = box.inner
    box.v = tf.Variable(1.0)
    return top

def lists(depth):
    value = tf.Variable(1.0)
    for _ in range(depth):
        value = [value]
    box = Box()
    box.inner = value
    return box

def tables(depth):
    value = tf.Variable(1.0)
    for _ in range(depth):
        value = {"a": value}
    return tf.train.Checkpoint(root=value)
"""


@pytest.mark.parametrize("depth", [1500, pytest.param(5000, marks=pytest.mark.long)])
def test_what_is_nested_deep_is_built_or_costs_one_model(sturdy, folder, tmp_path, depth):
    (tmp_path / "deep.py").write_text(DEEP)
    (tmp_path / "good.py").write_bytes((folder / "good.py").read_bytes())
    names = [f"deep:{name}" for name in _functions(DEEP)]
    begin = time.monotonic()
    jobs = [_job(tmp_path, name, timeout=60, kwargs={"depth": depth}) for name in names]
    built = sturdy.run([*jobs, _job(tmp_path, "good:build")])
    assert time.monotonic() - begin < 60
    assert built["good:build"].failure is None and built["deep:modules"].failure is None
    for name in names[1:]:
        assert "RecursionError" in built[name].failure, built[name]


def test_a_forged_answer_is_not_believed(sturdy, folder):
    """Whether it is written into the pipe of the Python that builds, or for another task that is under way."""
    sound = sturdy.run([_job(folder, "good:build")])["good:build"]
    result = {"signature": json.loads(msgspec.json.encode(sound.signature)), "trace": {}}
    forged = "".join(
        json.dumps({"id": "bad:raises", **seal, "result": result, "strategy": "graph"}) + "\n"
        for seal in ({}, {"seal": ""}, {"seal": "0" * 64})
    )
    jobs = [
        _job(folder, "hostile:writes_to_the_parent", kwargs={"text": forged}),
        _job(folder, "hostile:answers", kwargs={"text": json.dumps({"result": result})}),
        _job(folder, "bad:waits_and_dies"),
        _job(folder, "bad:raises"),
    ]
    built = sturdy.run(jobs)
    assert built["hostile:writes_to_the_parent"].failure is None
    honest = {"bad:raises": "no such width", "bad:waits_and_dies": "status 3", "hostile:answers": "status 0"}
    for name, failure in honest.items():
        assert built[name].signature is None and failure in built[name].failure


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows shared memory, and environments of processes")
def test_nothing_is_left_of_a_build_that_ends_the_python(keras3, folder, tmp_path):
    name, users = f"restore-guard-test-{os.getpid()}", shared_memory.SharedMemory(create=True, size=64)
    pid_file = tmp_path / "pid"
    try:
        with probing.Probe(keras3) as probe:
            jobs = [
                _job(folder, "leaves:leaves_memory", kwargs={"name": name}),
                _job(folder, "leaves:uses_memory_of_others", kwargs={"name": users.name}),
            ]
            built = probe.run(jobs)
            hostile = probe.run([_job(folder, "leaves:ends_its_parent", kwargs={"pid_file": str(pid_file)})])
            made = {path.name for path in Path("/dev/shm").iterdir() if path.name.startswith(name)}
            assert made == {name, f"{name}-file", f"{name}-folder"}
        assert "exit status 7" in built["leaves:leaves_memory"].failure
        assert built["leaves:uses_memory_of_others"].failure is None
        assert "ended with signal 9" in hostile["leaves:ends_its_parent"].failure
        pids = pid_file.read_text().split()
        assert (len(pids), [pid for pid in pids if _lives(int(pid))]) == (3, [])
        assert not [path for path in Path("/dev/shm").iterdir() if path.name.startswith(name)]
        assert Path("/dev/shm", users.name).exists()
    finally:
        users.close()
        users.unlink()


@pytest.mark.parametrize(("script", "how"), [("echo nothing; exit 3", "exit status 3"), ("kill -11 $$", "signal 11")])
def test_an_import_that_ends_the_python(folder, tmp_path, script, how):
    built = _run(_fake(tmp_path / "python", script), [_job(folder, "good:build")])["good:build"]
    assert built.failure == f"the Python that builds ended with {how} before this build did"


def test_an_import_that_exits_is_named(keras3, folder, tmp_path):
    (tmp_path / "tensorflow.py").write_text("import sys; sys.exit('no licence')\n")
    python = _fake(tmp_path / "python", f'PYTHONPATH={tmp_path} exec {keras3} "$@"')
    with pytest.raises(UncheckedError, match="cannot import TensorFlow .SystemExit: no licence."):
        _run(python, [_job(folder, "good:build")])


def test_kwargs_are_written_before_anything_waits_for_them(keras3, folder):
    with probing.Probe(keras3) as probe, pytest.raises(TypeError):
        probe.run([_job(folder, "good:build", kwargs={"start": object()})])
