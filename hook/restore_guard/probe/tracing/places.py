"""Paths of a build, told as the repository's own or not, with the links on the way to them."""

import functools
import os
import stat
import sys
import sysconfig

# Asked before anybody listens to `os`.
_lstat = os.lstat


class Places:
    """The project's folder and the repository around it.

    Args:
        root: the project's folder, of which all paths are told.
        project: where it is in the repository; "" for all of it.
    """

    def __init__(self, root, project=""):
        root = os.path.realpath(root)
        depth = len([part for part in project.split("/") if part])
        top = functools.reduce(lambda folder, _: os.path.dirname(folder), range(depth), root)
        self._above = "../" * depth
        self._project = root[len(top) :].strip(os.sep) + os.sep if depth else ""
        self.top = top.rstrip(os.sep) + os.sep

    def name(self, path):
        """The path of a file or folder of the repository, relative to the project; None for any other and no path."""
        return self._name(real(path)) if path is not None else None

    def _name(self, path):
        if not (path + os.sep).startswith(self.top):
            return None
        if path.startswith(_STANDARD) and not self.top.startswith(_STANDARD):
            return None  # an environment in the repository, by whatever name, has a library of its own
        inside = path[len(self.top) :]
        if "site-packages" in inside or "__pycache__" in inside or _own_folder(inside, self._project):
            return None
        if (inside + os.sep).startswith(self._project):
            return inside[len(self._project) :].replace(os.sep, "/")
        return self._relative(inside.replace(os.sep, "/"))

    def _relative(self, inside):
        """A path beside the project, by as few steps up as there are."""
        here, there = self._project.strip(os.sep).split(os.sep), inside.split("/") if inside else []
        while here and there and here[0] == there[0]:
            del here[0], there[0]
        return "/".join([".."] * len(here) + there)

    def links(self, path):
        """The links of the repository that lead to a path, relative to the project."""
        found, waiting = {}, [path]
        while waiting:
            path = os.path.normpath(waiting.pop())
            parts = path[len(self.top) :].split(os.sep) if path.startswith(self.top) else []
            for number in range(len(parts)):
                link = self.top + os.sep.join(parts[: number + 1])
                if link not in found and (target := _target(link)) is not None:
                    found[link] = self._name(link)
                    rest = parts[number + 1 :]
                    waiting.append(os.path.join(os.path.dirname(link), target, *rest))
                    break
        return {name for name in found.values() if name}

    @functools.cached_property
    def settled(self):
        """{name: module} of those that each build finds imported, and of which no file is the repository's."""
        return {name: module for name, (module, *paths) in _settled.items() if not self._holds(*paths)}

    def _holds(self, path, whole):
        """Whether a file, or a link to it, is the repository's; an environment inside of it is not."""
        inside = path.startswith(self.top) or whole.startswith(self.top)
        return inside and (path != whole or self._name(path) is not None)

    def is_outside(self, path):
        """True for what is neither the repository's nor installed with a version: its path is all it has."""
        if path is None:
            return False
        path = real(path)
        system = path.startswith(("/proc/", "/sys/", "/dev/"))
        own = (path + os.sep).startswith((self.top, HERE))
        return not (system or own or comes_with_python(path))


_settled = {}


def prepare():
    """Finds out where all modules come from that are imported already: there are thousands, the same for each build."""
    for name, module in list(sys.modules.items()):
        if (path := file_of(module)) and all(comes_with_python(each) for each in (path, real(path))):
            _settled[name] = module, path, real(path)


@functools.cache
def real(path):
    """The path without links. Nothing of a build that is being traced is replaced by a link meanwhile."""
    folder, name = os.path.split(os.path.abspath(path))
    found = os.path.join(_real_folder(folder), name)
    return os.path.realpath(found) if not name or _target(found) is not None else found


@functools.cache
def _real_folder(folder):
    return os.path.realpath(folder)


@functools.cache
def _target(path):
    """What a link leads to; None for what is no link."""
    try:
        return os.readlink(path) if stat.S_ISLNK(_lstat(path).st_mode) else None
    except OSError:
        return None


def file_of(module):
    path = getattr(module, "__file__", None)
    return path if isinstance(path, str) else None


def absolute(path):
    """The path as text; None for an open file's descriptor and what is no path."""
    try:
        return os.path.abspath(os.fsdecode(path))
    except (TypeError, ValueError):
        return None


def is_installed(path):
    return "site-packages" in path or "dist-packages" in path


def comes_with_python(path):
    """True for what is installed, and for Python's own library."""
    return is_installed(path) or path.startswith(_STANDARD)


def _own_folder(inside, project):
    """What git and environments keep for themselves, at the repository's root and at the project's."""
    inner = inside[len(project) :] if inside.startswith(project) else inside
    return any(f"{path}{os.sep}".startswith((".git/", ".venv/", "venv/")) for path in (inside, inner))


HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STANDARD = tuple(
    os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib") if sysconfig.get_path(name)
)
