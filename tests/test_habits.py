"""The hooks and the issue forms of this repository agree with what they are about, and no module grows too long."""

import importlib
import sys
from pathlib import Path

import pytest
import yaml

from restore_guard import restore_paths

ROOT = Path(__file__).resolve().parents[1]
FORMS = ("false-alarm", "missed-break")


@pytest.fixture
def lints(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    for name in ("lints", "environments"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("lints").lints()


def test_each_lint_is_a_hook_and_each_hook_a_lint(lints):
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    commands = {hook["id"]: hook["entry"] for hook in repository["hooks"]}
    assert commands == {name: f"scripts/with-python scripts/lints.py {name}" for name in lints}


def test_lints_are_given_files_that_are_there(lints):
    for name, arguments in lints.items():
        files = [word for word in arguments if word.endswith((".yml", ".yaml", ".toml"))]
        assert files or name in ("ruff", "mypy")
        assert all((ROOT / file).is_file() for file in files), name


def test_no_module_is_longer_than_400_lines():
    modules = [*(ROOT / "hook/restore_guard").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    lengths = {module.name: module.read_text(encoding="utf-8").count("\n") for module in modules}
    assert lengths and {name: length for name, length in lengths.items() if length > 400} == {}


@pytest.mark.parametrize("form", FORMS)
def test_issue_form_asks_for_a_pair(form):
    fields = yaml.safe_load((ROOT / f".github/ISSUE_TEMPLATE/{form}.yml").read_text(encoding="utf-8"))["body"]
    required = {field["id"]: field for field in fields if field.get("validations", {}).get("required")}
    assert {"base", "head", "path", "versions", "real", "told"} <= required.keys()
    assert required["path"]["attributes"]["options"] == list(restore_paths.RESTORE_PATHS)
