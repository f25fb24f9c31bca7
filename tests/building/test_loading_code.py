"""What is known of the loading code of released frameworks: how code is told apart, and what an unknown one costs."""

import importlib.util
import shutil
import sys
from pathlib import Path

import msgspec
import pytest
from signatures import module

from restore_guard.build import Build, Observation, Witness
from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.config import Config, Model
from restore_guard.judging.case import Case
from restore_guard.judging.judge import judge
from restore_guard.probe import loading_code
from restore_guard.promise.manifest import Manifest

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = [("keras3", "keras"), ("keras2", "keras"), ("tensorflow218", "keras"), ("tensorflow218", "tf_keras")]


def _packages(python):
    (folder,) = Path(python).parents[1].glob("lib/python3*/site-packages")
    return folder


def _patched(folder, tmp_path, old, new):
    """A copy of a Keras in which one text of saving_lib.py is another one."""
    copy = shutil.copytree(folder / "keras", tmp_path / "keras", ignore=shutil.ignore_patterns("*.pyc"))
    file = copy / "src/saving/saving_lib.py"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return {"keras": (str(copy), "3.15.1")}


@pytest.mark.tensorflow
@pytest.mark.parametrize(("environment", "keras"), INSTALLED)
def test_what_is_installed_is_known(request, environment, keras):
    folder = _packages(request.getfixturevalue(environment))
    packages = {name: (str(folder / name), "") for name in ("tensorflow", keras)}
    assert loading_code.unfamiliar(packages) == {}


@pytest.mark.tensorflow
def test_only_what_code_does_counts(keras3, tmp_path):
    folder = _packages(keras3)
    same = {
        '"""Load the weights': '"""Loads the weights',
        "    failure = False\n": "    failure = False  # not yet\n\n",
        '"You are loading weights into a model': '"You load weights into a model',
    }
    for number, (old, new) in enumerate(same.items()):
        assert loading_code.unfamiliar(_patched(folder, tmp_path / f"same{number}", old, new)) == {}, old
    other = _patched(folder, tmp_path / "other", "if not failure:\n", "if failure:\n")
    said = "keras 3.15.1 loads by code that this restore-guard does not know"
    assert loading_code.unfamiliar(other) == {"keras-weights": said, "keras-archive": said}


def test_code_that_is_gone_is_not_known(tmp_path):
    assert set(loading_code.unfamiliar({"tensorflow": (str(tmp_path), "9")})) == {"tf-checkpoint", "tf1-saver"}


def test_readme_names_the_versions_that_are_known():
    spec = importlib.util.spec_from_file_location("loading_code_script", ROOT / "scripts" / "loading_code.py")
    script = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        spec.loader.exec_module(script)
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    assert script.table() in (ROOT / "README.md").read_text(encoding="utf-8")


# --- the verdict ---------------------------------------------------------------------------------------------

TOLD = {"tf-checkpoint": "tensorflow 9.0 loads by code that this restore-guard does not know"}
KNOWN = module(red=(2,))
UNKNOWN = msgspec.structs.replace(KNOWN, unfamiliar=TOLD)
EDITED = Diff({"m.py": FileDiff("m.py", "a = 1\n", "a = 2\n")})
CONFIG = Config(models={"m": Model(builder="m:build", restores=("tf-checkpoint",))})


def _judged(head, **more):
    kept = Manifest("m", ("tf-checkpoint",), KNOWN)
    return judge(Case("m", CONFIG, "m.json", Build(head), Build(KNOWN), kept, kept, EDITED, **more))


def _witness(outcome, assigned, initial=(), error=None):
    return Witness(observations={"tf-checkpoint": Observation(outcome, error, assigned, initial, (), ())})


def test_an_outcome_by_unknown_code_is_never_green_without_a_witness():
    assert _judged(KNOWN).verdict == "restores"
    result = _judged(UNKNOWN)
    assert (result.verdict, result.restores["tf-checkpoint"].certain) == ("unchecked", False)
    assert any(
        "tf-checkpoint is simulated, and tensorflow 9.0 loads by code that this restore-guard does not know" in note
        for note in result.notes
    )
    assert any(
        "`restore-guard check --witness always`" in note and "newer restore-guard" in note for note in result.notes
    )


def test_a_witness_that_agrees_makes_it_certain():
    result = _judged(UNKNOWN, witness=_witness("restores", {"red": "red"}))
    assert (result.verdict, result.restores["tf-checkpoint"].certain) == ("restores", True)
    assert not any("does not know" in note for note in result.notes)


def test_a_witness_that_contradicts_it_counts():
    assert _judged(UNKNOWN, witness=_witness("raises", {}, ("red",), "ValueError: x")).verdict == "breaks"
