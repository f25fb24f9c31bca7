"""The published schemas: made of the types that read the files, and taken by check-jsonschema for real files."""

import subprocess
import sys
from pathlib import Path

import pytest
from rehearsals import UPGRADE
from report_samples import SAMPLE
from signatures import module

from restore_guard.commands import origin, schema
from restore_guard.promise.manifest import Manifest, dump
from restore_guard.reports import json_report, upgrade_json

ROOT = Path(__file__).parents[2]
CHECK = Path(sys.executable).with_name("check-jsonschema")
CONFIG = """\
pythonpath = ["src"]
releases = ["v*"]
[rules]
variable-added = "warning"
[models.ranker]
builder = "ranker.model:build"
kwargs = { width = 64, name = "x" }
inputs = [{ shape = [-1, 16], dtype = "int32" }]
restores = ["tf-checkpoint"]
[[ignore]]
rule = "variable-missing"
reason = "head retired"
expires = 2027-03-01
"""
MIGRATIONS = """\
[[migration]]
from = 1
to = 2
reason = "names follow the paper"
rename = [{ from = "a/**", to = "first/**" }]
grow = [{ variable = "emb/embeddings", axis = 0, fill = "initial" }]
"""
MANIFEST = dump(Manifest("m", ("tf-checkpoint",), module(kernel=(2, 3)))).decode()


@pytest.mark.parametrize("kind", schema.KINDS)
def test_what_is_published_is_what_the_types_say(kind):
    published = (ROOT / origin.SCHEMAS / f"{kind}.json").read_text()
    assert published == schema.render(kind), f"restore-guard schema {kind} > {origin.SCHEMAS}/{kind}.json"


@pytest.mark.parametrize(
    ("kind", "name", "content", "broken"),
    [
        ("config", "a.toml", CONFIG, ("builder = ", "bilder = ")),
        ("config", "a.toml", CONFIG, ('restores = ["tf-checkpoint"]', 'restores = ["tf-chekpoint"]')),
        ("manifest", "a.json", MANIFEST, ('"epoch": 1', '"epoch": 0')),
        ("migrations", "a.toml", MIGRATIONS, ('fill = "initial"', 'fill = "ones"')),
        ("report", "a.json", json_report.render(SAMPLE), ('"verdict": "breaks"', '"verdict": "broken"')),
        ("upgrade", "a.json", upgrade_json.render(UPGRADE), ('"package": "numpy"', '"package": 3')),
    ],
)
def test_files_are_taken_and_mistakes_are_not(kind, name, content, broken, tmp_path):
    assert content.count(broken[0]) >= 1
    for text, code in ((content, 0), (content.replace(*broken, 1), 1)):
        (tmp_path / name).write_text(text)
        command = [CHECK, "--schemafile", ROOT / origin.SCHEMAS / f"{kind}.json", tmp_path / name]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr


def test_where_init_says_that_the_schema_is():
    known = origin.Origin("https://github.com/us/restore-guard", "v9")
    assert (
        known.schema == "https://raw.githubusercontent.com/us/restore-guard/v9/hook/restore_guard/schemas/config.json"
    )
    assert origin.Origin("/srv/restore-guard", "v9").schema is None
