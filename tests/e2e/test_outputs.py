"""What the outputs of a model that was really restored tell, and what loading makes of old values.

Through the command, with real checkpoints; the right values were measured by hand, with the load calls of each Keras.
"""

from pathlib import Path

import pytest
from conftest import settings

CASES = Path(__file__).resolve().parents[1] / "cases"
ONE_COMMIT = ("--base", "HEAD~", "--head", "HEAD", "--all")
ALL = ["tf-checkpoint", "keras-weights", "h5", "keras-archive"]
MODELS = {
    "derived-state-normalization": ("model:build", ALL),
    "vocabulary-reordered": ("model:build", ["tf-checkpoint", "keras-weights"]),
    "dict-input-renamed": ("model:build", ["tf-checkpoint", "keras-weights", "h5"]),
    "list-to-nested-list": ("model:build", ["tf-checkpoint", "keras-weights", "h5"]),
    "layer-saves-a-part": ("build:build", ["tf-checkpoint", "keras-weights"]),
    "lora-enabled": ("model:build", ["keras-weights", "tf-checkpoint", "keras-archive"]),
    "layer-migrates-itself": ("model:build", ["keras-weights"]),
    "own-store-positions": ("model:build", ["keras-weights", "tf-checkpoint", "keras-archive"]),
    "layer-wrapped": ("model:build", ["tf-checkpoint", "keras-weights", "h5", "h5-by-name"]),
    "policy-set-in-builder": ("model:build", ["tf-checkpoint", "keras-weights", "keras-archive"]),
}
ONLY_KERAS_3 = ("lora-enabled", "layer-migrates-itself", "own-store-positions")

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]


def _folder(name):
    return name.replace("-", "_")


def _files(side, names):
    return {
        f"{_folder(name)}/{path.name}": path.read_text()
        for name in names
        for path in (CASES / name / side).iterdir()
        if path.is_file()
    }


@pytest.fixture(scope="module", params=["keras3", "keras2"])
def run(request, tmp_path_factory):
    """(which Keras, the check of all cases at once, what `update` said of their bases)."""
    from conftest import Project

    folder = tmp_path_factory.mktemp(f"outputs-{request.param}")
    project = Project(folder / "project", folder / "home")
    names = [name for name in MODELS if request.param == "keras3" or name not in ONLY_KERAS_3]
    models = {
        name: f'builder = "{_folder(name)}.{MODELS[name][0]}"\nrestores = {MODELS[name][1]}'.replace("'", '"')
        for name in names
    }
    python = request.getfixturevalue(request.param)
    project.write(_files("base", names) | {"pyproject.toml": settings(python, models, timeout=250)})
    updated = project.run("update")
    assert updated.code == 0, updated.stdout + updated.stderr
    project.commit()
    project.commit(_files("head", names))
    checked = project.check(*ONE_COMMIT)
    assert checked.report["models"], checked.stderr
    return request.param, checked, updated


def _outputs(model):
    return {path: one["outputs"] for path, one in model["restores"].items()}


def _errors(model):
    """What fails but for the manifest, which the heads do not bring along."""
    return [one for one in model["findings"] if one["level"] == "error" and not one["rule"].startswith("manifest")]


def _told(model, rule):
    return [finding for finding in model["findings"] if finding["rule"] == rule]


def test_what_is_computed_from_variables_once(run):
    model = run[1].model("derived-state-normalization")
    assert {one["outcome"] for one in model["restores"].values()} == {"restores"}
    assert _outputs(model) == dict.fromkeys(ALL, "same") | {"tf-checkpoint": "differ"}
    (told,) = _told(model, "behaviour-changed")
    # The base's own code does not restore to the same outputs either: no news.
    assert (told["status"], told["restores"]) == ("pre-existing", ["tf-checkpoint"])
    assert "with unchanged code as well" in told["message"]
    assert _errors(model) == []


def test_update_says_what_unchanged_code_does_not_restore_to(run):
    said = [line for line in run[2].stdout.splitlines() if "with unchanged code as well" in line]
    assert len(said) == 1 and "By tf-checkpoint every value arrives" in said[0]


def test_words_of_a_vocabulary_in_another_order(run):
    model = run[1].model("vocabulary-reordered")
    assert {one["outcome"] for one in model["restores"].values()} == {"restores"}
    assert set(_outputs(model).values()) == {"differ"}
    assert [finding["status"] for finding in _told(model, "behaviour-changed")] == ["new"]


def test_inputs_are_given_by_name(run):
    model = run[1].model("dict-input-renamed")
    assert model["verdict"] == "breaks"
    assert set(_outputs(model).values()) == {"differ"}
    (told,) = _told(model, "variable-misplaced")
    assert (told["level"], set(told["restores"])) == ("error", set(model["restores"]))
    assert "town with those of shop" in told["message"]


def test_equal_layers_pair_in_the_order_of_their_creation(run):
    keras, checked, _ = run
    model = checked.model("list-to-nested-list")
    assert _told(model, "variable-renamed") and not _told(model, "variable-misplaced")
    assert model["restores"]["keras-weights"]["outcome"] == "partial"
    assert model["restores"]["h5"]["outcome"] == ("restores" if keras == "keras3" else "unsupported")


def test_what_a_layer_never_saves_is_no_news(run):
    model = run[1].model("layer-saves-a-part")
    assert _errors(model) == []
    weights = model["restores"]["keras-weights"]
    assert (weights["outcome"], weights["initial"]) == ("partial", ["pair/b"])


def test_what_loading_converts_is_restored(run):
    keras, checked, _ = run
    if keras == "keras2":
        return
    migrated, tuned = (checked.model(name) for name in ("layer-migrates-itself", "lora-enabled"))
    assert _errors(migrated) == []
    for model in (migrated, tuned):
        weights = model["restores"]["keras-weights"]
        assert (weights["outcome"], weights["evidence"], weights["outputs"]) == ("restores", "witnessed", "same")
        assert weights["restored"] == weights["variables"]
    assert tuned["restores"]["tf-checkpoint"]["initial"] == ["up/lora_kernel_a", "up/lora_kernel_b"]
    assert tuned["restores"]["keras-archive"]["outcome"] == "restores"


def _line(name, text):
    """Where a line with this text stands in the head of a case."""
    for file in sorted((CASES / name / "head").iterdir()):
        for number, line in enumerate(file.read_text().splitlines() if file.is_file() else (), 1):
            if line.strip() == text:
                return f"{_folder(name)}/{file.name}", number
    raise AssertionError(text)


def test_a_layer_that_stores_by_another_key_is_named_at_its_line(run):
    keras, checked, _ = run
    if keras == "keras2":
        return
    model = checked.model("own-store-positions")
    outcomes = {path: one["outcome"] for path, one in model["restores"].items()}
    assert outcomes == {"keras-weights": "raises", "tf-checkpoint": "restores", "keras-archive": "raises"}
    assert "TwoWayEmbedding name=tokens" in model["restores"]["keras-weights"]["error"]
    (told,) = _errors(model)
    assert (told["file"], told["line"]) == _line("own-store-positions", 'store["1"] = self.backwards')
    assert told["message"].startswith("The load call raises over tokens (a TwoWayEmbedding)")


def test_a_wrapped_layer_is_one_cause(run):
    keras, checked, _ = run
    model = checked.model("layer-wrapped")
    outcomes = {path: one["outcome"] for path, one in model["restores"].items()}
    silent = {"tf-checkpoint": "partial", "h5": "raises", "h5-by-name": "partial"}
    assert {path: outcomes[path] for path in silent} == silent
    (told,) = _errors(model)
    line = 'x = WeightNormalization(keras.layers.Conv1D(4, 3, name="c2"), name="wn")(x)'
    assert (told["file"], told["line"]) == _line("layer-wrapped", line)
    assert told["message"].startswith("c2 was wrapped: it is wn/layer now (2 variables: kernel, bias).")


def test_a_policy_that_the_builder_sets_stands_where_it_is_set(run):
    keras, checked, _ = run
    model = checked.model("policy-set-in-builder")
    outcomes = {path: (one["outcome"], one["evidence"]) for path, one in model["restores"].items()}
    # Keras 2's optimizer for mixed precision keeps the state of the one in it where that was.
    kinds = ("raises", "partial", "partial") if keras == "keras3" else ("partial", "restores", "restores")
    paths = ("tf-checkpoint", "keras-weights", "keras-archive")
    assert outcomes == {path: (kind, "witnessed") for path, kind in zip(paths, kinds, strict=True)}
    lost = any("optimizer" in name for name in model["restores"]["keras-archive"]["initial"])
    assert lost == (keras == "keras3")
    line = _line("policy-set-in-builder", 'keras.mixed_precision.set_global_policy("mixed_float16")')
    assert {(told["file"], told["line"]) for told in _errors(model)} == {line}


def test_kernels_for_a_gpu_become_plain_ones(make_repository, keras2):
    """No such kernel runs without a GPU: what it computes is not compared, and the reason is told."""
    name, paths = "cudnn-to-plain-recurrent", ["tf-checkpoint", "h5", "h5-by-name", "keras-weights"]
    told = f'builder = "{_folder(name)}.model:build"\nrestores = {paths}'.replace("'", '"')
    files = {"pyproject.toml": settings(keras2, {name: told}, timeout=250)}
    project = make_repository(files=_files("base", [name]) | files)
    project.commit(_files("head", [name]))
    model = project.check(*ONE_COMMIT).model(name)
    outcomes = {path: (one["outcome"], one["evidence"]) for path, one in model["restores"].items()}
    assert outcomes == {
        "tf-checkpoint": ("partial", "witnessed"),
        "h5": ("restores", "witnessed"),
        "h5-by-name": ("restores", "witnessed"),
        "keras-weights": ("raises", "witnessed"),
    }
    assert model["restores"]["h5"]["restored"] == model["restores"]["h5"]["variables"] == 8
    assert model["restores"]["h5"]["outputs"] is None
    assert "NotFoundError" in model["restores"]["h5"]["uncompared"]
