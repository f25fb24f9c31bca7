"""What a build depends on besides its configuration: all that it reads, looks for and misses.

A build is its own process, so what is listened to here stays so until its end.
"""

import contextlib
import functools
import importlib.machinery
import opcode
import os
import pathlib
import stat
import sys

from . import environment, framework_files, protection, shared_memory
from .places import Places, absolute, file_of, is_installed, real

_MISSING = (FileNotFoundError, NotADirectoryError)
# What cannot be followed: another process, the network, a database.
_PROGRAMS = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec")
_OPAQUE = (*_PROGRAMS, "os.fork", "socket.connect", "sqlite3.connect")
# Packages that open files in C++ or Rust, where nothing hears it.
_NATIVE = frozenset(
    [
        *("sentencepiece", "tokenizers", "fasttext", "cv2", "soundfile", "decord", "av", "pyarrow", "polars", "lmdb"),
        *("netCDF4", "rasterio", "osgeo", "faiss", "onnxruntime", "lightgbm", "xgboost", "catboost", "torch"),
    ]
)
_SUFFIXES = importlib.machinery.all_suffixes()
_IMPORT_SYSTEM = "<frozen importlib"
# Asked before anybody listens to `os`.
_stat, _lstat = os.stat, os.lstat


class Sources:
    """Hears what a process reads from `listen` on; a Python audit hook cannot be taken off again.

    Args:
        root: the project's folder; project: where it is in the repository, "" for all of it.
    """

    def __init__(self, root, project=""):
        self.places = Places(root, project)
        self.opened, self.present, self.missing, self.listed = set(), set(), set(), set()
        # What the build has made itself, and where it was when it made it.
        self.own, self.written = set(), set()
        self.imports, self.sought, self.opaque = set(), set(), set()
        self.environment = environment.Environment()
        self._deaf = False
        self.segments = shared_memory.Segments(self.deaf)

    def listen(self):
        sys.addaudithook(self._hear)
        sys.meta_path.insert(0, self)
        for name, note in (("stat", self.size), ("lstat", self.ask), ("access", self.ask), ("readlink", self.ask)):
            setattr(os, name, self._asking(getattr(os, name), note))
        for name in {"mkfifo", "mknod"} & set(dir(os)):
            setattr(os, name, self._asking(getattr(os, name), self.make))
        self._listen_to_folders()
        self._listen_to_forks()
        self.segments.listen()
        framework_files.listen(self)
        self.environment.listen()

    def _hear(self, event, args):
        if self._deaf:
            return
        if event == "open":
            self.open(*args)
        elif event in ("os.listdir", "os.scandir"):
            # Python's own search for a module lists folders too: `_absent_modules` knows what that depends on.
            if not sys._getframe(1).f_code.co_filename.startswith(_IMPORT_SYSTEM):
                self.list(args[0] if args and args[0] is not None else os.curdir)
        elif event == "ctypes.dlopen" and args[0] and os.path.dirname(os.fsdecode(args[0])):
            self.read(args[0])
        elif event in protection.CHANGING:
            self.change(protection.changed(event, args))
        elif event == "os.mkdir":
            self.make(protection.within(args[0], args[2]))
        elif event == "os.rename":
            self.move(protection.within(args[0], args[2]), protection.within(args[1], args[3]))
        elif event in _OPAQUE:
            if event == "sqlite3.connect":
                self.change(protection.database(args[0]))
            self.cannot_follow(event)

    def _listen_to_folders(self):
        """Of what is opened relative to an open folder, the system's hook is told the name alone."""
        opens = os.open

        @functools.wraps(opens)
        def opening(path, flags, mode=0o777, *, dir_fd=None):
            if dir_fd is not None and flags & (os.O_WRONLY | os.O_RDWR):
                self.change(protection.within(path, dir_fd))
            return opens(path, flags, mode, dir_fd=dir_fd)

        os.open = opening

    def _listen_to_forks(self):
        """The module multiprocessing starts processes without a word."""
        with contextlib.suppress(ImportError):
            import _posixsubprocess

            start = _posixsubprocess.fork_exec

            def starting(*args):
                self.cannot_follow("subprocess.Popen")
                return start(*args)

            _posixsubprocess.fork_exec = starting

    def find_spec(self, name, path=None, target=None):
        """Hears, as a finder of modules that finds none, what others are asked for."""
        self.imports.add(name)
        asker, written_out = _asker()
        with self.deaf():
            users = self.places.name(absolute(asker)) is not None
        if users and not written_out:
            self.sought.add(name)
        if users and name in _NATIVE:
            self.opaque.add(f"{name}, which opens files itself")

    def cannot_follow(self, what):
        """What an installed package does when it is imported counts as the package."""
        frame = sys._getframe(1)
        while frame is not None:
            file = frame.f_code.co_filename
            if frame.f_code.co_name == "<module>" and is_installed(file):
                return
            if file.startswith(self.places.top) and not is_installed(file):
                break
            frame = frame.f_back
        self.opaque.add(what)
        if what in _PROGRAMS:
            protection.refuse_program()

    def open(self, path, mode, flags):
        """Notes what is opened by a mode or by flags of the system."""
        if isinstance(mode, str):
            writes, fresh = set(mode) & set("wxa+"), set(mode) & set("wx")
        else:
            writes = (flags or 0) & (os.O_WRONLY | os.O_RDWR)
            fresh = writes and flags & (os.O_TRUNC | os.O_EXCL)
        if fresh:
            self.write(path)
            return
        self.read(path)
        if writes:
            self.write(path)

    def read(self, path):
        path = absolute(path)
        if path is not None and not self._is_own(path):
            (self.opened if _is_there(path) else self.missing).add(path)

    def change(self, path):
        """Raises PermissionError for a path of the work tree, which a build may not change."""
        with self.deaf():
            protection.refuse(path)

    def write(self, path):
        self.change(path)
        path = absolute(path)
        if path is not None:
            self.segments.note(path)
            self.written.add(path)
            if path not in self.opened:
                self.own.add(path)

    def make(self, path):
        place = absolute(path)
        if place is not None and not _is_there(place):
            self.change(path)
            self.segments.note(place)
            self.missing.add(place)
            self.own.add(place)

    def move(self, source, target):
        for path in (source, target):
            self.change(path)
        source, target = absolute(source), absolute(target)
        if target is not None:
            self.segments.note(target)
        if source in self.own:
            self.write(target)
        elif source is not None:
            self.read(source)
            self.written.update({source, target} - {None})

    def ask(self, path):
        """Notes that a build asked whether something is there."""
        path = absolute(path)
        if path is not None and not self._is_own(path):
            (self.present if _is_there(path) else self.missing).add(path)

    def size(self, path):
        """Notes a question that a file's size answers, too: of a file, it counts as read."""
        (self.ask if _only_asks() or _is_folder(absolute(path)) else self.read)(path)

    def list(self, path):
        path = absolute(path)
        if path is not None and not self._is_own(path):
            (self.listed if _is_there(path) else self.missing).add(path)

    def _asking(self, function, note):
        """`function`, which asks for something about a path, made to tell it."""

        @functools.wraps(function)
        def ask(path, *args, **kwargs):
            if not self._deaf and kwargs.get("dir_fd") is None:
                note(path)
            return function(path, *args, **kwargs)

        return ask

    @contextlib.contextmanager
    def deaf(self):
        """What is asked meanwhile is the probe's own."""
        before, self._deaf = self._deaf, True
        try:
            yield
        finally:
            self._deaf = before

    def reads(self):
        """What `restore_guard.signature.Reads` holds: the same on every machine."""
        with self.deaf():
            found = self._found()
        return {
            "sources": sorted({*found["modules"], *found["files"], *found["links"]}),
            "looked_for": sorted(self._looked_for(found)),
            "folders": found["folders"],
            "opaque": found["opaque"],
        }

    def dependencies(self):
        """Returns what must be the same for another build to be the same; `restore_guard.build.Trace` explains it."""
        with self.deaf():
            found = self._found()
            # Others come and go in folders of the system that were only asked for.
            outside = self.opened | self.missing | self.listed | {path for path in self.present if not _is_folder(path)}
            modules = {path for _, path in self._modules() if not is_installed(path) and not self._is_own(path)}
            outside |= set(map(real, modules))
            return {
                **found,
                "missing": sorted({*found["missing"], *self._names(self._absent_modules(self.imports))}),
                "outside": sorted(path for path in outside if self.places.is_outside(path)),
                "environ": dict(sorted(self.environment.asked.items())),
                "all_environ": self.environment.all,
                "packages": sorted(_installed_packages()),
                "failed": sorted(self._failed()),
                "written": sorted(self._names(self.written)),
            }

    def _found(self):
        modules = {path for _, path in self._modules() if not self._is_own(path)}
        opened = set(self.opened)
        if _NATIVE & sys.modules.keys():
            opened |= {path for path in self.present if not _is_folder(path)}
        everything = modules | opened | self.present | self.missing | self.listed
        modules = self._names(modules)
        files = self._names({path for path in opened if not _is_folder(path)}) - modules
        return {
            "modules": sorted(modules),
            "files": sorted(files),
            "links": sorted(set().union(*(self.places.links(path) for path in everything))),
            "present": sorted(self._names(self.present) - modules - files),
            "missing": sorted(self._names(self.missing) - modules - files),
            "folders": sorted(self._names(self.listed)),
            "opaque": sorted(self.opaque),
        }

    def _modules(self):
        """(name, file) of the modules by which builds may differ."""
        settled = self.places.settled
        for name, module in list(sys.modules.items()):
            if settled.get(name) is not module and (path := file_of(module)):
                yield name, path

    def _is_own(self, path):
        """True for what the build has made itself, and what lies in a folder that it has made."""
        while path not in self.own:
            folder = os.path.dirname(path)
            if folder == path:
                return False
            path = folder
        return True

    def _names(self, paths):
        return {name for path in paths if (name := self.places.name(path)) is not None}

    def _looked_for(self, found):
        """Paths whose appearing or vanishing another build would notice. The source tells of imports by name."""
        sought = self._absent_modules({name for name in self.sought if name not in sys.modules})
        names = {path for path in self._names(sought) if path.endswith(".py") or _is_bare(path)}
        known = {*found["modules"], *found["files"], *found["missing"], *found["folders"]}
        return {*found["present"], *found["missing"], *names} - {around for path in known for around in _around(path)}

    def _failed(self):
        return {name for name in self.imports if "." not in name and name not in sys.modules}

    def _absent_modules(self, names):
        """The files that would be imported instead of what was, or of nothing, if they were there."""
        absent = set()
        for name in names:
            package, _, last = name.rpartition(".")
            folders = getattr(sys.modules.get(package), "__path__", ()) if package else sys.path
            for folder in folders:
                inner = os.path.join(os.path.abspath(folder), last)
                found = [inner + suffix for suffix in _SUFFIXES] + [os.path.join(inner, "__init__.py")]
                absent.update(path for path in found if not _is_there(path))
                if name not in sys.modules and not _is_there(inner):
                    absent.add(inner)
        return absent

    def foreign(self, folder):
        """Returns the modules that came from the given work tree although the build is of another folder."""
        folder = os.path.realpath(folder) + os.sep
        prefixes = tuple(os.path.realpath(path) + os.sep for path in {sys.prefix, sys.base_prefix})
        modules = []
        for name, path in self._modules():
            path = real(path)
            outside = not path.startswith(self.places.top) and not path.startswith(prefixes)
            if path.startswith(folder) and outside and "site-packages" not in path:
                modules.append(name)
        return sorted(modules)


def _installed_packages():
    return {
        name.partition(".")[0]
        for name, module in list(sys.modules.items())
        if (path := file_of(module)) and is_installed(path)
    }


def _around(path):
    """The folders around a path."""
    folder = path.rpartition("/")[0]
    return [folder, *_around(folder)] if path else []


def _is_bare(path):
    """True for a path without a suffix, as a folder of modules has none."""
    return "." not in path.rpartition("/")[2]


def _asker():
    """The file whose import this is, and whether the module's name is written out there."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith((_IMPORT_SYSTEM, importlib.__file__)):
        frame = frame.f_back
    if frame is None:
        return None, True
    return frame.f_code.co_filename, frame.f_code.co_code[frame.f_lasti] == opcode.opmap["IMPORT_NAME"]


# Functions of Python's library that want to know no more than what is there.
_QUESTIONS = frozenset(
    [
        *("exists", "lexists", "isfile", "isdir", "islink", "ismount", "realpath", "_joinrealpath", "samefile"),
        *("is_file", "is_dir", "is_symlink", "is_mount", "resolve", "mkdir", "makedirs"),
    ]
)
_LIBRARY = {
    function.__code__.co_filename
    for function in (os.makedirs, os.path.exists, os.path.realpath, pathlib.Path.is_file, pathlib.Path.resolve)
    if hasattr(function, "__code__")
}


def _only_asks():
    """True where one of `_QUESTIONS` asks, and not what wants a size."""
    frame = sys._getframe(3)
    while frame is not None and frame.f_code.co_filename in _LIBRARY:
        if frame.f_code.co_name in _QUESTIONS:
            return True
        frame = frame.f_back
    return False


def _is_there(path):
    try:
        _lstat(path)
    except (OSError, ValueError):
        return False
    return True


def _is_folder(path):
    try:
        return path is not None and stat.S_ISDIR(_stat(path).st_mode)
    except (OSError, ValueError):
        return False
