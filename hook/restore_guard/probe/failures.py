"""What went wrong, as an exception of the probe's own and as a sentence."""

import os
import re
import traceback

from .tracing import places, protection


class BuildError(Exception):
    """The builder cannot be used; the message says what to change."""


class EagernessAskedError(Exception):
    """The user's code asks what a graph answers in another way than training does."""


class FlagsSetError(Exception):
    """The user's code sets environment variables that TensorFlow and Keras read when they are imported.

    Attributes:
        flags: {name: value}, with which a fresh process must import them.
    """

    def __init__(self, flags):
        super().__init__(f"{', '.join(sorted(flags))} is set by the code")
        self.flags = flags


class WorkTreeError(Exception):
    """The builder writes into the user's work tree, or starts a program there, which may.

    Attributes:
        path: where; the folder itself for a program.
    """

    def __init__(self, path):
        does = "starts a program" if path == protection.PROGRAM else f"writes to {path}"
        super().__init__(f"the builder {does} in the work tree, which a check may not change")
        self.path = path


def sentence(error):
    """An exception in a sentence: its type, and its message if it has one.

    Without colours, and without the arguments of a layer's call that Keras appends (utils/traceback_utils.py).
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
    text = re.split(r"\n\s*\n(?=Arguments received by |Call arguments received by )", text)[0].strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def frames(error, root):
    """Where the repository's own code failed: [[file relative to `root`, line, function, source]], innermost last.

    The last frames of others, with their absolute files, where none is the repository's.
    """
    probe = os.path.dirname(os.path.realpath(__file__)) + os.sep
    root, repository = os.path.realpath(root) + os.sep, places.Places(root)
    found = [
        [os.path.realpath(frame.filename), frame.lineno, frame.name, (frame.line or "").strip()]
        for frame in traceback.extract_tb(error.__traceback__)
        # Code that Cython has compiled names files of where it was compiled: h5py/h5f.pyx.
        if os.path.isabs(frame.filename) or os.path.exists(frame.filename)
    ]
    if isinstance(error, SyntaxError) and error.filename:  # what cannot be read has no frame
        found.append([os.path.realpath(error.filename), error.lineno or 0, "", (error.text or "").strip()])
    own = [[name, *rest] for file, *rest in found if file.startswith(root) and (name := repository.name(file))]
    others = [frame for frame in found if not frame[0].startswith(probe) and "<frozen " not in frame[0]]
    return own or others[-4:]


def told(error, root):
    """{"failure", "detail", "at"}: the sentence, the frames line by line, and [file, line] of the repository's own."""
    found = frames(error, root)
    lines = [f"{file}:{line}{function and f', in {function}'}: {source}" for file, line, function, source in found]
    at = found[-1][:2] if found and not os.path.isabs(found[-1][0]) else None
    writes = error.path if isinstance(error, WorkTreeError) else None
    return {"failure": sentence(error), "detail": "\n".join(lines), "at": at, "writes": writes}
