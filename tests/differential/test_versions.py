"""What `scripts/differential --versions` tries is what the loading code is known of, and what runs every night."""

import json
import re
from pathlib import Path

from differential.versions import VERSIONS
from restore_guard.probe import loading_code

NIGHTLY = Path(__file__).resolve().parents[2] / ".github/workflows/nightly.yml"


def _numbers(version):
    return tuple(map(int, re.findall(r"\d+", version)))


def test_the_newest_keras_of_each_minor_version_is_tried():
    released = json.loads(Path(loading_code.KNOWN).read_text(encoding="utf-8"))["keras"]
    newest = {_numbers(version)[:2]: version for version in sorted(released, key=_numbers)}
    tried = {version.keras for version in VERSIONS if version.tensorflow == "2.18.1"}
    assert {version for minor, version in newest.items() if minor >= (3, 0)} == tried


def test_every_version_runs_every_night_once():
    texts = re.findall(r'^          - "?([^"\n]+)"?$', NIGHTLY.read_text(encoding="utf-8"), re.MULTILINE)
    for version in VERSIONS:
        assert sum(text in version.framework.title for text in texts) == 1, version.framework.title
    assert len(texts) == len(VERSIONS)
