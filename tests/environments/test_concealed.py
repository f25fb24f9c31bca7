"""What other processes of the user can read of this one's environment."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, subprocess, sys
from pathlib import Path
from restore_guard.environments import concealed
os.environ["LATER"] = "after the start"
concealed.conceal()
concealed.conceal()
shown = Path(f"/proc/{os.getpid()}/environ").read_bytes()
assert b"hunter2" not in shown and b"API_KEY" not in shown, shown
assert f"PATH={os.environ['PATH']}".encode() in shown.split(b"\\0")
assert os.environ["API_KEY"] == "hunter2" and os.environ["EMPTY_TOKEN"] == ""
inherited = subprocess.run(["sh", "-c", "echo $API_KEY $LATER"], capture_output=True, text=True).stdout
assert inherited == "hunter2 after the start\\n", inherited
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows environments of processes")
def test_secrets_are_not_shown_and_still_there():
    environ = os.environ | {"API_KEY": "hunter2", "EMPTY_TOKEN": "", "ODD": "a=b=hunter2"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
