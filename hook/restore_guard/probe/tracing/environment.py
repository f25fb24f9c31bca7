"""Which environment variables a build asks for, one by one, and whether something looked at all of them."""

import hashlib
import os

# The folder for temporary files is the tool's own, another one in each run.
_OURS = "TMPDIR"

COSMETIC = frozenset(
    [
        *("COLUMNS", "LINES", "TERM", "NO_COLOR", "SHELL", "PWD", "OLDPWD", "HOSTNAME", "USER", "LOGNAME", "USERNAME"),
        *("GITHUB_SHA", "GITHUB_REF", "RUNNER_TEMP", _OURS),
    ]
)
"""Of a terminal, a session, one run: of no account to what looks at all variables, as progress bars do for their own.
Who asks for one by its name means it."""


started = {}
"""The variables that the process was started with; `remember` fills it."""


def remember():
    """Keeps the variables that the process was started with, before a framework sets its own."""
    started.update(os.environ)


def unheard():
    """All environment variables; that they are read is not noted."""
    kept = os.environ
    return {kept.decodekey(name): kept.decodevalue(value) for name, value in kept._data.items()}


class Environment:
    """What was asked of `os.environ` and `os.environb` from `listen` on.

    What counts is the value that the process was started with: what the build itself sets, it sets each time.
    """

    def __init__(self):
        self.asked, self.all = {}, False

    def listen(self):
        for mapping in (os.environ, getattr(os, "environb", None)):
            if mapping is not None:
                mapping.__class__ = _listening(type(mapping), self)

    def note(self, name):
        name = os.fsdecode(name) if isinstance(name, bytes) else str(name)
        if name == _OURS or (self.all and name in COSMETIC):
            return
        value = started.get(name)
        self.asked[name] = None if value is None else hashlib.sha256(os.fsencode(value)).hexdigest()

    def note_all(self):
        self.all = True
        for name in started.keys() - COSMETIC:
            self.note(name)


def _listening(kind, heard):
    """A class of the mapping that tells what is read."""

    class Listening(kind):
        def __getitem__(self, name):
            heard.note(name)
            return super().__getitem__(name)

        def __iter__(self):
            heard.note_all()
            return super().__iter__()

        def __len__(self):
            heard.note_all()
            return super().__len__()

        def __repr__(self):
            heard.note_all()
            return super().__repr__()

    return Listening
