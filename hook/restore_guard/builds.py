"""Builds: runs the probe in the user's Python and takes in what it found.

The only slow and the only untrusted step: whatever the user's code does, it ends here as a `Build`.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from restore_guard import probe
from restore_guard.errors import UncheckedError
from restore_guard.signature import Signature

# Time that importing TensorFlow itself may take, on top of the builds' own.
_IMPORT_SECONDS = 300

_WITHHELD = (
    *("GIT_", "ACTIONS_", "GITHUB_TOKEN", "GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STATE"),
    "GITHUB_STEP_SUMMARY",
)


@dataclass(frozen=True)
class Job:
    """A model to build from one side.

    Attributes:
        root: folder of the project at that side.
        pythonpath: folders below the root that come first on sys.path, after the root itself.
        worktree: the user's own work tree, from which nothing may be imported instead.
        timeout: seconds for all attempts together.
    """

    id: str
    root: Path
    builder: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    inputs: Sequence[Mapping[str, Any]] = ()
    pythonpath: Sequence[str] = ()
    worktree: Path | None = None
    timeout: float = 300


@dataclass(frozen=True)
class Build:
    """What became of a job: a signature, or why there is none.

    Attributes:
        strategy: graph, weightless or eager; how the builder could be run.
        failure: one sentence for a person; `detail` holds the traceback and what the build printed.
    """

    signature: Signature | None = None
    strategy: Literal["graph", "weightless", "eager"] | None = None
    failure: str | None = None
    detail: str = ""


def run(python: Path, jobs: Sequence[Job], progress: Callable[[str], None] = lambda _: None) -> dict[str, Build]:
    """Builds all jobs in one Python, as many at once as there are processors.

    Args:
        python: the interpreter that has the user's TensorFlow.
        progress: called with a sentence when something begins or ends.

    Returns:
        {job id: Build}, one for every job, whatever happened to it.

    Raises:
        UncheckedError: the interpreter does not start or has no TensorFlow.
    """
    if not jobs:
        return {}
    with tempfile.TemporaryFile() as errors, _Probe(python, errors) as process:
        process.ask(jobs)
        return process.collect(jobs, progress)


class _Probe:
    def __init__(self, python: Path, errors: Any) -> None:
        self.python, self.errors = python, errors
        try:
            self.process = subprocess.Popen(
                [str(python), str(Path(probe.__file__).parent)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(os.environ),
                start_new_session=True,
            )
        except OSError as error:
            raise UncheckedError(f"{python} cannot be started: {error.strerror}.") from error
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> _Probe:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            # The probe ends its builds on SIGTERM; what it started is in its own session.
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        with contextlib.suppress(BrokenPipeError):  # what a Python that ended at once has never read
            self.process.stdin.close()
        self.process.stdout.close()

    def _listen(self) -> None:
        with contextlib.suppress(ValueError):
            for line in self.process.stdout:
                self.lines.put(line)
        self.lines.put(None)

    def ask(self, jobs: Sequence[Job]) -> None:
        request = {"jobs": [_encode(job) for job in jobs], "parallel": os.cpu_count() or 1}
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()

    def collect(self, jobs: Sequence[Job], progress: Callable[[str], None]) -> dict[str, Build]:
        waiting = {job.id for job in jobs}
        builds: dict[str, Build] = {}
        progress(f"importing TensorFlow ({self.python})")
        # The probe watches each build's own time; this only catches a probe that hangs itself.
        deadline = time.monotonic() + _IMPORT_SECONDS + sum(job.timeout for job in jobs)
        while waiting:
            try:
                line = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if line is None:
                break
            message = _decode(line)
            if "error" in message:
                raise UncheckedError(
                    f"{self.python} cannot import TensorFlow ({message['error']}). Install it there, or name the "
                    'Python that has it: python = ".venv/bin/python" in the configuration.'
                )
            if "ready" in message:
                plural = "s" if len(jobs) > 1 else ""
                progress(f"{len(jobs)} build{plural} to run with TensorFlow {message['ready'].get('tensorflow')}")
            elif message.get("id") in waiting:
                waiting.discard(message["id"])
                builds[message["id"]] = _build(message)
                progress(f"{len(builds)} of {len(jobs)} done")
        for job in waiting:
            builds[job] = Build(failure="the Python that builds ended or hung before this build", detail=self.tail())
        return builds

    def tail(self) -> str:
        self.errors.seek(0)
        return self.errors.read()[-4000:].decode(errors="replace").strip()


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a build.

    Git's variables point at the user's index, and GitHub's at the files that decide the outcome of a job.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith(_WITHHELD)}
    kept.pop("PYTHONHOME", None)
    return kept | {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
    }


def _encode(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "root": str(job.root),
        "builder": job.builder,
        "kwargs": dict(job.kwargs),
        "inputs": [dict(item) for item in job.inputs],
        "pythonpath": list(job.pythonpath),
        "worktree": str(job.worktree) if job.worktree else None,
        "timeout": job.timeout,
    }


def _decode(line: bytes) -> dict[str, Any]:
    """The probe's message; empty for what the user's Python prints before the probe has taken its output over."""
    try:
        message = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return {}
    return message if isinstance(message, dict) else {}


def _build(message: dict[str, Any]) -> Build:
    if "signature" not in message:
        return Build(failure=str(message.get("failure")), detail=str(message.get("detail", "")))
    try:
        signature = msgspec.convert(message["signature"], Signature)
    except msgspec.ValidationError as error:
        return Build(failure=f"the build returned a signature that cannot be read: {error}")
    return Build(signature, strategy=message.get("strategy"))
