"""The parent of all builds in one Python: imports TensorFlow once, then forks a child for every build.

Speaks JSON lines. In, on standard input: one line {"jobs": [...], "parallel": n}. Out, on the descriptor that
standard output was at the start: {"ready": versions}, then {"id", "strategy", "signature", ...} or
{"id", "kind", "failure", "detail"} for each job. What builders print is kept from both.
A crash, a hang or a leak in a child costs only that child.
"""

import contextlib
import ctypes
import json
import os
import signal
import sys
import tempfile
import time
import traceback

_LIMIT = 256 * 1024 * 1024
_TAIL = 4000


def main():
    """Returns the process's exit status: 0 when every job has been answered, 4 without TensorFlow."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    try:
        import tensorflow as tf

        tf.keras.layers  # noqa: B018 - loads Keras lazily, once for all children
    except Exception as error:
        _send(out, {"error": _sentence(error)})
        return 4
    from . import build, frameworks, strategies  # noqa: F401 - children find them loaded

    _send(out, {"ready": frameworks.versions()})
    _Pool(request["jobs"], request["parallel"], out).run()
    return 0


def _send(out, message):
    out.write(json.dumps(message) + "\n")


class _Child:
    """A running build: its process and the two files that it writes to, since a full pipe could block it."""

    def __init__(self, job, attempt, strategy):
        self.job, self.attempt = job, attempt
        self.answer, self.log = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _build(job, strategy, self.answer, self.log)
        with contextlib.suppress(OSError):  # both sides do it: whichever comes first, `kill` finds the group
            os.setpgid(self.pid, self.pid)

    def kill(self):
        """Ends the build with all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def result(self):
        self.answer.seek(0)
        try:
            return json.loads(self.answer.read())
        except ValueError:
            return None

    def printed(self):
        """The end of what the build printed."""
        size = self.log.seek(0, os.SEEK_END)
        self.log.seek(max(0, size - _TAIL))
        return self.log.read().decode(errors="replace").strip()

    def close(self):
        self.answer.close()
        self.log.close()


class _Pool:
    def __init__(self, jobs, parallel, out):
        from . import strategies

        self.strategies = strategies.order()
        self.waiting = [(job, 0) for job in jobs]
        self.parallel, self.out = parallel, out
        self.running = {}
        self.parent = os.getppid()
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)

    def run(self):
        while self.waiting or self.running:
            while self.waiting and len(self.running) < self.parallel:
                job, attempt = self.waiting.pop(0)
                job.setdefault("deadline", time.monotonic() + job["timeout"])
                child = _Child(job, attempt, self.strategies[attempt])
                self.running[child.pid] = child
            if not self.reap():
                time.sleep(0.01)

    def stop(self, *_):
        for child in self.running.values():
            child.kill()
        os._exit(130)

    def reap(self):
        """Takes in one ended or overdue child; returns whether there was one."""
        if os.getppid() != self.parent:
            self.stop()
        pid, status = os.waitpid(-1, os.WNOHANG) if self.running else (0, 0)
        if pid in self.running:
            child = self.running.pop(pid)
            # Processes that the builder left behind.
            child.kill()
            self.finish(child, status)
            child.close()
            return True
        for pid, child in list(self.running.items()):
            if time.monotonic() > child.job["deadline"]:
                child.kill()
                os.waitpid(pid, 0)
                del self.running[pid]
                limit = child.job["timeout"]
                self.fail(child, "timeout", f"the build took longer than {limit:g} seconds and was stopped")
                child.close()
                return True
        return False

    def finish(self, child, status):
        result = child.result()
        strategy = self.strategies[child.attempt]
        if result is not None and "signature" in result:
            _send(self.out, {"id": child.job["id"], "strategy": strategy, "signature": result["signature"]})
        elif _may_retry(result, status) and child.attempt + 1 < len(self.strategies):
            # A fresh child: automatic names count on from whatever the failed attempt made.
            self.waiting.insert(0, (child.job, child.attempt + 1))
        elif result is not None:
            self.fail(child, "raised", result["failure"], result["detail"])
        else:
            self.fail(child, "died", _died(status))

    def fail(self, child, kind, failure, detail=""):
        printed = child.printed()
        detail = "\n".join(part for part in (detail, printed and f"The build printed:\n{printed}") if part)
        _send(self.out, {"id": child.job["id"], "kind": kind, "failure": failure, "detail": detail})


def _may_retry(result, status):
    """A cheaper strategy may be what failed: but not where the user's code is plainly at fault."""
    if result is not None:
        return not result["final"]
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL


def _build(job, strategy, answer, log):
    """The whole life of a child; never returns."""
    code = 0
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _end_with_parent()
        _end_first_when_memory_ends()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        from . import build

        try:
            result = {"signature": build.run(job, strategy)}
        except (Exception, SystemExit) as error:
            result = {
                "failure": _sentence(error),
                "detail": traceback.format_exc(limit=-12),
                "final": isinstance(error, (build.BuildError, SyntaxError, MemoryError, SystemExit)),
            }
        text = json.dumps(result).encode()
        if len(text) > _LIMIT:
            result = {"failure": "the signature is larger than 256 MB", "detail": "", "final": True}
            text = json.dumps(result).encode()
        sys.stdout.flush()
        sys.stderr.flush()
        os.pwrite(answer.fileno(), text, 0)
    except BaseException:
        code = 70
    finally:
        os._exit(code)


def _sentence(error):
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _died(status):
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGKILL:
            return "the build was killed from outside, most likely because memory ran out"
        return f"the build crashed with signal {signal.Signals(number).name}"
    return (
        f"the build ended its own process with exit status {os.WEXITSTATUS(status)} "
        "before it returned a model (os._exit?)"
    )


def _end_with_parent():
    """On Linux: no build outlives the tool, however that ends (PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _end_first_when_memory_ends():
    """On Linux: the kernel is to take this process, not the user's editor, when memory runs out."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
