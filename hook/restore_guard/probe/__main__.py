"""`python <folder of the probe>`: loads the package from its path, so that nothing of the tool is on sys.path."""

import importlib.util
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def load():
    """Makes the package `restore_guard_probe` importable."""
    # The interpreter put the probe's folder first; a user's module called `build` must win over ours.
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != HERE]
    spec = importlib.util.spec_from_file_location(
        "restore_guard_probe", os.path.join(HERE, "__init__.py"), submodule_search_locations=[HERE]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["restore_guard_probe"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    load()
    too_old = importlib.import_module("restore_guard_probe.oldest").python()
    if too_old:
        print(json.dumps({"too_old": too_old}), flush=True)
        sys.exit(4)
    parts = {"task": "children", "keep": "keeper"}
    part = parts[sys.argv[1]] if sys.argv[1:] else "server"
    sys.exit(importlib.import_module(f"restore_guard_probe.serving.{part}").main())
