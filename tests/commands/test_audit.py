"""`audit` and `update --from` with real files: told as TensorFlow restores them, and never intact when damaged."""

import contextlib
import json
import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import settings
from test_pairs import PAIRS

from restore_guard.build import Answer, Job
from restore_guard.building import checkpoint, probing, workshop
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import audit as auditing
from restore_guard.commands import check
from restore_guard.commands import update as updating
from restore_guard.commands.audit import compared
from restore_guard.errors import UsageError
from restore_guard.judging.translation import in_words_of
from restore_guard.restore_paths import restore, restore_unchanged

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

HERE = Path(__file__).parents[1]
CHOSEN = [
    "compatible/dropout-in-subclass",
    "dtype-changed/layer-in-half-precision",
    "layer-type-changed/optimizer",
    "not-saved/list-of-layers",
    "shape-changed/dense-units",
    "sharing-changed/attribute-shared",
    "variable-added/checkpoint-counter",
    "variable-misplaced/sequential-reordered",
    "variable-missing/auxiliary-head",
    "variable-renamed/checkpoint-key-with-optimizer",
    "variable-renamed/dropout-inserted-into-sequential",
    "variable-renamed/page-example-attribute",
]
# What is damaged below, {sample: the files of it}, and what a whole one is called.
INTACT = {
    "checkpoint": ["ckpt-1.index", "ckpt-1.data-00000-of-00001", "checkpoint"],
    "sharded": ["ckpt-1.data-00001-of-00002"],
    "tables": ["ckpt-1.data-00000-of-00001"],
    "tf1": ["ckpt.index"],
    "compiled.keras": ["compiled.keras"],
}
READABLE = {
    "saved_model": ["saved_model.pb", "variables/variables.index"],
    "model.weights.h5": ["model.weights.h5"],
    "compiled.h5": ["compiled.h5"],
}
UNVERIFIED = ("saved_model.pb", "model.weights.h5", "compiled.h5")
FLIPS, CUTS = 12, 20


@dataclass
class Files:
    """One framework's real files, and a warm Python of it that reads them."""

    python: Path
    folder: Path
    probe: probing.Probe

    def sample(self, name):
        return self.folder / "samples" / name

    def read(self, paths):
        """{path: Checkpoint}"""
        jobs = {path: checkpoint.job(str(path), str(path), 60) for path in paths}
        done = self.probe.run(list(jobs.values()))
        return {path: checkpoint.read(done[job.id], str(path)) for path, job in jobs.items()}


@pytest.fixture(scope="module", params=["keras3", "keras2"])
def files(request, tmp_path_factory):
    python, folder = request.getfixturevalue(request.param), tmp_path_factory.mktemp("files") / request.param
    done = subprocess.run(
        [python, HERE / "checkpoints.py", folder, *CHOSEN], capture_output=True, text=True, errors="replace"
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with probing.Probe(python) as probe:
        yield Files(python, folder, probe)


# --- what restores -------------------------------------------------------------------------------------------


def test_a_file_is_judged_as_tensorflow_restores_it(files):
    truth = json.loads((files.folder / "truth.json").read_text())
    jobs = [Job(f"{name}:{side}", PAIRS / name, f"{side}:build") for name in CHOSEN for side in ("base", "head")]
    built = files.probe.run(jobs)
    read = files.read([found["file"] for name in CHOSEN for found in truth[name].values() if found["file"] != "None"])
    judged = 0
    for name in CHOSEN:
        base, head = (built[f"{name}:{side}"].signature for side in ("base", "head"))
        seeds = {variable.path for variable in head.variables if variable.seed}
        for path, real in truth[name].items():
            if real["outcome"] == "unsupported":
                continue
            case, saved = f"{name} {path}", read[real["file"]].signature
            # In the words of the model that wrote it, the file is what the build says that it writes.
            known = in_words_of(base, saved, path)
            assert restore(path, known, base).kind == restore_unchanged(path, base).kind, case
            outcome = restore(path, known, head)
            assert outcome.kind == real["outcome"], (case, outcome.error, real["error"])
            comparison = compared(saved, head, path)
            alone = comparison.outcomes[path]
            # Optimizer state that no file of this kind ever holds is no loss of this one.
            lost = sorted({*real["initial"]} - comparison.unheld[path])
            whole = real["outcome"] == "partial" and not lost and not real["unused"]
            assert alone.kind == ("restores" if whole else real["outcome"]), case
            judged += 1
            if outcome.kind == "raises":
                continue
            assert sorted(outcome.initial) == sorted(real["initial"]), case
            assert sorted(outcome.unused) == sorted(real["unused"]), case
            assigned = {new: old for new, old in outcome.assigned.items() if new not in seeds}
            assert assigned == {new: old for new, old in real["assigned"].items() if new not in seeds}, case
            assert sorted(alone.initial) == lost, case
            assert len(alone.unused) == len(real["unused"]), case
    assert judged >= 2 * len(CHOSEN)


# --- what is whole, and what is not --------------------------------------------------------------------------


def test_a_whole_file_is_no_false_alarm(files):
    names = [path.name for path in files.sample("").iterdir() if path.name != "small.py"]
    read = files.read([files.sample(name) for name in names])
    for path, found in read.items():
        partly = path.suffix == ".h5" or path.name in ("saved_model", "saved_keras", "lookup.keras")
        assert found.state == ("readable" if partly else "intact"), (path.name, found.damage, found.failure)
        assert found.tensors > 0 and found.signature is not None, path.name
        assert bool(found.not_finite) == (path.name == "not_finite"), path.name
    assert read[files.sample("not_finite")].not_finite == {"weight": (1, 2)}
    config = json.loads(read[files.sample("compiled.keras")].signature.archive.config)
    assert config["class_name"] == "Functional"


def test_a_damaged_file_is_never_intact(files, tmp_path):
    random.seed(1)
    cases = {}
    for sample, damaged in (INTACT | READABLE).items():
        for file in damaged:
            source = files.sample(sample)
            content = (source / file if source.is_dir() else source).read_bytes()
            for what, broken in _broken(content, _offsets(content)):
                # A folder needs no state file, and a file that is not there is no checkpoint.
                if broken is None and file in ("checkpoint", sample):
                    continue
                cases[_copy(files, sample, file, broken, tmp_path / str(len(cases)))] = sample, file, what
    read = files.read(cases)
    assert len(cases) > 400
    undetected = set()
    for path, (sample, file, what) in cases.items():
        assert read[path].state in ("damaged", "readable"), (sample, file, what, read[path])
        if read[path].state == "readable":
            undetected.add((sample, file, what))
    # Nothing but a bit within what has no checksum may pass for whole, and then not for intact.
    assert {case for case in undetected if case[1] not in UNVERIFIED or not case[2].startswith("flip")} == set()
    assert undetected


def _offsets(content):
    """Spread over the whole file, and its ends, where formats keep what no checksum covers."""
    ends = [*range(0, min(4, len(content))), *range(max(0, len(content) - 4), len(content))]
    return sorted({*ends, *(random.randrange(len(content)) for _ in range(FLIPS))})


def _broken(content, offsets):
    """Yields (how, bytes or None for a removed file)."""
    for offset in offsets:
        flipped = bytearray(content)
        flipped[offset] ^= 1 << random.randrange(8)
        yield f"flip at {offset}", bytes(flipped)
    for number in range(CUTS):
        size = len(content) * number // CUTS
        yield f"cut at {size}", content[:size]
    yield "zeros at the end", content + bytes(9)
    yield "wrong format", b"PK\3\4 and then no zip, or an \x89HDF that is none\n" * 9
    yield "a page that says that the file is gone", b"<html>404</html>"
    yield "removed", None


def _copy(files, sample, file, content, folder):
    """A sample with one of its files replaced; returns what to audit."""
    source = files.sample(sample)
    folder.mkdir()
    if source.is_dir():
        shutil.copytree(source, folder, dirs_exist_ok=True)
        target = folder / file
        in_place = sample == "saved_model" or file == "checkpoint"
        asked = folder if in_place else folder / file.partition(".")[0]
    else:
        target = asked = folder / file
    if content is not None:
        target.write_bytes(content)
    elif target.exists():
        target.unlink()
    return asked


# --- a project's models --------------------------------------------------------------------------------------


class Warm:
    """The commands, in this process and with a Python that is warm already."""

    def __init__(self, files, project):
        self.files, self.project = files, project

    def manifest(self, name):
        return json.loads((self.project.root / f"restore-manifest/{name}.json").read_text())

    def audit(self, sample, name=None):
        path = sample if isinstance(sample, Path) else self.files.sample(sample)
        with Repository(self.project.root) as repository:
            return auditing.audit(Run(repository, self.project.environ), str(path), name=name)

    def check(self):
        with Repository(self.project.root) as repository:
            sides = Sides(repository.head(), repository.worktree())
            result = check.check(Run(repository, self.project.environ), sides, witness="never")
        return result.exit_code, result.models[0]

    def update(self, sample=None, reason=None):
        path = str(self.files.sample(sample)) if sample is not None else None
        with Repository(self.project.root) as repository:
            run = Run(repository, self.project.environ)
            (done,) = updating.update(run, names=[], reason=reason, checkpoint=path)
        return done


@pytest.fixture
def warm(files, make_repository, monkeypatch):
    """The code that the samples were saved from, configured."""
    project = make_repository()
    models = {
        "small": 'builder = "small:build"',
        "functional": 'builder = "small:functional"',
        "tables": 'builder = "small:tables"',
        "twins": 'builder = "small:twins"',
        "lookup": 'builder = "small:lookup"\nrestores = ["keras-archive", "tf-checkpoint"]',
        "broken": 'builder = "small:gone"',
    }
    code = files.sample("small.py").read_text()
    project.commit({"small.py": code, "pyproject.toml": settings(files.python, models, timeout=60)})
    monkeypatch.setattr(workshop, "Probe", lambda *_: contextlib.nullcontext(files.probe))
    return Warm(files, project)


def test_without_a_name_the_model_is_found_that_a_file_is_of(warm):
    before = warm.project.snapshot()
    for sample, name, state in (
        ("checkpoint", "small", "intact"),
        ("model.weights.h5", "small", "readable"),
        ("named", "functional", "intact"),
        ("compiled.keras", "functional", "intact"),
        ("tables", "tables", "intact"),
    ):
        found = warm.audit(sample)
        assert (found.exit_code, found.fits, found.checkpoint.state) == (0, (name,), state), sample
        # The one that cannot be built is not the one that the file is of.
        assert next(model for model in found.models if model.name == "broken").verdict == "unchecked"
    assert warm.project.snapshot() == before
    assert list(warm.project.temporary.iterdir()) == []


def test_a_checkpoint_that_holds_the_model_under_a_name_is_judged_by_the_call_that_loads_it(warm):
    (model,) = warm.audit("named", "functional").models
    assert model.verdict == "restores"
    assert "tf.train.Checkpoint(model=model)" in model.notes[0]


@pytest.mark.parametrize(
    ("sample", "edge", "around"),
    [
        ("counted", "model", {"step", "best"}),
        ("trainer", "trainer/model", {"epoch", "trainer/optimizer"}),
        ("listed", "models/0", {"step", "models/1"}),
    ],
)
def test_what_a_training_script_keeps_around_the_model_is_no_loss(warm, sample, edge, around):
    (model,) = warm.audit(sample, "small").models
    assert (model.verdict, model.findings) == ("restores", ()), model.notes
    assert model.restores["tf-checkpoint"].unused == () == model.restores["tf-checkpoint"].initial
    (note,) = [note for note in model.notes if f"with the model as `{edge}`" in note]
    assert all(name in note for name in around), note
    # What is lost of the model itself is told as before.
    warm.project.edit("small.py", "self.top = tf", "self.head = tf")
    warm.project.edit("small.py", "self.top(", "self.head(")
    (model,) = warm.audit(sample, "small").models
    assert model.verdict == "breaks"
    assert model.restores["tf-checkpoint"].initial == ("head/kernel", "head/bias")


def test_a_vocabulary_beside_the_weights_is_found_where_it_was_saved(warm):
    (model,) = warm.audit("lookup.keras", "lookup").models
    assert (model.verdict, model.restores["keras-archive"].outcome) == ("restores", "restores")


def test_values_that_are_no_numbers_are_a_warning(warm):
    found = warm.audit("not_finite", "tables")
    (warning,) = found.findings
    assert (found.exit_code, warning.rule, warning.level) == (0, "checkpoint-corrupt", "warning")
    assert warning.effects == ("weight: 1 NaN, 2 infinite",)


def test_what_cannot_be_judged_is_unchecked(warm):
    assert warm.audit("tf1", "small").exit_code == 3
    assert warm.audit("checkpoint", "broken").exit_code == 3


def test_a_renamed_layer_is_told_on_its_line(warm):
    project = warm.project
    project.edit("small.py", "self.hidden = tf", "self.first = tf")
    project.edit("small.py", "self.hidden(inputs)", "self.first(inputs)")
    found = warm.audit("checkpoint", "small")
    assert (found.exit_code, found.checkpoint.state) == (1, "intact")
    (finding,) = found.models[0].findings
    assert (finding.rule, finding.old, finding.new) == ("variable-renamed", "hidden/kernel", "first/kernel")
    assert (finding.file, finding.line) == ("small.py", project.line("small.py", "self.first = tf"))


@pytest.mark.parametrize("files", ["keras3"], indirect=True)
def test_layers_that_changed_places_are_misplaced(warm):
    project = warm.project
    for old, new in (("a", "b"), ("b", "c"), ("c", "a")):
        project.edit("small.py", f'name="twin_{old}"', f'name="_{new}"')
    project.write({"small.py": (project.root / "small.py").read_text().replace('name="_', 'name="twin_')})
    for sample in ("twins.weights.h5", "twins"):
        (model,) = warm.audit(sample, "twins").models
        assert model.verdict == "breaks", sample
        assert {finding.rule for finding in model.findings} == {"variable-misplaced"}, sample


@pytest.mark.parametrize("files", ["keras3"], indirect=True)
def test_a_manifest_is_pinned_to_a_checkpoint_until_a_break_is_accepted(warm):
    project = warm.project
    project.write({"pyproject.toml": settings(warm.files.python, {"functional": 'builder = "small:functional"'})})
    assert warm.update().state == "written"
    project.commit(message="manifest")
    built = warm.manifest("functional")
    assert warm.update("named").state == "written"
    pinned = warm.manifest("functional")
    assert pinned["pinned"] == {"tf-checkpoint": "ckpt-1"}
    # What a file holds says nothing of other moments of a model.
    assert {key for key in built if built[key] != pinned.get(key)} == {"object_graph", "stages"}
    assert str(warm.files.folder) not in json.dumps(pinned)
    project.commit(message="pinned")
    assert warm.update().state == "unchanged"
    assert warm.check()[0] == 0

    # Keras 3 counts layers: what was saved below it no longer restores.
    project.edit("small.py", "    hidden = tf.keras.layers.Dropout(0.5)(hidden)\n", "")
    code, model = warm.check()
    assert code == 1
    assert model.restores["tf-checkpoint"].outcome == "partial"
    assert model.restores["keras-weights"].outcome == "restores"
    assert [warm.update().state, warm.update("named").state] == ["refused", "refused"]
    assert warm.manifest("functional") == pinned

    # The weights file still restores; the break of the other path is accepted, which ends its pin.
    assert warm.update("compiled.weights.h5", "one layer less").state == "written"
    accepted = warm.manifest("functional")
    assert accepted["pinned"] == {"keras-weights": "compiled.weights.h5"}
    assert [(entry["epoch"], list(entry["broken"])) for entry in accepted["history"]] == [(2, ["tf-checkpoint"])]
    assert warm.update().state == "unchanged"
    assert warm.manifest("functional") == accepted
    assert warm.check()[0] == 0

    # A pin that is lost by hand is no longer what was promised.
    project.commit(message="accepted")
    accepted.pop("pinned")
    project.write({"restore-manifest/functional.json": json.dumps(accepted)})
    code, model = warm.check()
    assert (code, model.manifest) == (1, "stale")


@pytest.mark.parametrize("files", ["keras3"], indirect=True)
def test_what_a_checkpoint_lacks_is_not_promised_but_needs_a_reason(warm):
    project = warm.project
    project.write({"pyproject.toml": settings(warm.files.python, {"small": 'builder = "small:build"'})})
    project.edit(
        "small.py",
        "        self.drop =",
        "        self.scale = self.add_weight(shape=(), name='scale')\n        self.drop =",
    )
    assert warm.update().state == "written"
    assert warm.update("checkpoint").state == "refused"
    done = warm.update("checkpoint", "scale starts at its initial value")
    assert done.state == "written" and done.findings
    assert warm.manifest("small")["pinned"] == {"tf-checkpoint": "ckpt-1"}
    assert warm.manifest("small")["history"][0]["broken"]["tf-checkpoint"]["initial"] == ["scale"]
    project.commit(message="pinned")
    assert warm.update().state == "unchanged"
    assert warm.check()[0] == 0
    project.edit("small.py", "self.top = tf", "self.head = tf")
    project.edit("small.py", "self.top(", "self.head(")
    code, model = warm.check()
    assert code == 1
    assert sorted(model.restores["tf-checkpoint"].initial) == ["head/bias", "head/kernel", "scale"]


def test_a_file_of_a_path_that_is_not_promised_is_not_pinned(warm):
    project = warm.project
    project.write({"pyproject.toml": settings(warm.files.python, {"functional": 'builder = "small:functional"'})})
    with pytest.raises(UsageError, match="restores by h5"):
        warm.update("compiled.h5")


# --- the command ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("files", ["keras3"], indirect=True)
def test_the_command_says_it_by_its_exit_code(files, make_repository, tmp_path):
    project = make_repository(files={"small.py": files.sample("small.py").read_text()})
    project.write({"pyproject.toml": settings(files.python, {"small": 'builder = "small:build"'})})
    run = project.run("audit", str(files.sample("checkpoint")), "--format", "json")
    assert run.code == 0
    assert (run.report["schema"], run.report["verdict"], run.report["fits"]) == (1, "restores", ["small"])
    assert run.report["checkpoint"]["state"] == "intact"
    assert run.model("small")["restores"]["tf-checkpoint"]["outcome"] == "restores"

    shutil.copytree(files.sample("sharded"), tmp_path / "sharded")
    (tmp_path / "sharded/ckpt-1.data-00001-of-00002").unlink()
    run = project.run("audit", str(tmp_path / "sharded"), "--model", "small")
    assert run.code == 1
    assert "ckpt-1.data-00001-of-00002 is missing" in run.stdout and "checkpoint-corrupt" in run.stdout
    assert "intact" not in run.stdout

    for source in files.sample("checkpoint").glob("ckpt-1.*"):
        for number in "12":
            (tmp_path / "two").mkdir(exist_ok=True)
            shutil.copy(source, tmp_path / "two" / source.name.replace("1", number, 1))
    for arguments, said in (
        ([tmp_path / "nowhere"], "no such checkpoint"),
        ([tmp_path / "two"], "ckpt-1, ckpt-2"),
        ([files.sample("checkpoint"), "--model", "nobody"], "not a configured model"),
    ):
        run = project.run("audit", *map(str, arguments))
        assert (run.code, run.stdout) == (2, "") and said in run.stderr, arguments


def test_a_reader_that_dies_says_that_the_file_is_damaged():
    assert checkpoint.read(Answer(failure="the build crashed", died=True), "x.h5").state == "damaged"
    assert checkpoint.read(Answer(failure="memory ran out"), "x.h5").state == "unread"
