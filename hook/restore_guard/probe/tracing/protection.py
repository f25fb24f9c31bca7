"""The user's work tree, kept from what a builder writes: as on a disk that may only be read."""

import errno
import os
import tempfile

from .places import Places, absolute, is_installed

CHANGING = {
    "os.chmod": (0, 2),
    "os.chown": (0, 3),
    "os.link": (1, 3),
    "os.remove": (0, 1),
    "os.rmdir": (0, 1),
    "os.symlink": (1, 2),
    "os.truncate": (0, None),
    "os.utime": (0, 3),
}
"""{event of an audit hook: which of its arguments are the path that is changed, and the folder it is relative to}.

A trace hears the others itself.
"""

_TASKS = ("build", "revive", "save", "restore")
"""What runs the user's code; the others write what the user has asked for."""
_TEMPORARY = "restore-guard-run-"
"""What the names of the tool's temporary folders begin with, which may lie in the work tree."""


PROGRAM = "."
"""What `refused` names where a program would have started in the work tree: nobody hears what that writes."""


class _State:
    top = own = refused = None
    here = False


def begin(job):
    """From now on, this process may write nothing into the work tree of its job."""
    if job["worktree"] and job["task"] in _TASKS:
        _State.top = Places(job["worktree"], job["project"]).top
        own = os.path.join(os.path.realpath(os.path.dirname(tempfile.gettempdir())), _TEMPORARY)
        _State.own = own if own.startswith(_State.top) else None
        _State.here = os.path.join(os.path.realpath(job["root"]), "").startswith(_State.top)


def changed(event, args):
    """The path that an event of `CHANGING` changes."""
    path, folder = (args[number] if number is not None else None for number in CHANGING[event])
    return within(path, folder)


def within(path, folder):
    """A path that is relative to an open folder, by the folder's descriptor; None or -1 where there is none."""
    if not isinstance(folder, int) or folder < 0 or isinstance(path, int):
        return path
    return os.path.join(f"/proc/self/fd/{folder}", os.fsdecode(path))


def database(name):
    """The file that SQLite may write for what it is asked to connect to; None where it makes none."""
    name, _, options = os.fsdecode(name).partition("?")
    path = name.removeprefix("file:")
    asks_only = any(option in options for option in ("mode=ro", "mode=memory", "immutable="))
    return None if path in ("", ":memory:") or asks_only else path


def refuse(path):
    """Raises PermissionError if nothing may be written to a path, or to an address as TensorFlow takes them."""
    path = absolute(_on_disk(path))
    if _State.top is None or path is None or is_installed(path):
        return
    path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    places = {place + os.sep for place in (path, os.path.realpath(path))}
    if any(place.startswith(_State.top) and not place.startswith(_State.own or "\0") for place in places):
        _State.refused = _State.refused or path.removeprefix(_State.top)
        raise PermissionError(errno.EROFS, "a build may not write into the work tree", path)


def refuse_program():
    """Raises PermissionError if no program may be started: where the folder it starts in is the work tree."""
    if _State.here:
        _State.refused = _State.refused or PROGRAM
        raise PermissionError(errno.EROFS, "a build may not start a program in the work tree")


def _on_disk(path):
    """A path; None for what TensorFlow keeps elsewhere, as in memory (ram://) or in a bucket (gs://)."""
    scheme, separator, rest = os.fsdecode(path).partition("://") if isinstance(path, (str, bytes)) else ("", "", "")
    if not separator or "/" in scheme:
        return path
    return rest if scheme == "file" else None


def refused():
    """The first path of the work tree that was refused, whatever the code made of that; None where nothing was."""
    return _State.refused
