"""The files of the repository that a build reads: modules it imports and files it opens."""

import os
import sys


class Sources:
    """Hears every `open` of the process from `listen` on; a Python audit hook cannot be taken off again."""

    def __init__(self, root):
        self.root = os.path.realpath(root) + os.sep
        self.opened = set()

    def listen(self):
        sys.addaudithook(self._hear)

    def _hear(self, event, args):
        if event == "open" and args and isinstance(args[0], (str, bytes)):
            mode = args[1] if len(args) > 1 else "r"
            if mode is None or not set(str(mode)) & set("wxa+"):
                self.opened.add(os.fsdecode(args[0]))

    def files(self):
        """Returns the sorted paths, relative to the root, of what was read below it."""
        found = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        inside = set()
        for path in found | self.opened:
            if path:
                path = os.path.realpath(path)
                if path.startswith(self.root) and os.path.isfile(path) and not path.endswith((".pyc", ".pyo")):
                    inside.add(path[len(self.root) :].replace(os.sep, "/"))
        return sorted(name for name in inside if not self._installed(name))

    def foreign(self, folder):
        """Returns the modules that came from the given work tree although the build is of another folder."""
        folder = os.path.realpath(folder) + os.sep
        prefixes = tuple(os.path.realpath(path) + os.sep for path in {sys.prefix, sys.base_prefix})
        modules = []
        for name, module in list(sys.modules.items()):
            path = os.path.realpath(getattr(module, "__file__", None) or os.sep)
            outside = not path.startswith(self.root) and not path.startswith(prefixes)
            if path.startswith(folder) and outside and "site-packages" not in path:
                modules.append(name)
        return sorted(modules)

    @staticmethod
    def _installed(name):
        return "site-packages" in name or name.startswith((".git/", ".venv/", "venv/"))
