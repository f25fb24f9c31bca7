"""What `update` says of a model that has not changed."""

import msgspec
from signatures import GOOD, module

from restore_guard.commands.unchanged import unable
from restore_guard.signature import Archive, Revival


def test_a_path_that_cannot_restore_even_the_unchanged_model_is_told_with_the_reason():
    (said,) = unable(module(a=(2,)), ["tf-checkpoint", "keras-weights"])
    assert said.startswith("keras-weights is promised and cannot restore even the unchanged model (only a Keras model ")
    refusing = Archive(config="{}", revival=Revival(error="TypeError: Could not locate class 'Net'."))
    (said,) = unable(msgspec.structs.replace(GOOD, archive=refusing), ["keras-archive", "tf-checkpoint"])
    assert "(TypeError: Could not locate class 'Net'.)" in said


def test_nothing_is_said_of_paths_that_restore():
    assert unable(module(a=(2,)), ["tf-checkpoint"]) == []
