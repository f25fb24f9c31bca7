"""What a version without one of the private names costs: the paths that need it, and no build."""

import pytest

from restore_guard.build import Job
from restore_guard.building.probing import Probe
from restore_guard.restore_paths import restore_unchanged

pytestmark = pytest.mark.tensorflow

# Each builder takes a name away from the framework, in the process of its own build.
BUILDERS = """
import tensorflow as tf
from tensorflow.python import pywrap_tfe
from tensorflow.python.lib.io import _pywrap_file_io


def model():
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3)])


def whole():
    return model()


def without_the_walk():
    built = model()
    from keras.src.saving import saving_lib
    for name in ("_walk_saveable", "_walk_trackable"):
        if hasattr(saving_lib, name):
            delattr(saving_lib, name)
    return built


def without_children():
    built = model()
    from tensorflow.python.trackable.base import Trackable
    del Trackable._maybe_initialize_trackable
    return built


def nested():
    inner = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(4), tf.keras.layers.Dense(4)])
    return tf.keras.Sequential([tf.keras.Input((4,)), inner])


def nested_before_3_3():
    from keras.src.legacy.saving import legacy_h5_format

    def save_subset_weights_to_hdf5_group(f, weights):
        # As Keras 3.0 to 3.2 have it.
        for name in [w.name.encode("utf8") for w in weights]:
            f.create_dataset(name, ())

    legacy_h5_format.save_subset_weights_to_hdf5_group = save_subset_weights_to_hdf5_group
    return nested()
"""


@pytest.fixture(scope="module", params=["keras3", "keras2"])
def built(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("private")
    (folder / "small.py").write_text(BUILDERS)
    names = ["whole", "without_the_walk", "without_children"]
    names += ["nested", "nested_before_3_3"] if request.param == "keras3" else []
    paths = ("tf-checkpoint", "keras-weights", "h5")
    with Probe(request.getfixturevalue(request.param)) as probe:
        done = probe.run([Job(name, folder, f"small:{name}", restores=paths) for name in names])
    return done | {"framework": request.param}


def _outcomes(build):
    assert build.failure is None, build.failure
    signature = build.signature
    return {path: restore_unchanged(path, signature).kind for path in ("tf-checkpoint", "keras-weights", "h5")}


def test_every_name_is_there(built):
    assert built["whole"].signature.unread == built["whole"].signature.unfamiliar == {}
    assert set(_outcomes(built["whole"]).values()) == {"restores"}


def test_a_walk_that_is_gone_costs_the_paths_that_take_it(built):
    found = built["without_the_walk"]
    assert _outcomes(found) == {"tf-checkpoint": "restores", "keras-weights": "unsupported", "h5": "restores"}
    assert set(found.signature.unread) == {"keras-weights", "keras-archive"}
    assert "_walk_" in found.signature.unread["keras-weights"]


def test_trackables_that_are_others_cost_tf_checkpoint(built):
    if built["framework"] == "keras2":
        pytest.skip("Keras 2 itself calls the name when it makes a model")
    found = built["without_children"]
    assert _outcomes(found) == {"tf-checkpoint": "unsupported", "keras-weights": "restores", "h5": "restores"}
    assert not restore_unchanged("tf-checkpoint", found.signature).certain


def test_names_that_layers_share_are_no_file(built):
    if built["framework"] == "keras2":
        pytest.skip("Keras 2 always calls weights by their full names")
    assert _outcomes(built["nested"])["h5"] == "restores"
    refused = restore_unchanged("h5", built["nested_before_3_3"].signature)
    assert refused.kind == "unsupported"
    assert "name already exists" in refused.failures[0].message
    assert _outcomes(built["nested_before_3_3"])["keras-weights"] == "restores"
