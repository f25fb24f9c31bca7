"""Builds: runs the probe in the user's Python and takes in what it found.

The only slow and the only untrusted step: whatever the user's code does, it ends here as a `Build`.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from restore_guard import folders, probe
from restore_guard.build import Answer, Build, Job, Trace
from restore_guard.building import isolation, processors, remains, warm
from restore_guard.environments import concealed
from restore_guard.errors import UncheckedError
from restore_guard.probe.serving import trees
from restore_guard.progress import Count
from restore_guard.signature import Signature

# What importing TensorFlow may take.
_IMPORT_SECONDS = 300
# The probe tells each second that it lives, on a machine that has anything left for it.
_SILENT_SECONDS = 60


class _Made(msgspec.Struct):
    """What the task "build" returns."""

    signature: Signature
    trace: Trace


class Probe:
    """A warm Python: entering starts it and it imports TensorFlow at once, while the caller goes on.

    Where one is kept warm already (`restore-guard warm`), entering borrows a process of it instead.

    `run` may be called several times. Leaving ends it, with all that it started and all that it put into its own folder
    for temporary files, where TensorFlow leaves a file for every function that it traces (AutoGraph's loader.py).

    Args:
        python: the interpreter that has the user's TensorFlow.
        progress: called with a sentence when something begins or ends.

    Raises:
        UncheckedError: on entering, the interpreter does not start.
    """

    def __init__(
        self, python: Path, progress: Callable[[str], None] = lambda _: None, hash_seed: str = isolation.HASH_SEED
    ) -> None:
        self.python, self.progress, self.hash_seed = python, progress, hash_seed
        self.seal = secrets.token_hex()

    def __enter__(self) -> Probe:
        with contextlib.ExitStack() as stack:
            self.errors = stack.enter_context(tempfile.TemporaryFile())
            self.scratch = stack.enter_context(folders.temporary())
            stack.callback(remains.forget, self.scratch)
            concealed.conceal()
            self.environ = isolation.environment(os.environ, self.hash_seed) | _temporary(self.scratch)
            if (lent := warm.borrow(self.python, self.environ, self.errors)) is not None:
                stack.callback(lent.close)
            self._begin(lent or self._started())
            stack.callback(self._end)
            self._stack = stack.pop_all()
        return self

    def _begin(self, process: subprocess.Popen[bytes] | warm.Loan) -> None:
        self.process, self.asked, self.begun = process, 0, time.monotonic()
        self.version: str | None = None
        self.lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(_piped(process.stdout), self.lines), daemon=True).start()

    def _started(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [str(self.python), str(Path(probe.__file__).parent)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                env=self.environ,
                start_new_session=True,
                creationflags=trees.APART,
            )
        except OSError as error:
            raise UncheckedError(f"{self.python} cannot be started: {error.strerror}.") from error

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _end(self) -> None:
        if self.process.poll() is None:
            # The probe ends its builds on SIGTERM, or at the end of its input where a signal would only end itself.
            if trees.KILLED is not None:
                self.process.send_signal(signal.SIGTERM)
            elif self.version is not None:
                self._close(self.process.stdin)
            else:  # it listens to nothing before TensorFlow is there
                self._kill()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self._kill()
        if self.process.poll() != 0:  # else it has ended its builds itself
            remains.end(self.scratch, self.process.pid)
        self._close(self.process.stdin)
        _piped(self.process.stdout).close()

    @staticmethod
    def _close(stdin: IO[bytes] | None) -> None:
        with contextlib.suppress(OSError):  # what a Python that ended at once has never read
            _piped(stdin).close()

    def _kill(self) -> None:
        trees.end(self.process.pid)
        self.process.wait()

    def run(self, jobs: Sequence[Job], purpose: str = "building") -> dict[str, Any]:
        """Does all jobs, as many at once as there are processors.

        Args:
            purpose: what it is for, as people are told while they wait.

        Returns:
            {job id: Build, or Answer for another task}, one for every job, whatever happened to it.

        Raises:
            UncheckedError: the interpreter has no TensorFlow.
        """
        if not jobs:
            return {}
        request = {"jobs": [_encode(job) for job in jobs], "parallel": processors.count(), "seal": self.seal}
        self.request = json.dumps(request).encode() + b"\n"
        self._ask()
        if self.version is None:
            self.progress(f"importing TensorFlow ({self.python})")
        else:
            self.progress(purpose)
        return self._collect({job.id: job for job in jobs}, purpose)

    def _ask(self) -> None:
        self.asked += 1
        # A thread: the pipe may be full, and a Python that hangs never reads it.
        threading.Thread(target=_write, args=(_piped(self.process.stdin), self.request), daemon=True).start()

    def _collect(self, jobs: Mapping[str, Job], purpose: str) -> dict[str, Any]:
        done: dict[str, Any] = {}
        why = None
        while len(done) < len(jobs) and why is None:
            message = self._next()
            if isinstance(message, str):
                why = message
            elif message.error is not None:
                raise UncheckedError(
                    f"{self.python} cannot import TensorFlow ({message.error}). Install it there, or name the "
                    'Python that has it: python = ".venv/bin/python" in the configuration.'
                )
            elif message.too_old is not None:
                raise UncheckedError(
                    f"{self.python} cannot build the models: {message.too_old}. Name a newer one that has your "
                    'TensorFlow: python = ".venv/bin/python" in the configuration.'
                )
            elif message.ready is not None:
                self.version = message.ready.get("tensorflow")
                self.progress(purpose)
            elif message.answered == self.asked:
                why = "the build's answer was lost on its way"
            elif message.failure is None and message.seal != self.seal:
                continue
            elif (job := jobs.get(message.id or "")) and job.id not in done:
                done[job.id] = _build(message) if job.task == "build" else _answer(message)
                self.progress(Count(len(done), len(jobs), purpose))
        for job in jobs.values():
            if job.id not in done:
                kind = Build if job.task == "build" else Answer
                done[job.id] = kind(failure=why, detail=self._tail())
        return done

    def _next(self) -> isolation.Message | str:
        """What the probe says next, or why it says nothing any more; the probe watches each build's own time."""
        try:
            line = self._line()
        except queue.Empty:
            # Its builds end with it, and nobody waits for it a second time.
            self._kill()
            if not self.version:
                return f"importing TensorFlow took longer than {_IMPORT_SECONDS} seconds and was stopped"
            if not isinstance(self.process, warm.Loan):
                silent = f"nothing was heard of it for {_SILENT_SECONDS} seconds"
                return f"the Python that builds hangs: {silent}, so it was stopped"
            # What is lent must not change a verdict: a Python of the run's own does it.
            self._end()
            self._begin(self._started())
            self._ask()
            return self._next()
        if line is not None:
            return isolation.decode(line)
        self.lines.put(None)  # for the next run
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        status = self.process.poll()
        how = "" if status is None else f" with signal {-status}" if status < 0 else f" with exit status {status}"
        return f"the Python that builds ended{how} before this build did"

    def _line(self) -> bytes | None:
        """A line of the probe's; None at their end.

        Raises:
            queue.Empty: the probe has been silent for too long.
        """
        if not self.version:
            return self.lines.get(timeout=max(0, self.begun + _IMPORT_SECONDS - time.monotonic()))
        for _ in range(_SILENT_SECONDS):  # one by one: a machine that stood still, the probe with it, loses just one
            with contextlib.suppress(queue.Empty):
                return self.lines.get(timeout=1)
        raise queue.Empty

    def _tail(self) -> str:
        self.errors.seek(0)
        return self.errors.read()[-4000:].decode(errors="replace").strip()


def _listen(pipe: IO[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    with contextlib.suppress(ValueError):
        for line in isolation.lines(pipe):
            lines.put(line)
    lines.put(None)


def _write(pipe: IO[bytes], request: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):  # the probe has ended, or been ended
        pipe.write(request)
        pipe.flush()


def _encode(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "root": str(job.root),
        "project": job.project,
        "builder": job.builder,
        "kwargs": dict(job.kwargs),
        "inputs": [dict(item) for item in job.inputs],
        "pythonpath": list(job.pythonpath),
        "worktree": str(job.worktree) if job.worktree else None,
        "timeout": job.timeout,
        "restores": list(job.restores),
        "task": job.task,
        "load": dict(job.load),
        "environ": dict(job.environ),
        "options": dict(job.options),
    }


def _temporary(folder: Path) -> dict[str, str]:
    """The variables that make a folder the one for temporary files; programs for Windows read two others."""
    names = ("TMPDIR", "TEMP", "TMP") if os.name == "nt" else ("TMPDIR",)
    return dict.fromkeys(names, str(folder))


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    """A stream of a process that was started with a pipe for it, which `subprocess` then always opens."""
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream


def _build(message: isolation.Message) -> Build:
    if message.failure is not None:
        return Build(failure=message.failure, detail=message.detail, at=message.at, writes=message.writes)
    try:
        made = isolation.checked(message.result, _Made)
    except ValueError as error:
        return Build(failure=f"the build returned a signature that cannot be read: {error}")
    return Build(made.signature, message.strategy, message.because, message.seconds, made.trace)


def _answer(message: isolation.Message) -> Answer:
    if message.failure is not None:
        return Answer(failure=message.failure, detail=message.detail, died=message.died)
    return Answer(message.result)
