"""What a warm Python has imported, and whether a fresh one would import the same."""

import hashlib
import os
import sys
import time

# Folders and files that say what is installed, or put further folders and importers in the way.
_TELLING = (".pth", ".dist-info", ".egg-info", ".egg-link")
# What an interpreter looks for when it starts (site.py).
_AT_THE_START = {"sitecustomize", "usercustomize"}
_TEXTS = (".py", ".pth", ".cfg", ".json")
# Files written while they are read have stamps that are this near, in seconds.
STEP = 1
# Keras itself writes it, where it is not there yet (keras/src/backend/config.py).
_WRITTEN = "keras.json"


class Imported:
    """Made before the import; `finish` ends it."""

    def __init__(self):
        self.begin, self.missing = time.time(), _Missing()
        self.before = _told(sys.path)
        self.files, self.folders = {}, {}
        sys.meta_path.append(self.missing)

    def finish(self):
        """Takes down the state of all that was read, and of where imports looked."""
        sys.meta_path.remove(self.missing)
        tops = {name.partition(".")[0] for name in sys.modules} | self.missing.names | _AT_THE_START
        # The interpreter itself may have imported what lies beside its programs.
        self.folders = {folder: (tops, _names(folder, tops)) for folder in dict.fromkeys(sys.path)}
        self.files = {path: (_state(path), _digest(path)) for path in _files(self.folders)}

    def is_torn(self):
        """Whether something changed while it was imported."""
        return _told(self.before) != self.before or any(
            state is not None and state.st_mtime > self.begin - STEP
            for path, (state, _) in self.files.items()
            if not path.endswith(_WRITTEN)
        )

    def changed(self):
        """The first file or folder that is not as it was; None where a fresh Python would import the same."""
        for path, (state, digest) in self.files.items():
            if not _is_same(state, _state(path), path, digest):
                return path
        for folder, (tops, names) in self.folders.items():
            if _names(folder, tops) != names:
                return folder
        return None


class _Missing:
    """The last of the finders: hears the top-level names that no other has found."""

    def __init__(self):
        self.names = set()

    def find_spec(self, name, path=None, target=None):
        if path is None:
            self.names.add(name.partition(".")[0])
        return None

    def invalidate_caches(self):
        pass


def _files(folders):
    """All files that decide what an import gives: modules, libraries, the interpreter, what configures it and Keras."""
    found = [sys.executable, os.path.realpath(sys.executable)]
    beside = os.path.dirname(sys.executable)
    found += [os.path.join(beside, "pyvenv.cfg"), os.path.join(os.path.dirname(beside), "pyvenv.cfg")]
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            found.append(file)
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        # address, permissions, offset, device, inode, and a path for what is mapped from a file
        found += [parts[5].rstrip() for line in maps if len(parts := line.split(None, 5)) > 5]
    for folder, (_, names) in folders.items():
        found += [os.path.join(folder, name) for name in names or () if name.endswith(".pth")]
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    found.append(os.path.join(home, _WRITTEN))
    return [path for path in dict.fromkeys(found) if os.path.isabs(path) and not path.startswith("/proc/")]


def _names(folder, tops):
    """What in a folder of sys.path has to do with what was imported, looked for or installed."""
    try:
        names = os.listdir(folder)
    except OSError:  # a zip file, or nothing
        return None
    return sorted(name for name in names if name.partition(".")[0] in tops or name.endswith(_TELLING))


def _told(folders):
    """{folder: what it says is installed}."""
    return {folder: _names(folder, ()) for folder in folders}


def _state(path):
    try:
        return os.stat(path)
    except OSError:
        return None


def _digest(path):
    """Of a text; a library that is in use is not written over, but replaced."""
    if not path.endswith(_TEXTS):
        return None
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).digest()
    except OSError:
        return None


def _is_same(then, now, path, digest):
    """Whether a file has not changed; a further hard link to it, as uv makes for each environment, is no change."""
    if then is None or now is None:
        return then is now
    alike = all(getattr(then, name) == getattr(now, name) for name in ("st_dev", "st_ino", "st_size", "st_mtime_ns"))
    return alike and (then.st_ctime_ns == now.st_ctime_ns or _digest(path) == digest)
