"""What `update` says of a model that has not changed."""

from pathlib import Path

import msgspec
from signatures import GOOD, module

from restore_guard.build import Build, Observation, Witness
from restore_guard.building import witnesses
from restore_guard.building.workshop import BuildOrder
from restore_guard.commands.renewing import Updated
from restore_guard.commands.unchanged import told, tried, unable
from restore_guard.config import Config
from restore_guard.promise.project import Project
from restore_guard.reports import update_text
from restore_guard.signature import Archive, Revival


def test_a_path_that_cannot_restore_even_the_unchanged_model_is_told_with_the_reason():
    (said,) = unable(module(a=(2,)), ["tf-checkpoint", "keras-weights"])
    assert said.startswith("keras-weights is promised and cannot restore even the unchanged model (only a Keras model ")
    refusing = Archive(config="{}", revival=Revival(error="TypeError: Could not locate class 'Net'."))
    (said,) = unable(msgspec.structs.replace(GOOD, archive=refusing), ["keras-archive", "tf-checkpoint"])
    assert "(TypeError: Could not locate class 'Net'.)" in said


def test_nothing_is_said_of_paths_that_restore():
    assert unable(module(a=(2,)), ["tf-checkpoint"]) == []


def test_what_could_not_be_tried_is_told_with_the_reason():
    (said,) = told(module(a=(2,)), Witness(failures=("tf-checkpoint: ValueError: no GPU",)))
    assert said == "not really saved and restored, so its outputs are not compared: tf-checkpoint: ValueError: no GPU"
    shown = update_text.render([Updated("net", "written", "net.json written", notes=(said,))], color=False, width=80)
    assert shown.splitlines()[1].endswith(f"! {said}")


def test_a_model_that_is_too_large_to_be_tried_is_told(monkeypatch):
    monkeypatch.setattr(witnesses, "run", lambda workshop, trials: {trial.name: Witness() for trial in trials})
    orders = [BuildOrder("net", Path("python"), None, Config(), "net", [])]
    built = {"net": Build(module(a=(30,)))}

    def notes(limit):
        config = msgspec.structs.replace(Config(), witness=limit)
        return [
            note for one in tried(None, Project(None, "", config, {}.get), orders, built).values() for note in one.notes
        ]

    (said,) = notes(29)
    assert "the model has 30 numbers, more than witness = 29" in said
    assert notes(30) == []
    assert notes(0) == [], "nobody wants it tried"


def test_a_real_restore_that_does_worse_than_expected_is_told():
    model = module(a=(2,))
    raising = Observation("raises", "ValueError: x\nmore", {}, ("a",), ("a",), ())
    (said,) = told(model, Witness({"tf-checkpoint": raising}))
    assert said == "tf-checkpoint: really restoring the unchanged model raises: ValueError: x"
    losing = Observation("partial", None, {}, ("a",), (), ())
    (said,) = told(model, Witness({"tf-checkpoint": losing}))
    assert said == "tf-checkpoint: really restoring the unchanged model loses a (1 values in all)"
    assert [*told(model, Witness({"tf-checkpoint": Observation("restores", None, {"a": "a"}, (), (), ())}))] == []
