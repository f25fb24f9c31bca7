"""Verdicts come from plain data: importing what makes them brings no git, no process and no build along."""

import subprocess
import sys

SCRIPT = """
import importlib, pkgutil, sys
import restore_guard.judging as room

for module in pkgutil.iter_modules(room.__path__):
    importlib.import_module(f"restore_guard.judging.{module.name}")
print(*sorted(
    name for name in sys.modules
    if name in ("git", "subprocess", "restore_guard.change.repository") or name.startswith("restore_guard.building")
))
"""


def test_judging_imports_no_git_no_process_and_no_build():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
