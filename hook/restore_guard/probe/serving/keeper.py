"""`restore-guard warm`: a Python that has imported TensorFlow and waits, on a socket, for runs to lend itself to.

For each run it forks a process that takes over the run's directory, environment variables and streams and from
then on is the same server as one that was started for the run (`server.serve`). Here no task is ever done.

It is started as `python <probe> keep FOLDER SECONDS [PID]`: FOLDER has the socket; it ends after so many seconds in
which nobody asked, with the process PID, when the folder goes, and when memory gets low. What is asked is a line of
JSON, {"environ", "cwd", "umask", "limits"} with three descriptors: of requests, of answers and of what is printed; or
{"status": true}. Said is {"lent": pid} or {"stale": path}, and {"ended": exit code} when that process has ended.
"""

import contextlib
import fcntl
import importlib
import json
import os
import resource
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time

from .. import failures, oldest
from ..tracing import environment
from . import children, imported, memory, server, wire

SOCKET, LOCK = "socket", "lock"
_TICK, _LOOK = 2, 60
_HELLO_SECONDS = 10
# How a process ends that was not lent.
_FAILED, _STALE, _TOLD = 70, 77, 78
LIMITS = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_STACK")
"""What a run hands on to the process that it borrows."""


# Says to a keeper that it is the second in a row.
_AGAIN = "again"


def main():
    """Returns the exit status: 0 when it has ended as it should, 4 without TensorFlow, 5 where another one keeps."""
    environment.remember()
    folder, seconds, *leader = (word for word in sys.argv[2:] if word != _AGAIN)
    os.chdir(folder)
    os.umask(0o077)
    lock = open(LOCK, "w")  # noqa: SIM115 - held for as long as the process lives
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 5
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # The kernel is to take this process before any other of the user's when memory runs out.
    _offer_to_the_kernel(900)
    known = imported.Imported()
    try:
        version = server.import_tensorflow()
    except BaseException as error:
        print(failures.sentence(error), file=sys.stderr)
        return 4
    if too_old := oldest.tensorflow(version):
        print(too_old, file=sys.stderr)
        return 4
    server.prepare()
    known.finish()
    if known.is_torn():
        if _AGAIN not in sys.argv:  # what was changed just before seems to be changed now, for a moment
            time.sleep(1.5 * imported.STEP)
            os.execve(sys.executable, [sys.executable, *sys.argv, _AGAIN], environment.started)
        print("what is installed was changed while it was imported", file=sys.stderr)
        return 4
    children.adopt_orphans()
    keeper = _Keeper(known, lock, float(seconds), int(leader[0]) if leader else None)
    try:
        keeper.keep()
    finally:
        keeper.close()
    if keeper.stale:  # as it was started: it keeps what is installed now
        words = [word for word in sys.argv if word != _AGAIN]
        os.execve(sys.executable, [sys.executable, *words], environment.started)
    return 0


class _Loan:
    """A process that was forked for a run; `code` is None for as long as it lives."""

    def __init__(self, pid, connection):
        self.pid, self.connection, self.code = pid, connection, None
        self.watch = os.pidfd_open(pid)

    def close(self):
        self.connection.close()
        os.close(self.watch)


class _Keeper:
    def __init__(self, known, lock, seconds, leader):
        self.known, self.lock, self.seconds = known, lock, seconds
        # TensorFlow sets some for itself.
        self.set = {name: value for name, value in os.environ.items() if environment.started.get(name) != value}
        self.leader = os.pidfd_open(leader) if leader else None
        self.loans, self.lent, self.stale = {}, 0, False
        self.used, self.looked = time.monotonic(), time.monotonic()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(SOCKET)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(SOCKET)
        self.listener.listen(16)
        self.own = os.stat(SOCKET)
        self.poll = select.poll()
        self.poll.register(self.listener, select.POLLIN)

    def keep(self):
        while self.goes_on():
            events = dict(self.poll.poll(_TICK * 1000))
            for loan in list(self.loans.values()):
                self.look_after(loan, events)
            if self.stale:  # nobody new is kept from starting a Python of its own
                self.close()
            elif self.listener.fileno() in events:
                self.welcome()

    def close(self):
        """Whoever has a loan goes on with it. The folder stays where this Python is to import once more."""
        if self.listener.fileno() < 0:
            return
        if self.is_ours():
            os.unlink(SOCKET)
            if not self.stale:
                shutil.rmtree(os.getcwd(), ignore_errors=True)
        self.poll.unregister(self.listener)
        self.listener.close()

    def goes_on(self):
        if self.loans:
            return True
        if time.monotonic() > self.looked + _LOOK:
            self.looked, self.stale = time.monotonic(), self.stale or self.known.changed() is not None
        left = self.leader is not None and select.select([self.leader], [], [], 0)[0]
        idle = time.monotonic() > self.used + self.seconds
        return not (self.stale or left or idle or not self.is_ours() or memory.is_low())

    def is_ours(self):
        try:
            return os.path.samestat(os.stat(SOCKET), self.own)
        except OSError:
            return False

    def welcome(self):
        connection, _ = self.listener.accept()
        if peer(connection)[1] != os.geteuid():
            connection.close()
            return
        try:
            pid = os.fork()
        except OSError:  # no further process
            connection.close()
            return
        if pid == 0:
            self.lend(connection)
        loan = self.loans[pid] = _Loan(pid, connection)
        self.poll.register(loan.watch, select.POLLIN)
        self.poll.register(connection, select.POLLRDHUP)

    def look_after(self, loan, events):
        """Tells a run how its process has ended, and ends one whose run has; its number is kept as long as the run."""
        if loan.watch in events and loan.code is None:
            ended = os.waitid(os.P_PID, loan.pid, os.WEXITED | os.WNOWAIT)
            loan.code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
            self.stale = self.stale or loan.code == _STALE
            if loan.code <= 0:
                self.used = time.monotonic()
            self.poll.unregister(loan.watch)
            with contextlib.suppress(OSError):
                loan.connection.sendall(wire.encode({"ended": loan.code}))
        if loan.connection.fileno() in events:
            if loan.code is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(loan.pid, signal.SIGKILL)
            else:
                self.poll.unregister(loan.connection)
                os.waitpid(loan.pid, 0)
                del self.loans[loan.pid]
                loan.close()
                children.end_orphans(self.loans)

    def lend(self, connection):
        """The whole life of a process that is forked for a run; never returns."""
        code = _FAILED
        try:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for descriptor in (self.listener.fileno(), self.lock.fileno(), self.leader):
                if descriptor is not None:
                    os.close(descriptor)
            for loan in self.loans.values():
                loan.close()
            code = self.answer(connection)
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)

    def answer(self, connection):
        connection.settimeout(_HELLO_SECONDS)
        hello, descriptors = _hello(connection)
        changed = self.known.changed()
        if hello.get("status"):
            left = self.used + self.seconds - time.monotonic()
            connection.sendall(wire.encode({**_own(), "left": left, "changed": changed}))
            return _TOLD
        if changed is not None:
            connection.sendall(wire.encode({"stale": changed}))
            return _STALE
        _become(hello, self.set)
        requests, out, errors = descriptors
        os.dup2(errors, 1)
        os.dup2(errors, 2)
        os.close(errors)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        connection.sendall(wire.encode({"lent": os.getpid()}))
        with os.fdopen(out, "wb", buffering=0) as answers, os.fdopen(requests, "rb") as asked:
            server.serve(answers, server.heard(asked), private=[out, requests, connection.fileno()])
        return 0


def _own():
    from .. import frameworks

    return {"python": sys.executable, "versions": frameworks.versions()}


def _offer_to_the_kernel(score):
    """How readily the kernel ends this process where memory runs out (proc(5), oom_score_adj)."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(str(score))


def peer(connection: socket.socket) -> tuple[int, ...]:
    """(process, user, group) at the other end (unix(7), SO_PEERCRED)."""
    size = struct.calcsize("3i")
    return struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))


def _hello(connection):
    data, descriptors, _, _ = socket.recv_fds(connection, 65536, 3)
    while data and not data.endswith(b"\n"):
        more = connection.recv(65536)
        data = data + more if more else b""
    return json.loads(data), descriptors


def _become(hello, set_by_import):
    """Makes this process what one would be that the run itself has started."""
    os.environ.clear()
    os.environ.update(hello["environ"])
    environment.started.clear()
    environment.remember()
    os.environ.update(set_by_import)
    _offer_to_the_kernel(0)
    os.umask(hello["umask"])
    for name, (soft, hard) in hello["limits"].items():
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (soft, hard))
    os.chdir(hello["cwd"])
    del sys.argv[1:]
    # What was found out for the folder and the variables of the parent.
    tempfile.tempdir = None
    importlib.invalidate_caches()
    time.tzset()
    drawing = sys.modules.get("numpy.random")
    if drawing is not None:  # else each task imports it anew; Python's own module does this after a fork by itself
        drawing.seed()
