"""The corpus: on every pair the simulation says what TensorFlow really does, and findings stand where marked.

The truth comes from `oracle.py`, which saves and restores real checkpoints; the marks are written by hand.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from restore_guard import builds, findings
from restore_guard.comparison import compare, never_written
from restore_guard.config import Config
from restore_guard.diffs import Diff, FileDiff
from restore_guard.restore_paths import RESTORE_PATHS, default_paths, restore

HERE = Path(__file__).parent
PAIRS = HERE / "pairs"
NAMES = sorted(str(path.parent.relative_to(PAIRS)) for path in PAIRS.glob("*/*/base.py"))
CONTEXT = findings.Context("pair", "restore-manifest/pair.json", Config())

pytestmark = pytest.mark.tensorflow


@dataclass
class Corpus:
    """One framework's signatures of all pairs, and what really happens."""

    keras: str
    signatures: dict
    truth: dict


def _corpus(keras, python, folder):
    out = folder / f"{keras}.json"
    command = [python, HERE / "oracle.py", PAIRS, out, "--paths", ",".join(RESTORE_PATHS)]
    with (folder / f"{keras}.log").open("w") as log:
        real = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        jobs = [
            builds.Job(f"{name}:{side}", PAIRS / name, f"{side}:build") for name in NAMES for side in ("base", "head")
        ]
        with builds.Probe(python) as probe:
            built = probe.run(jobs)
        assert real.wait() == 0, (folder / f"{keras}.log").read_text()[-2000:]
    return Corpus(
        keras,
        {number: build.signature or build.failure for number, build in built.items()},
        json.loads(out.read_text()),
    )


@pytest.fixture(scope="session", params=["keras3", "keras2"])
def corpus(request, tmp_path_factory):
    return _corpus(request.param, request.getfixturevalue(request.param), tmp_path_factory.mktemp("corpus"))


def test_there_are_enough_pairs():
    assert len(NAMES) >= 100


@pytest.mark.parametrize("name", NAMES)
def test_the_simulation_is_what_tensorflow_does(corpus, name):
    base, head = corpus.signatures[f"{name}:base"], corpus.signatures[f"{name}:head"]
    seeds = {variable.path for variable in head.variables if variable.seed}
    for path, truth in corpus.truth[name].items():
        outcome = restore(path, base, head)
        assert outcome.kind == truth["outcome"], (path, outcome.error, truth["error"])
        if outcome.kind in ("restores", "partial"):
            assert sorted(outcome.initial) == sorted(truth["initial"]), path
            assert sorted(outcome.unused) == sorted(truth["unused"]), path
            assert {new: old for new, old in outcome.assigned.items() if new not in seeds} == {
                new: old for new, old in truth["assigned"].items() if new not in seeds
            }, path


def _marked(keras, text):
    return {
        (rule, number)
        for number, line in enumerate(text.splitlines(), 1)
        for only, rule in re.findall(r"finding(?:\[(keras[23])\])?: ([\w-]+)", line)
        if only in ("", keras)
    }


@pytest.mark.parametrize("name", NAMES)
def test_findings_stand_where_a_person_expects_them(corpus, name):
    base, head = corpus.signatures[f"{name}:base"], corpus.signatures[f"{name}:head"]
    texts = [(PAIRS / name / f"{side}.py").read_text() for side in ("base", "head")]
    paths = default_paths(head)
    comparison = compare(base, head, paths, Diff({"base.py": FileDiff("head.py", *texts)}))
    found = {(finding.rule, finding.line) for finding in findings.find(comparison, CONTEXT)}
    # What the base never saved either is no news on a change; `update` says it when it makes a manifest.
    unsaved = {path: never_written(path, head) for path in paths}
    told = {(finding.rule, finding.line) for finding in findings.never_saved(head, unsaved, CONTEXT)}
    marked = _marked(corpus.keras, texts[1])
    assert found <= marked
    assert {mark for mark in marked - found if mark[0] != "not-saved"} == set()
    assert bool(marked - found) <= bool(told)


@pytest.mark.parametrize("name", NAMES)
def test_an_unchanged_model_gives_no_finding(corpus, name):
    for side in ("base", "head"):
        signature = corpus.signatures[f"{name}:{side}"]
        comparison = compare(signature, signature, default_paths(signature), Diff({}))
        assert findings.find(comparison, CONTEXT) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_break_is_an_error_and_what_restores_is_none(corpus, name):
    base, head = corpus.signatures[f"{name}:base"], corpus.signatures[f"{name}:head"]
    comparison = compare(base, head, default_paths(head), Diff({}))
    errors = {path for finding in findings.find(comparison, CONTEXT) if finding.fails for path in finding.restores}
    for path in comparison.outcomes:
        truth, before = corpus.truth[name][path], comparison.unsaved_before[path]
        # What was never written before is not lost by the change.
        lost = [new for new in truth["initial"] if comparison.same.old(new) not in before] + truth["unused"]
        if truth["outcome"] == "raises" or (lost and truth["outcome"] == "partial"):
            assert path in errors, path
        elif not comparison.misplaced(path):
            assert path not in errors, path
