"""The README's template for GitLab: its script runs, and says by the exit code and in the report what was found."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import COMMAND
from signatures import module

from restore_guard.promise.manifest import Manifest, dump

README = (Path(__file__).parents[2] / "README.md").read_text()
PROMISED = dump(Manifest("net", ("tf-checkpoint",), module(kernel=(2, 3)))).decode()
NET, OLD = ('[models.net]\nbuilder = "net:build"\n', '[models.old]\nbuilder = "net:old"\n')


def template():
    (block,) = re.findall(r"^    restore-guard:\n(?:    .*\n|\n(?=    ))+", README, re.MULTILINE)
    return yaml.safe_load(re.sub(r"^    ", "", block, flags=re.MULTILINE))["restore-guard"]


@pytest.mark.parametrize(("removed", "code", "rules"), [(False, 0, []), (True, 1, ["model-removed"])])
def test_script(make_repository, removed, code, rules):
    files = {"net.py": "def build(): ...\n", "restore-guard.toml": NET + OLD, "restore-manifest/net.json": PROMISED}
    project = make_repository(files={**files, "restore-manifest/old.json": PROMISED.replace('"net"', '"old"')})
    base = project.git("rev-parse", "HEAD")
    if removed:
        project.write({"restore-guard.toml": NET})
    project.commit({"README.md": "other words\n"})
    job = template()
    environ = {**project.environ, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    environ["PATH"] = f"{COMMAND.parent}:{environ['PATH']}"
    for line in job["script"]:
        done = subprocess.run(["sh", "-c", line], cwd=project.root, env=environ, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
    report = json.loads((project.root / job["artifacts"]["reports"]["codequality"]).read_text())
    assert [issue["check_name"] for issue in report] == rules


def test_plain_shell(make_repository):
    line = 'restore-guard check --base "$TARGET"'
    assert f"    {line}\n" in README
    files = {"net.py": "def build(): ...\n", "restore-guard.toml": NET, "restore-manifest/net.json": PROMISED}
    project = make_repository(files=files)
    project.commit({"README.md": "other words\n"})
    environ = {**project.environ, "TARGET": "HEAD~1", "PATH": f"{COMMAND.parent}:{project.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", line], cwd=project.root, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1][:7]) == (0, "1 model"), done.stdout + done.stderr
