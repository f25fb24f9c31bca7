"""The corpus: on every pair the simulation says what TensorFlow really does, and findings stand where marked.

The truth comes from `differential/oracle.py`, which saves and restores real checkpoints; the marks are written by hand.
"""

import ast
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from differential import truth as truths
from differential.frameworks import FRAMEWORKS, judge_one
from differential.truth import parts

from restore_guard.build import Job
from restore_guard.building import probing
from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.config import Config
from restore_guard.judging import findings
from restore_guard.judging.comparison import compare, never_written
from restore_guard.restore_paths import default_paths
from restore_guard.signature import Reads

HERE = Path(__file__).parent
PAIRS = HERE / "pairs"
NAMES = sorted(str(path.parent.relative_to(PAIRS)) for path in PAIRS.glob("*/*/base.py"))
CONTEXT = findings.Context("pair", "restore-manifest/pair.json", Config())

_NOTHING_READ = msgspec.structs.asdict(Reads())

# What lies between the newest of either Keras is asked of every other pair; of all of them where there is time.
JUDGED = [
    pytest.param(keras, name, marks=pytest.mark.long if keras in ("tf_keras", "keras36") and number % 2 else ())
    for keras in FRAMEWORKS
    for number, name in enumerate(NAMES)
]

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="session")
def chosen(request):
    """The pairs that the selected tests are about."""
    about = (getattr(item, "callspec", None) for item in request.session.items)
    return sorted({call.params["name"] for call in about if call is not None and call.params.get("name") in NAMES})


@pytest.fixture(scope="session")
def judged(request, oracles):
    """A function of (framework, pair): what really happens, and the signatures; all are judged in the background."""
    calls = (item.callspec.params for item in request.session.items if hasattr(item, "callspec"))
    asked = {(call.get("keras", call.get("corpus")), call.get("name")) for call in calls}
    with ThreadPoolExecutor(8) as pool:
        work = {
            (keras, name): pool.submit(judge_one, oracle, PAIRS / name / "base.py", PAIRS / name / "head.py")
            for name in NAMES
            for keras, oracle in oracles.items()
            if (keras, name) in asked
        }
        yield lambda keras, name: work[keras, name].result()
        pool.shutdown(cancel_futures=True)


@dataclass
class Corpus:
    """One framework's signatures of all pairs, with lines of source, as a user's builds give them."""

    keras: str
    signatures: dict


def _job(name, side):
    """A build as a user configures it, who names what a lazy model is called with."""
    set_in = dict(re.findall(r"^(INPUTS|LOAD) = (.+)$", (PAIRS / name / f"{side}.py").read_text(), re.MULTILINE))
    inputs, load = (ast.literal_eval(set_in.get(key, default)) for key, default in (("INPUTS", "()"), ("LOAD", "{}")))
    return Job(f"{name}:{side}", PAIRS / name, f"{side}:build", inputs=inputs, load=load)


@pytest.fixture(scope="session", params=["keras3", "keras2"])
def corpus(request, chosen):
    jobs = [_job(name, side) for name in chosen for side in ("base", "head")]
    with probing.Probe(request.getfixturevalue(request.param)) as probe:
        built = probe.run(jobs)
    return Corpus(request.param, {number: build.signature or build.failure for number, build in built.items()})


def test_there_are_enough_pairs():
    assert len(NAMES) >= 100


@pytest.mark.parametrize(("keras", "name"), JUDGED)
def test_the_simulation_is_what_tensorflow_does(judged, keras, name):
    assert list(judged(keras, name).disagreements()) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_oracle_builds_as_a_process_of_its_own_does(judged, corpus, name):
    """Automatic names included, although the oracle builds hundreds of models in one process."""
    for side in ("base", "head"):
        own = msgspec.structs.replace(corpus.signatures[f"{name}:{side}"].without_sites(), **_NOTHING_READ)
        found = msgspec.structs.replace(getattr(judged(corpus.keras, name), side), archive=None)
        # What a module was called with is heard by a build alone.
        own = own if found.inputs else msgspec.structs.replace(own, inputs=())
        assert found.without_sites() == own


def _outputs(keras, text):
    """{restore path: same, differ or not compared}, as the last lines of a head say."""
    return {
        path: state
        for only, told in re.findall(r"^# outputs(?:\[(keras[23])\])?: (.+)$", text, re.MULTILINE)
        for paths, state in re.findall(r"([\w, -]+?) (same|differ|not compared)(?:;|$)", told)
        for path in paths.strip().split(", ")
        if only in ("", FRAMEWORKS[keras].generation)
    }


def _state(seen):
    if seen["behaviour"] is None:
        return "not compared" if seen["uncompared"] else None
    return "same" if seen["behaviour"]["same_output"] else "differ"


@pytest.mark.parametrize("keras", FRAMEWORKS)
def test_outputs_tell_what_a_person_expects(oracles, tmp_path, keras):
    texts = {name: (PAIRS / name / "head.py").read_text() for name in NAMES}
    marked = {name: states for name, text in texts.items() if (states := _outputs(keras, text))}
    assert len(marked) >= 25
    oracle, told = oracles[keras], {}
    for name, states in marked.items():
        folder = tmp_path / name
        folder.mkdir(parents=True)
        seen = truths.compare(oracle, PAIRS / name / "base.py", PAIRS / name / "head.py", str(folder), states)
        told[name] = {path: _state(seen[path]) for path in states}
    assert told == marked


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
    compared = compare(base, head, paths, Diff({"base.py": FileDiff("head.py", *texts)}))
    found = {(finding.rule, finding.line) for finding in findings.findings_of(compared, CONTEXT)}
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
        compared = compare(signature, signature, default_paths(signature), Diff({}))
        assert findings.findings_of(compared, CONTEXT) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_break_is_an_error_and_what_restores_is_none(judged, corpus, name):
    base, head = corpus.signatures[f"{name}:base"], corpus.signatures[f"{name}:head"]
    compared = compare(base, head, default_paths(head), Diff({}))
    errors = {path for finding in findings.findings_of(compared, CONTEXT) if finding.fails for path in finding.restores}
    (comparison,) = compared
    for path, outcome in comparison.outcomes.items():
        if not outcome.certain:  # only a witness can tell
            continue
        every, before = judged(corpus.keras, name).truth, comparison.unsaved_before[path]
        truth = every[path]
        # What was never written before is not lost by the change.
        lost = [new for new in truth["initial"] if comparison.same.old(new) not in before] + truth["unused"]
        if truth["outcome"] == "raises" or (lost and truth["outcome"] == "partial"):
            assert path in errors, path
        elif not comparison.misplaced(path) and not any(_loses(every[at]) for at in every if parts(at)[0] == path):
            assert path not in errors, path


def _loses(truth):
    """Whether a situation loses something of the model itself: an optimizer's state is missed by nobody there."""
    lost = [variable for variable in (*truth["initial"], *truth["unused"]) if not variable.startswith("optimizer/")]
    return truth["outcome"] == "raises" or (truth["outcome"] == "partial" and bool(lost))
