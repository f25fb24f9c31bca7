"""Segments of shared memory that a build makes: they would outlive it, and so are named to whoever removes them."""

import functools
import os
import tempfile

try:
    import _posixshmem
except ImportError:
    _posixshmem = None

FOLDER, NAMES = "/dev/shm", "shared-memory"
"""Where Linux shows them, and the file among the temporary ones that names those of all builds, a line each."""

# Asked and opened before anybody listens to `os`.
_is_there, _open = os.path.lexists, os.open


class Segments:
    """Notes what is made in shared memory.

    Args:
        deaf: a context manager in which nobody listens.
    """

    def __init__(self, deaf):
        self.deaf = deaf
        with deaf():
            self.names = os.path.join(tempfile.gettempdir(), NAMES)

    def listen(self):
        """The module multiprocessing makes them without a word."""
        if _posixshmem is None:
            return
        make = _posixshmem.shm_open

        @functools.wraps(make)
        def noted(path, flags, *args, **kwargs):
            if flags & os.O_CREAT:
                self.note(os.path.join(FOLDER, path.lstrip("/")))
            return make(path, flags, *args, **kwargs)

        _posixshmem.shm_open = noted

    def note(self, path):
        """Names a file or folder in shared memory that is not there yet."""
        folder, name = os.path.split(path)
        if folder == FOLDER and not _is_there(path):
            with self.deaf():
                file = _open(self.names, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                os.write(file, os.fsencode(name) + b"\n")
                os.close(file)
