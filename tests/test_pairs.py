"""The corpus: on every pair the simulation says what TensorFlow really does, and findings stand where marked.

The truth comes from `differential/oracle.py`, which saves and restores real checkpoints; the marks are written by hand.
"""

import ast
import functools
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import messages
import msgspec
import pytest
from differential import truth as truths
from differential.frameworks import FRAMEWORKS, Judged, judge_one
from differential.records import RECORDED, Records
from differential.truth import parts

from restore_guard.build import Job
from restore_guard.building import probing
from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.config import Config
from restore_guard.judging import findings
from restore_guard.judging.comparison import compare, never_written
from restore_guard.load_call import WHOLE
from restore_guard.restore_paths import default_paths
from restore_guard.signature import Reads, Revival

PAIRS = Path(__file__).parent / "pairs"
SIDES = ("base", "head")
# The module that either side is for the oracle; a configuration names it.
FILE = "pair_model.py"
NAMES = sorted(str(path.parent.relative_to(PAIRS)) for path in PAIRS.glob("*/*/base.py"))
CONTEXT = findings.Context("pair", "restore-manifest/pair.json", Config())

_NO_WHOLES = dict.fromkeys(WHOLE.values())
_NOTHING_READ = msgspec.structs.asdict(Reads())

# What TensorFlow does is asked anew for every twelfth pair; for the others, the newest of either Keras go by records.
ANEW = frozenset(NAMES[::12])
JUDGED = [
    pytest.param(keras, name, marks=pytest.mark.long if keras not in RECORDED and name not in ANEW else ())
    for keras in FRAMEWORKS
    for name in NAMES
]

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="session")
def chosen(request):
    """The pairs that the selected tests are about."""
    about = (getattr(item, "callspec", None) for item in request.session.items)
    return sorted({call.params["name"] for call in about if call is not None and call.params.get("name") in NAMES})


@dataclass
class Corpus:
    """One framework's signatures of all pairs, with lines of source, as a user's builds give them.

    Attributes:
        archives: what of each signature is needed for files of whole models alone.
        revivals: {pair: {configuration of its base: what the code of its head makes of it}}.
    """

    keras: str
    signatures: dict
    archives: dict
    revivals: dict
    records: Records

    def recorded(self, name):
        """The pair as it was judged once; None where that does not count any more."""
        known = self.records.of(name, PAIRS / name / "base.py", PAIRS / name / "head.py")
        if known is None:
            return None
        sides = (f"{name}:{side}" for side in SIDES)
        whole = [msgspec.structs.replace(self.signatures[at], **self.archives[at]) for at in sides]
        return Judged(*whole, *known, self.revivals[name])


def job(folder, name, side, **options):
    """A build as a user configures it, who names what a lazy model is called with."""
    text = (PAIRS / name / f"{side}.py").read_text()
    set_in = dict(re.findall(r"^(INPUTS|LOAD) = (.+)$", text, re.MULTILINE))
    inputs, load = (ast.literal_eval(set_in.get(key, default)) for key, default in (("INPUTS", "()"), ("LOAD", "{}")))
    root = folder / name / side
    if not root.exists():
        root.mkdir(parents=True)
        (root / FILE).write_text(text)
    builder = f"{FILE.removesuffix('.py')}:build"
    return Job(f"{name}:{side}", root, builder, inputs=inputs, load=load, restores=[*WHOLE], **options)


@pytest.fixture(scope="session")
def corpora(request, chosen, tmp_path_factory):
    """A function of a framework: its `Corpus`."""

    @functools.cache
    def build(keras):
        folder, python = tmp_path_factory.mktemp(keras), request.getfixturevalue(keras)
        with probing.Probe(python) as probe:
            built = probe.run([job(folder, name, side) for name in chosen for side in SIDES])
            archives = {
                at: {field: getattr(build.known_signature, field) for field in WHOLE.values()}
                for at, build in built.items()
            }
            tasks = {
                (name, options["config"]): msgspec.structs.replace(
                    job(folder, name, "head", task="revive", options=options), id=f"{name}:{options['path']}"
                )
                for name in chosen
                for options in _revived(*(archives[f"{name}:{side}"] for side in SIDES))
            }
            answers = probe.run([*tasks.values()])
        plain = {at: msgspec.structs.replace(build.known_signature, **_NO_WHOLES) for at, build in built.items()}
        revivals = {name: {} for name in chosen}
        for (name, config), task in tasks.items():
            revivals[name][config] = msgspec.convert(answers[task.id].data, Revival)
        return Corpus(keras, plain, archives, revivals, Records(keras, python))

    return build


def _revived(base, head):
    """Yields what is asked about each configuration that `base` saves."""
    for path, field in WHOLE.items():
        if base[field] is not None and base[field].config is not None and head[field] is not None:
            yield {"path": path, "config": base[field].config, "package": head[field].package}


@pytest.fixture(scope="session", params=RECORDED)
def corpus(request, corpora):
    return corpora(request.param)


@pytest.fixture(scope="session")
def judged(request, oracles, corpora):
    """A function of (framework, pair): what really happens, and the signatures; all are judged in the background."""
    calls = (item.callspec.params for item in request.session.items if hasattr(item, "callspec"))
    asked = {(call.get("keras", call.get("corpus")), call.get("name")) for call in calls}
    found = {
        (keras, name): known
        for keras, name in asked
        if keras in RECORDED and name in NAMES and name not in ANEW and (known := corpora(keras).recorded(name))
    }
    with ThreadPoolExecutor(8) as pool:
        work = {
            (keras, name): pool.submit(judge_one, oracle, PAIRS / name / "base.py", PAIRS / name / "head.py")
            for name in NAMES
            for keras, oracle in oracles.items()
            if (keras, name) in asked and (keras, name) not in found
        }
        yield lambda keras, name: found.get((keras, name)) or work[keras, name].result()
        pool.shutdown(cancel_futures=True)


def test_there_are_enough_pairs():
    assert len(NAMES) >= 100


@pytest.mark.parametrize(("keras", "name"), JUDGED)
def test_the_simulation_is_what_tensorflow_does(judged, keras, name):
    assert list(judged(keras, name).disagreements()) == []


@pytest.mark.parametrize("name", sorted(ANEW))
def test_the_oracle_builds_as_a_process_of_its_own_does(judged, corpus, name):
    """Automatic names included, although the oracle builds hundreds of models in one process."""
    for side in SIDES:
        own = corpus.signatures[f"{name}:{side}"].without_sites()
        own = msgspec.structs.replace(own, **_NOTHING_READ)
        found = msgspec.structs.replace(getattr(judged(corpus.keras, name), side).without_sites(), **_NO_WHOLES)
        # What a module was called with is heard by a build alone.
        own = own if found.inputs else msgspec.structs.replace(own, inputs=())
        assert found == own


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
    if keras not in RECORDED:
        marked = dict(list(marked.items())[::6])
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


def told(signatures, name):
    """The findings on a pair, by its signatures and its lines of source."""
    base, head = (signatures[f"{name}:{side}"] for side in SIDES)
    texts = [(PAIRS / name / f"{side}.py").read_text() for side in SIDES]
    compared = compare(base, head, default_paths(head), Diff({FILE: FileDiff(FILE, *texts)}))
    return findings.findings_of(compared, CONTEXT)


@pytest.mark.parametrize("name", NAMES)
def test_findings_stand_where_a_person_expects_them(corpus, name):
    found = {(finding.rule, finding.line) for finding in told(corpus.signatures, name)}
    # What the base never saved either is no news on a change; `update` says it when it makes a manifest.
    head = corpus.signatures[f"{name}:head"]
    unsaved = {path: never_written(path, head) for path in default_paths(head)}
    always = {(finding.rule, finding.line) for finding in findings.never_saved(head, unsaved, CONTEXT)}
    marked = _marked(corpus.keras, (PAIRS / name / "head.py").read_text())
    assert found <= marked
    assert {mark for mark in marked - found if mark[0] != "not-saved"} == set()
    assert bool(marked - found) <= bool(always)


@pytest.mark.parametrize("name", NAMES)
def test_findings_say_what_was_reviewed(corpus, name):
    said = messages.text(told(corpus.signatures, name))
    assert said == messages.read().get((name, corpus.keras), ""), "what `python -m messages` writes anew is to be read"


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
