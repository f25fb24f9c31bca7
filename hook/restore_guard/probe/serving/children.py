"""One task in a process of its own: a crash, a hang or a leak in it costs nobody else.

Forked from the warm parent where that is possible, else a Python of its own. Either way it writes to two files,
since a full pipe could block it: what it found, and what it printed.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile

from .. import failures
from ..tracing import environment
from . import trees, wire

_LIMIT = 256 * 1024 * 1024
_TOO_LARGE = {"failure": "the signature is larger than 256 MB", "detail": "", "final": True}
_TAIL = 4000
# What no other strategy mends.
_FINAL = (failures.BuildError, failures.WorkTreeError, SyntaxError, MemoryError)
_PROBE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def start(job, strategy, private, seal):
    """Starts a task, in a Python of its own where TensorFlow must be imported with other environment variables.

    The child must have neither the descriptors `private` nor the `seal` of answers: it could forge one.
    """
    # After a fork the frameworks of macOS may crash the child.
    forks = hasattr(os, "fork") and sys.platform != "darwin" and not (job["environ"] or job.get("flags"))
    return _Forked(job, strategy, private, seal) if forks else _Spawned(job, strategy)


class _Child:
    """A running task.

    It opens the file for its answer by its path, when it has one: a builder may close every descriptor, and open a
    file of the user's under the same number.
    """

    running = set()
    """All running tasks: none has the files of another, nor the seal without which nobody can answer for it."""

    def __init__(self, job, strategy):
        self.job, self.strategy = job, strategy
        self.seal = bytearray(os.urandom(16).hex().encode())
        descriptor, self.path = tempfile.mkstemp(prefix="answer-")
        self.answer, self.log = os.fdopen(descriptor, "rb"), tempfile.TemporaryFile()  # noqa: SIM115 - see `close`
        self.running.add(self)

    def kill(self):
        """Ends the task with all that it has started."""
        trees.end(self.pid)

    def result(self):
        """{"result"} or {"failure", "detail", "final"}; None where the process ended without such a word."""
        if self.answer.seek(0, os.SEEK_END) > _LIMIT + len(self.seal):
            return _TOO_LARGE
        self.answer.seek(0)
        if self.answer.read(len(self.seal)) != self.seal:
            return None
        try:
            answer = json.loads(self.answer.read())
        except (ValueError, RecursionError):
            return None
        known = isinstance(answer, dict) and ("result" in answer or answer.keys() >= {"failure", "detail", "final"})
        return answer if known else None

    def printed(self):
        """The end of what the task printed."""
        size = self.log.seek(0, os.SEEK_END)
        self.log.seek(max(0, size - _TAIL))
        return self.log.read().decode(errors="replace").strip()

    def close(self):
        self.running.discard(self)
        self.answer.close()
        self.log.close()
        with contextlib.suppress(OSError):  # the task itself may have removed it
            os.unlink(self.path)


class _Forked(_Child):
    def __init__(self, job, strategy, private, seal):
        super().__init__(job, strategy)
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            for descriptor in [*private, self.answer.fileno()]:
                os.close(descriptor)
            for other in self.running - {self}:
                os.close(other.answer.fileno())
                os.close(other.log.fileno())
                _forget(other.seal)
            _forget(seal)
            _live(job, strategy, self.path, self.seal, self.log.fileno())
        with contextlib.suppress(OSError):  # both sides do it: whichever comes first, `kill` finds the group
            os.setpgid(self.pid, self.pid)

    def poll(self):
        """Its exit code, negative for a signal, or None while it runs."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None

    def wait(self):
        os.waitpid(self.pid, 0)


class _Spawned(_Child):
    def __init__(self, job, strategy):
        super().__init__(job, strategy)
        with tempfile.TemporaryFile() as request:
            request.write(json.dumps([job, strategy, self.path, self.seal.decode()]).encode())
            request.seek(0)
            self.process = subprocess.Popen(
                [sys.executable, _PROBE, "task"],
                stdin=request,
                stdout=self.log,
                stderr=self.log,
                env={**environment.started, **job["environ"], **job.get("flags", {})},
                start_new_session=True,
                creationflags=trees.APART,
            )
        self.pid = self.process.pid

    def poll(self):
        return self.process.poll()

    def wait(self):
        self.process.wait()


def main():
    """The whole of a spawned child; never returns."""
    environment.remember()
    import tensorflow as tf

    tf.keras.layers  # noqa: B018 - as the warm parent loads it
    job, strategy, path, seal = json.load(sys.stdin)
    for name in job.get("flags", ()):
        del os.environ[name], environment.started[name]  # the code sets it itself
    _live(job, strategy, path, seal.encode(), 2)


def _forget(seal):
    seal[:] = bytes(len(seal))


def _live(job, strategy, path, seal, log):
    """The whole life of a child; never returns."""
    code = 0
    try:
        _leave_the_parent()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        printed = os.fstat(log)
        if log > 2:
            os.close(log)
        text = _encoded(_run(job, strategy))
        if all(_is(number, printed) for number in (1, 2)):  # and not what the builder has put in their place
            sys.stdout.flush()
            sys.stderr.flush()
        with open(path, "r+b") as file:
            file.write(seal + text)
            file.truncate()
    except BaseException:
        code = 70
    finally:
        os._exit(code)


def _is(descriptor, known):
    try:
        return os.path.samestat(os.fstat(descriptor), known)
    except OSError:
        return False


def _encoded(answer):
    try:
        text = wire.encode(answer)
    except ValueError as error:
        failure = f"the build's answer cannot be read: {error}"
        text = wire.encode({"failure": failure, "detail": "", "final": True})
    return text if len(text) <= _LIMIT else wire.encode(_TOO_LARGE)


def _run(job, strategy):
    from .. import tasks
    from ..tracing import protection

    try:
        try:
            result = tasks.TASKS[job["task"]]({**job, "strategy": strategy})
        finally:
            if (path := protection.refused()) is not None:
                raise failures.WorkTreeError(path)
        return {"result": result}
    except failures.FlagsSetError as error:
        again = {} if job.get("flags") else {"flags": error.flags}
        return {"failure": failures.sentence(error), "detail": "", "final": True, **again}
    except BaseException as error:  # KeyboardInterrupt and SystemExit as well: nobody else raises them here
        return {
            **failures.told(error, job["root"]),
            "final": isinstance(error, _FINAL) or not isinstance(error, Exception),
        }


def _leave_the_parent():
    if not hasattr(os, "setpgid"):
        return
    with contextlib.suppress(OSError):  # a spawned child leads a session already
        os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # No build outlives the tool, however that ends.
    _process_control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # What it starts and leaves stays below it: another task's end must not be taken for this one's.
    _process_control(_PR_SET_CHILD_SUBREAPER, 1)
    # The kernel is to take this process, not the user's editor, when memory runs out.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def adopt_orphans():
    """On Linux: what a killed task had started in a session of its own becomes a child of this process."""
    _process_control(_PR_SET_CHILD_SUBREAPER, 1)


def end_orphans(running):
    """On Linux: kills and reaps all children of this process but those in `running`, and theirs in turn."""
    while orphans := [pid for pid in _own_children() if pid not in running]:
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in orphans:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _own_children():
    if sys.platform != "linux":
        return
    me = str(os.getpid())
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                # The name of a command stands in parentheses and may hold anything.
                if file.read().rpartition(b")")[2].split()[1].decode() == me:
                    yield int(name)


def _process_control(option, value):
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)
