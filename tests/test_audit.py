"""`audit` and `update --from` with real files: told as TensorFlow restores them, and never intact when damaged."""

import json
import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_pairs import PAIRS

from restore_guard import builds, checkpoint
from restore_guard.audit import compared
from restore_guard.restore_paths import restore, restore_unchanged
from restore_guard.translation import in_words_of

pytestmark = pytest.mark.tensorflow

HERE = Path(__file__).parent
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
    "sharded": ["ckpt-1.index", "ckpt-1.data-00001-of-00002"],
    "tables": ["ckpt-1.data-00000-of-00001"],
    "tf1": ["ckpt.index", "ckpt.data-00000-of-00001"],
    "compiled.keras": ["compiled.keras"],
}
READABLE = {
    "saved_model": ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"],
    "model.weights.h5": ["model.weights.h5"],
    "compiled.h5": ["compiled.h5"],
}
UNVERIFIED = ("saved_model.pb", "model.weights.h5", "compiled.h5")
FLIPS, CUTS = 24, 20


@dataclass
class Files:
    """One framework's real files, and a warm Python of it that reads them."""

    python: Path
    folder: Path
    probe: builds.Probe

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
    with builds.Probe(python) as probe:
        yield Files(python, folder, probe)


# --- what restores -------------------------------------------------------------------------------------------


def test_a_file_is_judged_as_tensorflow_restores_it(files):
    truth = json.loads((files.folder / "truth.json").read_text())
    jobs = [builds.Job(f"{name}:{side}", PAIRS / name, f"{side}:build") for name in CHOSEN for side in ("base", "head")]
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
            assert compared(saved, head, path).outcomes[path].kind == real["outcome"], case
            judged += 1
            if outcome.kind == "raises":
                continue
            assert sorted(outcome.initial) == sorted(real["initial"]), case
            assert sorted(outcome.unused) == sorted(real["unused"]), case
            assigned = {new: old for new, old in outcome.assigned.items() if new not in seeds}
            assert assigned == {new: old for new, old in real["assigned"].items() if new not in seeds}, case
            alone = compared(saved, head, path).outcomes[path]
            assert sorted(alone.initial) == sorted(real["initial"]), case
            assert len(alone.unused) == len(real["unused"]), case
    assert judged >= 2 * len(CHOSEN)


# --- what is whole, and what is not --------------------------------------------------------------------------


def test_a_whole_file_is_no_false_alarm(files):
    names = [path.name for path in files.sample("").iterdir() if path.name != "small.py"]
    read = files.read([files.sample(name) for name in names])
    for path, found in read.items():
        hdf5 = path.suffix == ".h5" or path.name in ("saved_model", "saved_keras")
        assert found.state == ("readable" if hdf5 else "intact"), (path.name, found.damage, found.failure)
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
    assert len(cases) > 500
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
