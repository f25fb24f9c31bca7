"""Pythons that are kept warm on a developer's machine (`restore-guard warm`): started, found, borrowed and ended.

Each has a folder of its own in the user's runtime folder, which nobody else may enter. The folder is named by the
interpreter, the probe and the environment variables that an import sees; what is installed is the keeper's to watch
(`probe.serving.imported`). Whatever goes wrong with one, the caller starts a Python of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any, NoReturn

import msgspec

from restore_guard import probe
from restore_guard.building import probe_code
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.probe.tracing.environment import COSMETIC

# Of one call, and nothing that an import looks at: PATH decides which programs are started.
_PASSING = COSMETIC | {"PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "TEMP", "TMP", "XDG_SESSION_ID"}
_ANSWER_SECONDS = 10
_START_SECONDS = 300
_END_SECONDS = 10


class Kept(msgspec.Struct, frozen=True):
    """A Python that is kept warm.

    Attributes:
        pid: its process.
        left: seconds after which it ends if nobody uses it.
        changed: what was installed or removed since it imported; None where it is up to date.
        memory: bytes that are its alone, shared ones in part; None where the system does not tell.
    """

    python: str
    versions: Mapping[str, str]
    pid: int
    left: float
    changed: str | None
    memory: int | None


class _Status(msgspec.Struct):
    python: str
    versions: dict[str, str]
    left: float
    changed: str | None = None


class Loan:
    """A process that a warm Python has forked for one run; it stands for a `subprocess.Popen`."""

    def __init__(self, connection: socket.socket, pid: int, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        self._connection = connection
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, negative for a signal, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """As of a Popen.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        if self._code is None:
            told = _line(self._connection, timeout)
            if told is None:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            # Nothing is said where the keeper was ended meanwhile, and this process after it.
            self._code = int(told.get("ended", -signal.SIGKILL))
        return self._code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def close(self) -> None:
        """Lets the keeper forget the process; it is ended if it still runs."""
        self._connection.close()


def borrow(python: Path, environ: Mapping[str, str], errors: IO[bytes]) -> Loan | None:
    """A process of a warm Python, as if it were started with `environ` and printed to `errors`.

    None where there is no such Python, where it is out of date, and in CI.
    """
    folder = _named(python, environ)
    if folder is None or not folder.is_dir() or in_ci(os.environ):
        return None
    connection = _connected(folder)
    if connection is None:
        return None
    requests, stdin = os.pipe()
    stdout, answers = os.pipe()
    try:
        told = _asked(connection, {"environ": dict(environ), **_state()}, [requests, answers, errors.fileno()])
    except OSError:  # a working directory that is gone
        told = None
    finally:
        os.close(requests)
        os.close(answers)
    if told is None or "lent" not in told:
        os.close(stdin)
        os.close(stdout)
        connection.close()
        return None
    return Loan(connection, int(told["lent"]), os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"))


def keep(python: Path, environ: Mapping[str, str], seconds: float) -> Kept:
    """Starts a warm Python and waits until it has imported TensorFlow; one that is up to date already is left alone.

    Raises:
        UsageError: this is a system or a place where none is kept.
        UncheckedError: it does not start.
    """
    folder = _named(python, environ)
    if folder is None:
        _refuse(environ)
    _make_private(folder)
    there = _status(folder)
    if there is not None and there.changed is None:
        return there
    if there is not None:
        stop(there)
    with open(folder / "log", "w+b") as log:
        started = subprocess.Popen(
            [str(python), str(Path(probe.__file__).parent), "keep", str(folder), str(seconds), *_leader()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**environ, "TMPDIR": str(folder)},
            start_new_session=True,
        )
        limit = time.monotonic() + _START_SECONDS
        while (kept := _status(folder)) is None:
            if (code := started.poll()) is not None and code != 5:  # 5: another one was started at the same time
                log.seek(0)
                said = log.read().decode(errors="replace").strip().splitlines() or [f"it ended with {code}"]
                raise UncheckedError(f"{python} cannot be kept warm: {said[-1]}")
            if time.monotonic() > limit:
                started.kill()
                raise UncheckedError(f"{python} cannot be kept warm: importing TensorFlow took over {_START_SECONDS} s")
            time.sleep(0.05)
    return kept


def kept() -> Iterator[Kept]:
    """All of this user's."""
    for folder in sorted(_home().glob("*/")) if _is_possible() else ():
        if (found := _status(folder)) is not None:
            yield found


def of(python: Path, environ: Mapping[str, str]) -> Kept | None:
    """The one that `borrow` would use, also where it is out of date."""
    folder = _named(python, environ)
    return _status(folder) if folder is not None and folder.is_dir() else None


def stop(one: Kept) -> None:
    """Ends a warm Python; runs that use it go on to their end."""
    with contextlib.suppress(ProcessLookupError):
        watch = os.pidfd_open(one.pid)
        try:
            os.kill(one.pid, signal.SIGTERM)
            if not select.select([watch], [], [], _END_SECONDS)[0]:
                os.kill(one.pid, signal.SIGKILL)
        finally:
            os.close(watch)


def in_ci(environ: Mapping[str, str]) -> bool:
    """Whether this is a job that starts on a clean machine, where nothing is to be left running."""
    return environ.get("CI", "").lower() not in ("", "0", "false") or "GITHUB_ACTIONS" in environ


def _state() -> dict[str, Any]:
    """What a process that is started has of this one, beside variables and descriptors."""
    import resource

    from restore_guard.probe.serving.keeper import LIMITS

    umask = os.umask(0o077)
    os.umask(umask)
    limits = {name: resource.getrlimit(getattr(resource, name)) for name in LIMITS}
    return {"cwd": os.getcwd(), "umask": umask, "limits": limits}


def _is_possible() -> bool:
    """Elsewhere a fork of a Python that has imported TensorFlow may crash, or is not there."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


def _named(python: Path, environ: Mapping[str, str]) -> Path | None:
    """The folder for a Python and the environment variables of a build; None where none can be kept warm."""
    if not _is_possible() or _is_relative(environ.get("PYTHONPATH", "")):
        return None
    seen = {name: value for name, value in environ.items() if name not in _PASSING}
    root = os.stat("/")  # another one in a container that shares the folder
    parts = [str(python), _probe_digest(), root.st_dev, root.st_ino, sorted(seen.items())]
    text = json.dumps(parts).encode("utf-8", "surrogatepass")
    return _home() / hashlib.sha256(text).hexdigest()[:16]


def _is_relative(path: str) -> bool:
    """Whether what is imported depends on the working directory."""
    return bool(path) and not all(map(os.path.isabs, path.split(os.pathsep)))


@cache
def _probe_digest() -> str:
    found = hashlib.sha256()
    for path in probe_code.files():
        found.update(path.read_bytes())
    return found.hexdigest()


def _home() -> Path:
    import platformdirs

    with warnings.catch_warnings():  # it warns where the system has no such folder, and names another
        warnings.simplefilter("ignore")
        return platformdirs.user_runtime_path("restore-guard", appauthor=False) / "warm"


def _make_private(folder: Path) -> None:
    """Makes a folder of the user's own; its parents too, where they are not there.

    Raises:
        UncheckedError: one of them is not the user's alone.
    """
    runtime = folder.parents[2]
    for path in (runtime, folder.parents[1], folder.parent, folder):
        path.mkdir(mode=0o700, exist_ok=True, parents=path == runtime)
        if not _is_own(os.lstat(path), stat.S_IWGRP | stat.S_IWOTH if path == runtime else stat.S_IRWXG | stat.S_IRWXO):
            raise UncheckedError(
                f"{path} is open to other users, so no Python is kept warm there: chmod 700 it, or set XDG_RUNTIME_DIR."
            )


def _is_own(state: os.stat_result, forbidden: int = stat.S_IRWXG | stat.S_IRWXO) -> bool:
    """Whether it is a folder of this user's that gives others nothing of what is forbidden."""
    return stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid() and not state.st_mode & forbidden


def _connected(folder: Path) -> socket.socket | None:
    """A connection to the keeper of a folder; None where there is none, or it is not this user's."""
    from restore_guard.probe.serving.keeper import SOCKET, peer

    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        if not _is_own(os.fstat(descriptor)):
            raise OSError
        connection.settimeout(_ANSWER_SECONDS)
        # The path of a socket has at most 107 bytes.
        connection.connect(f"/proc/self/fd/{descriptor}/{SOCKET}")
        if peer(connection)[1] != os.geteuid():
            raise OSError
    except OSError:
        connection.close()
        return None
    finally:
        os.close(descriptor)
    return connection


def _asked(connection: socket.socket, hello: Mapping[str, Any], descriptors: list[int]) -> dict[str, Any] | None:
    """What is said to a first message; None for nothing in time."""
    line = memoryview(json.dumps(hello).encode() + b"\n")
    try:
        connection.sendall(line[socket.send_fds(connection, [line], descriptors) :])
    except OSError:
        return None
    return _line(connection, _ANSWER_SECONDS) or None


def _line(connection: socket.socket, timeout: float | None) -> dict[str, Any] | None:
    """One message, which may be empty at the end of the connection; None where none comes in time."""
    connection.settimeout(timeout)
    data = b""
    try:
        while not data.endswith(b"\n"):
            byte = connection.recv(1)
            if not byte:
                return {}
            data += byte
    except (TimeoutError, BlockingIOError):
        return None
    except OSError:
        return {}
    return msgspec.json.decode(data, type=dict[str, Any])


def _status(folder: Path) -> Kept | None:
    from restore_guard.probe.serving.keeper import peer

    connection = _connected(folder)
    if connection is None:
        return None
    with connection:
        told = _asked(connection, {"status": True}, [])
        pid = peer(connection)[0]
    try:
        found = msgspec.convert(told, _Status)
    except msgspec.ValidationError:
        return None
    return Kept(found.python, found.versions, pid, found.left, found.changed, _memory(pid))


def _memory(pid: int) -> int | None:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024
    return None


def _leader() -> list[str]:
    """The process whose end is the end of the login; none where the system removes the runtime folder then."""
    if _home().is_relative_to(f"/run/user/{os.geteuid()}"):
        return []
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:  # nobody has logged in here
        return []
    return [str(os.getsid(0))]


def _refuse(environ: Mapping[str, str]) -> NoReturn:
    if _is_possible():
        said = f"PYTHONPATH={environ['PYTHONPATH']} depends on the folder: give absolute paths, or unset it."
    else:
        said = "a Python can be kept warm on Linux only, from 5.3 on."
    raise UsageError(said)
