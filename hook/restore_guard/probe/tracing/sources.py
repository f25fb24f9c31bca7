"""What a build depends on besides its configuration: all that it reads, looks for and misses.

A build is its own process, so what is listened to here stays so until its end.
"""

import functools
import hashlib
import importlib.machinery
import os
import sys
import sysconfig

_MISSING = (FileNotFoundError, NotADirectoryError)
# What cannot be followed: another process, the network, a database, TensorFlow's own file operations.
_OPAQUE = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.fork", "socket.connect", "sqlite3.connect")
_FILE_OPERATIONS = ("ReadFile", "MatchingFiles", "Dataset", "TextFile", "RestoreV2", "WholeFileReader")
_SUFFIXES = [*importlib.machinery.SOURCE_SUFFIXES, *importlib.machinery.EXTENSION_SUFFIXES]


class Sources:
    """Hears what a process reads from `listen` on; a Python audit hook cannot be taken off again."""

    def __init__(self, root):
        self.root = os.path.realpath(root) + os.sep
        self.opened, self.written, self.present, self.missing, self.listed = set(), set(), set(), set(), set()
        self.imports, self.environ, self.opaque = set(), {}, set()

    def listen(self):
        sys.addaudithook(self._hear)
        sys.meta_path.insert(0, self)
        for name in ("stat", "lstat", "access"):
            setattr(os, name, self._asking(getattr(os, name)))
        self._listen_to_tensorflow()
        os.environ.__class__ = _environment(self.environ, self.opaque)

    def _hear(self, event, args):
        if event == "open":
            self._open(*args)
        elif event in ("os.listdir", "os.scandir"):
            # Python's own search for a module lists folders too: `_absent_modules` knows what that depends on.
            if not sys._getframe(1).f_code.co_filename.startswith("<frozen importlib"):
                self.listed.add(_absolute(args[0] if args and args[0] is not None else os.curdir))
        elif event in _OPAQUE:
            self.opaque.add(event)

    def find_spec(self, name, path=None, target=None):
        """Hears, as a finder of modules that finds none, what others are asked for."""
        self.imports.add(name)

    def _open(self, path, mode, flags):
        path = _absolute(path)
        if path is None:
            return
        writes = set(mode) & set("wxa+") if isinstance(mode, str) else (flags or 0) & (os.O_WRONLY | os.O_RDWR)
        if writes:
            self.written.add(path)
        else:
            self.opened.add(path)

    def _asking(self, function):
        """`function`, which asks whether a path is there, with the answer noted."""

        @functools.wraps(function)
        def ask(path, *args, **kwargs):
            try:
                found = function(path, *args, **kwargs)
            except _MISSING:
                self.missing.add(_absolute(path))
                raise
            (self.missing if found is False else self.present).add(_absolute(path))
            return found

        return ask

    def _listen_to_tensorflow(self):
        """TensorFlow and h5py open files themselves, which no audit hook hears."""
        from .. import private_names

        execution, library = private_names.eager_execution(), private_names.file_functions()
        execute = getattr(execution, "TFE_Py_FastPathExecute", None)

        def executing(context, name, *args, **kwargs):
            if any(word in str(name) for word in _FILE_OPERATIONS):
                self.opaque.add(f"the operation {name}")
            return execute(context, name, *args, **kwargs)

        if execute is None:
            self.opaque.add("operations that this TensorFlow runs unheard")
        else:
            execution.TFE_Py_FastPathExecute = executing
        places = (self.opened, self.opened, self.present, self.present, self.present, self.listed)
        notes = {name: self._noting(place) for name, place in zip(private_names.FILE_FUNCTIONS, places)}
        notes["GetMatchingFiles"] = lambda pattern: self.opaque.add("tf.io.gfile.glob")
        for name, note in notes.items():
            if hasattr(library, name):
                _tell(library, name, note)
            else:
                self.opaque.add(f"files that this TensorFlow reads unheard, without {name}")
        if "h5py" in sys.modules:
            _tell(sys.modules["h5py"].h5f, "open", self._noting(self.opened))

    def _noting(self, places):
        def note(path):
            path = _absolute(path)
            (places if path is None or os.path.lexists(path) else self.missing).add(path)

        return note

    def files(self):
        """Returns the sorted paths, relative to the root, of what was read below it."""
        return sorted(self._modules() | self._inside(self.opened))

    def dependencies(self):
        """Returns what must be the same for another build to be the same; `restore_guard.build.Trace` explains it."""
        modules, read = self._modules(), self._inside(self.opened - self.written)
        outside = {path for path in self.opened - self.written if self._is_outside(path)}
        installed, failed = set(), set()
        for name, module in list(sys.modules.items()):
            path = getattr(module, "__file__", None)
            if path and self._is_outside(path):
                outside.add(_real(path))
            elif path and _is_installed(path):
                installed.add(name.partition(".")[0])
        for name in self.imports:
            if "." not in name and name not in sys.modules:
                failed.add(name)
        return {
            "modules": sorted(modules),
            "files": sorted(read - modules),
            "present": sorted(self._below(self.present) - modules - read),
            "missing": sorted((self._below(self.missing) | self._absent_modules(failed)) - modules - read),
            "folders": sorted(self._below(self.listed)),
            "outside": sorted(outside),
            "environ": dict(sorted(self.environ.items())),
            "packages": sorted(installed),
            "failed": sorted(failed),
            "opaque": sorted(self.opaque),
        }

    def _modules(self):
        return self._inside({path for module in list(sys.modules.values()) if (path := _file(module))})

    def _inside(self, paths):
        """The files among `paths` that are the repository's, relative to the root; of links, what they lead to."""
        inside = set()
        for path in paths - {None}:
            real = _real(path)
            if real.startswith(self.root) and os.path.isfile(real) and not real.endswith((".pyc", ".pyo")):
                inside.add(self._relative(real))
        return {name for name in inside if not self._installed(name)}

    def _below(self, paths):
        """`paths` below the root, whatever is there, relative to it; "" is the root."""
        plain = {os.path.normpath(path) for path in paths - {None}}
        below = {self._relative(path) for path in plain if (path + os.sep).startswith(self.root)}
        return {name for name in below if not self._installed(name) and "__pycache__" not in name}

    def _relative(self, path):
        return path[len(self.root) :].replace(os.sep, "/")

    def _absent_modules(self, failed):
        """The files that would be imported instead of what was, or of nothing, if they were there."""
        absent = set()
        for name in self.imports:
            package, _, last = name.rpartition(".")
            folders = getattr(sys.modules.get(package), "__path__", ()) if package else sys.path
            for folder in folders:
                inner = os.path.join(os.path.abspath(folder), last)
                names = [inner + suffix for suffix in _SUFFIXES] + [os.path.join(inner, "__init__.py")]
                absent.update(path for path in names if not os.path.lexists(path))
                if name in failed and not os.path.lexists(inner):
                    absent.add(inner)
        return self._below(absent)

    def _is_outside(self, path):
        """True for a file that is neither the repository's nor installed with a version: its path is all it has."""
        if path is None:
            return False
        real = _real(path)
        system = real.startswith(("/proc/", "/sys/", "/dev/"))
        own = real.startswith((self.root, _HERE))
        return not (system or own or _is_installed(real) or real.startswith(_STANDARD)) and os.path.isfile(real)

    def foreign(self, folder):
        """Returns the modules that came from the given work tree although the build is of another folder."""
        folder = os.path.realpath(folder) + os.sep
        prefixes = tuple(os.path.realpath(path) + os.sep for path in {sys.prefix, sys.base_prefix})
        modules = []
        for name, module in list(sys.modules.items()):
            path = _real(_file(module) or os.sep)
            outside = not path.startswith(self.root) and not path.startswith(prefixes)
            if path.startswith(folder) and outside and "site-packages" not in path:
                modules.append(name)
        return sorted(modules)

    @staticmethod
    def _installed(name):
        return "site-packages" in name or name.startswith((".git/", ".venv/", "venv/"))


def prepare():
    """Finds out where all modules come from that are imported already: there are thousands, the same for each build."""
    for module in list(sys.modules.values()):
        if path := _file(module):
            _real(path)


@functools.cache
def _real(path):
    """The path without links. Nothing of a build that is being traced is replaced by a link meanwhile."""
    folder, name = os.path.split(os.path.abspath(path))
    real = os.path.join(_real_folder(folder), name)
    return os.path.realpath(real) if not name or os.path.islink(real) else real


@functools.cache
def _real_folder(folder):
    return os.path.realpath(folder)


def _file(module):
    path = getattr(module, "__file__", None)
    return path if isinstance(path, str) else None


_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STANDARD = tuple(
    os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib") if sysconfig.get_path(name)
)


def _is_installed(path):
    return "site-packages" in path or "dist-packages" in path


def _absolute(path):
    """The path as text; None for an open file's descriptor and what is no path."""
    try:
        return os.path.abspath(os.fsdecode(path))
    except (TypeError, ValueError):
        return None


def _tell(module, name, note):
    """Makes `module.name` tell the first argument of each call."""
    function = getattr(module, name)

    @functools.wraps(function)
    def telling(path, *args, **kwargs):
        note(path)
        return function(path, *args, **kwargs)

    setattr(module, name, telling)


def environment():
    """All environment variables; that they are read is not noted."""
    kept = os.environ
    return {kept.decodekey(name): kept.decodevalue(value) for name, value in kept._data.items()}


def _environment(seen, opaque):
    """The class of `os.environ`, made to note each variable that is read, by a digest of its value.

    What the process itself has set depends on nothing outside.
    """
    own = set()

    def note(name, value):
        if name not in own:
            seen[str(name)] = None if value is None else hashlib.sha256(os.fsencode(value)).hexdigest()

    class Environment(type(os.environ)):
        def __getitem__(self, name):
            try:
                value = super().__getitem__(name)
            except KeyError:
                note(name, None)
                raise
            note(name, value)
            return value

        def __setitem__(self, name, value):
            own.add(name)
            super().__setitem__(name, value)

        def __contains__(self, name):
            try:
                self[name]
            except KeyError:
                return False
            return True

        def __iter__(self):
            opaque.add("all of os.environ")
            return super().__iter__()

    return Environment
