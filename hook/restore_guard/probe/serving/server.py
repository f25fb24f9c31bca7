"""The warm parent of all tasks in one Python: imports TensorFlow once, then starts a child for every task.

Speaks JSON lines. In, on standard input, as often as there is something to do, also while TensorFlow is being
imported: {"jobs": [...], "parallel": n, "seal": always the same word}; the end of input is the end of the parent. Out,
on the descriptor that standard output was at the start: {"ready": versions}, or {"error"} or {"too_old"} and the end;
then for each job {"id", "seal", "strategy", "because", "seconds", "result"} or {"id", "failure", "detail", "died"}; as
long as a job is under way, {"beat": n} each second; and {"answered": n} when the n-th request has nothing left to do.
What builders print is kept from both, and a build that finds a way to one of them does not know the seal.
"""

import contextlib
import gc
import json
import os
import queue
import signal
import threading
import time

from .. import failures
from ..tracing import environment
from . import children, memory, trees, wire

# Seconds between looks at the memory that is left.
_LOOK = 0.1
_NO_PYTHON = "Fatal Python error: "


def main():
    """Returns the process's exit status: 4 without a TensorFlow that will do, else 0 at the end of input."""
    environment.remember()
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    # Nobody but `_listen` may read what is asked.
    requests = os.fdopen(os.dup(0), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    asked = heard(requests)
    try:
        version = import_tensorflow()
    except BaseException as error:  # a start-up file may end the Python as well
        _send(out, {"error": failures.sentence(error)})
        return 4
    from .. import oldest

    if too_old := oldest.tensorflow(version):
        _send(out, {"too_old": too_old})
        return 4
    serve(out, asked, private=[out.fileno(), requests.fileno()], parent=os.getppid())
    return 0


def import_tensorflow():
    """Imports it before any task is forked; returns its version.

    What an import makes stays: looking for garbage meanwhile takes a sixth of its time and finds next to nothing.
    """
    gc.disable()
    try:
        import tensorflow as tf

        tf.keras.layers  # noqa: B018 - loads Keras lazily, once for all children
    finally:
        gc.enable()
    return tf.__version__


def prepare():
    """Loads the rest of the probe before any task is forked; returns the tasks."""
    from .. import tasks
    from ..tracing import places

    places.prepare()
    gc.freeze()  # a task that looks for garbage would copy the pages of all that was imported
    return tasks


def heard(requests):
    """The queue of what is asked by a stream; a None at its end."""
    asked = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, asked), daemon=True).start()
    return asked


def serve(out, asked, private, parent=None):
    """Does what is asked until nobody asks any more, and ends the process.

    Args:
        out: the stream of the answers.
        private: the descriptors that no task may have.
        parent: the process that asks, where its end is not always the end of what is asked.
    """
    from .. import frameworks

    _send(out, {"ready": frameworks.versions()})
    _Pool(out, prepare().attempts, private, parent).serve(asked)


def _listen(requests, asked):
    for line in requests:
        with contextlib.suppress(ValueError, RecursionError):  # what a build has written there
            request = json.loads(line)
            if isinstance(request, dict) and request.keys() >= {"jobs", "parallel", "seal"}:
                asked.put(request)
    asked.put(None)


def _send(out, message):
    line = memoryview(wire.encode(message))
    while line:
        line = line[out.write(line) :]


class _Turn:
    """A job on its way through its strategies; `alone` where it needs the memory for itself, `beside` others if not."""

    def __init__(self, job, strategies):
        self.job, self.strategies = job, list(strategies)
        self.begin = self.because = None
        self.alone = self.beside = False


class _Pool:
    def __init__(self, out, attempts, private, parent):
        self.out, self.attempts, self.private = out, attempts, private
        self.waiting, self.running = [], {}
        self.requests, self.beats, self.beaten, self.looked = 0, 0, 0.0, 0.0
        self.parallel, self.parent = 1, parent
        self.seal = bytearray()
        children.adopt_orphans()
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)

    def serve(self, asked):
        try:
            while self.hear(asked):
                while self.waiting and self.has_room():
                    self.start(self.waiting.pop(0))
                self.make_room()
                for child, turn in list(self.running.values()):
                    self.look_after(child, turn)
                self.beat()
        except BrokenPipeError:  # the tool is gone
            pass
        self.stop()

    def has_room(self):
        """Whether one more may run: for the first there always is room."""
        if not self.running:
            return True
        alone = self.waiting[0].alone or any(turn.alone for _, turn in self.running.values())
        return len(self.running) < self.parallel and not alone and not memory.is_low()

    def make_room(self):
        """Where memory gets low, ends the build that was started last; it begins anew when the others are done."""
        if len(self.running) < 2 or time.monotonic() < self.looked + _LOOK:
            return
        self.looked = time.monotonic()
        if memory.is_low():
            child, turn = self.running.popitem()[1]
            child.kill()
            child.wait()
            children.end_orphans(self.running)
            child.close()
            self.again(turn)

    def again(self, turn):
        """Puts a build off that did not get enough memory beside others; its time begins anew as well."""
        turn.alone, turn.beside, turn.begin = True, False, None
        self.waiting.append(turn)

    def start(self, turn):
        turn.begin = turn.begin or time.monotonic()
        try:
            child = children.start(turn.job, turn.strategies[0], self.private, self.seal)
        except OSError as error:  # no room on the disk, no further process
            failure = f"the build could not be started: {error.strerror}"
            _send(self.out, {"id": turn.job["id"], "failure": failure, "detail": ""})
        else:
            self.running[child.pid] = child, turn
            for _, each in self.running.values() if len(self.running) > 1 else ():
                each.beside = True

    def hear(self, asked):
        """Takes in one request, or waits a moment; returns False at the end of input."""
        try:
            request = asked.get(timeout=0.01 if self.running or self.waiting else None)
        except queue.Empty:
            # On systems where a killed tool's pipe stays open in what it had started.
            return self.parent in (None, os.getppid())
        if request is not None and self.is_genuine(str(request.pop("seal")).encode()):
            self.requests += 1
            self.parallel = request["parallel"]
            self.waiting += [_Turn(job, self.attempts(job)) for job in request["jobs"]]
        return request is not None

    def is_genuine(self, seal):
        """Whether a request is the tool's, whose first one came before there was any build."""
        self.seal[:] = self.seal or seal
        return self.seal == seal

    def beat(self):
        """Tells the tool that this process lives, or that it has nothing left to do."""
        if not self.waiting and not self.running:
            _send(self.out, {"answered": self.requests})
        elif time.monotonic() >= self.beaten + 1:
            self.beats, self.beaten = self.beats + 1, time.monotonic()
            _send(self.out, {"beat": self.beats})

    def stop(self, *_):
        for child, _turn in self.running.values():
            child.kill()
        for child, _turn in self.running.values():
            child.wait()
        children.end_orphans(running=())
        os._exit(0)

    def look_after(self, child, turn):
        """Takes in an ended or overdue child."""
        code = child.poll()
        overdue = code is None and time.monotonic() > turn.begin + child.job["timeout"]
        if code is None and not overdue:
            return
        # With whatever the builder left behind.
        child.kill()
        if overdue:
            child.wait()
        del self.running[child.pid]
        children.end_orphans(self.running)
        if code is not None and code == trees.KILLED and turn.beside and not turn.alone:
            self.again(turn)  # the kernel may have ended it for what others use, and them as well
        elif overdue:
            limit = child.job["timeout"]
            self.fail(child, f"the build took longer than {limit:g} seconds and was stopped", died=True)
        else:
            self.finish(child, turn, code)
        child.close()

    def finish(self, child, turn, code):
        result = child.result()
        if result is not None and "result" in result:
            seconds = round(time.monotonic() - turn.begin, 3)
            known = {"id": child.job["id"], "seal": self.seal.decode(), "strategy": child.strategy}
            known.update(because=turn.because, seconds=seconds)
            try:
                _send(self.out, {**known, "result": result["result"]})
            except ValueError as error:  # an answer that the build's own code has written
                self.fail(child, f"the build's answer cannot be read: {error}")
            return
        failure = str(result["failure"]) if result is not None else _died(code, child.printed())
        if result is not None and result.get("flags"):
            job = {**turn.job, "flags": result["flags"]}
            again = _Turn(job, self.attempts(job))
            again.begin = turn.begin
            self.waiting.insert(0, again)
            return
        if _may_retry(result, code) and len(turn.strategies) > 1:
            # A fresh child: automatic names count on from whatever the failed attempt made.
            turn.because = failure
            del turn.strategies[0]
            self.waiting.insert(0, turn)
        else:
            died = result is None and code != trees.KILLED
            told = result if result is not None else {}
            told = {key: told.get(key) for key in ("at", "writes")} | {"detail": str(told.get("detail", ""))}
            self.fail(child, failure, died=died, **told)

    def fail(self, child, failure, detail="", died=False, **more):
        printed = child.printed()
        detail = "\n".join(part for part in (detail, printed and f"The build printed:\n{printed}") if part)
        _send(self.out, {"id": child.job["id"], "failure": failure, "detail": detail, "died": died, **more})


def _may_retry(result, code):
    """A cheaper strategy may be what failed: but not where the user's code is plainly at fault."""
    if result is not None:
        return not result["final"]
    return trees.crashed(code) and code != trees.KILLED


def _died(code, printed=""):
    if printed.startswith(_NO_PYTHON):
        told = printed.splitlines()[0][len(_NO_PYTHON) :]
        return f"Python does not start with the environment variables of this model, its `environ`: {told}"
    if code == trees.KILLED:
        return "the build was killed from outside, most likely because memory ran out"
    if trees.crashed(code):
        return f"the build crashed with {f'signal {_signal(-code)}' if code < 0 else f'status {code:#x}'}"
    return f"the build ended its own process with exit status {code} before it returned a model (os._exit?)"


def _signal(number):
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return number
