"""`audit --builder`: nothing is configured, and there need be no git."""

import json
import subprocess

import pytest
from conftest import PAGE, settings, warm_python

from restore_guard.change.folder import Folder, opened
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.commands import audit as auditing
from restore_guard.commands.builders import Builder
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.reports import audit_html, audit_json, audit_text

pytestmark = pytest.mark.tensorflow

NET = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, width=8, classes=3):
        super().__init__()
        self.first = keras.layers.Dense(width)
        self.second = keras.layers.Dense(width)
        self.head = keras.layers.Dense(classes)

    def call(self, x):
        return self.head(self.second(self.first(x)))


def build(width=8, classes=3):
    model = Net(width, classes)
    model(tf.zeros((1, 4)))
    return model
"""
# Saves a checkpoint of each kind, loads it into other code, and tells what each load call says.
SCRIPT = """\
import json, sys
import tensorflow as tf
sys.path.insert(0, sys.argv[1])
import net
old = net.build()
old.save_weights("old.weights.h5")
tf.train.Checkpoint(old).write("ckpt")
def told(call):
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
wide = net.build(classes=5)
functional = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(2)])
json.dump({
    "shape": told(lambda: tf.train.Checkpoint(wide).restore("ckpt")),
    "weights": told(lambda: wide.load_weights("old.weights.h5")),
    "consumed": told(lambda: tf.train.Checkpoint(first=old.first).read("ckpt").assert_consumed()),
    "matched": told(lambda: tf.train.Checkpoint(functional).restore("ckpt").assert_existing_objects_matched()),
    "nowhere": told(lambda: tf.train.Checkpoint(old).restore("no/such/ckpt")),
    "layers": told(lambda: functional.load_weights("old.weights.h5")),
}, sys.stdout)
"""


class Warm:
    """A folder without git, files that its code has saved, and commands with a Python that is warm."""

    def __init__(self, folder, python, errors):
        self.folder, self.python, self.errors = folder, python, errors
        self.code = folder / "code"

    def run(self, folder=None):
        return Run(opened(folder or self.code), {"RESTORE_GUARD_PYTHON": str(self.python)})

    def audit(self, file, function="net:build", kwargs="{}", *, error=None, folder=None):
        builder = Builder(function, kwargs)
        return auditing.audit(self.run(folder), str(self.folder / file), name=None, builder=builder, error=error)


@pytest.fixture(scope="module")
def warm(keras3, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nowhere")
    (folder / "code").mkdir()
    (folder / "code/net.py").write_text(NET)
    (folder / "code/renamed.py").write_text(NET.replace("self.first", "self.begin"))
    command = [keras3, "-B", "-c", SCRIPT, folder / "code"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    with warm_python(keras3), pytest.MonkeyPatch.context() as patch:
        patch.setattr("restore_guard.building.pythons._shared", lambda *_: keras3)
        yield Warm(folder, keras3, json.loads(done.stdout))


def test_the_folder_is_in_no_repository(warm):
    repository = opened(warm.code)
    assert isinstance(repository, Folder) and repository.files(repository.worktree()) == ["net.py", "renamed.py"]
    assert repository.head() is None and [*repository.versions("net.py")] == []
    with pytest.raises(UncheckedError, match="no git repository"):
        repository.version()


def test_a_file_restores_into_the_code_it_was_saved_from(warm):
    for file in ("old.weights.h5", "ckpt"):
        found = warm.audit(file)
        assert (found.verdict, found.fits) == ("restores", ("net:build",)), file
    text = audit_text.render(found, color=False, width=120)
    assert "  … 3 layers" in text and "restores (6 variables)" in text
    assert found.models[0].table[0].fates == {"tf-checkpoint": "restored"}


def test_another_shape_is_a_near_miss(warm):
    found = warm.audit("old.weights.h5", kwargs='{"classes": 5}')
    assert found.verdict == "breaks"
    text = audit_text.render(found, color=False, width=160)
    assert "kernel (8, 3)" in text and "kernel (8, 5)" in text
    assert "the load call raises over it; same name, another shape" in text


def test_another_name_is_a_near_miss(warm):
    found = warm.audit("ckpt", "renamed:build")
    (model,) = found.models
    assert model.restores["tf-checkpoint"].outcome == "partial"
    text = audit_text.render(found, color=False, width=160)
    assert "first " in text and "begin Dense" in text
    assert text.count("keeps its initial value; same shape, another name") == 2
    told = json.loads(audit_json.render(found))["models"][0]["table"]
    lost = [(row["saved"]["path"], row["now"]["path"]) for row in told if row["fates"] == {"tf-checkpoint": "initial"}]
    assert sorted(lost) == [("first/bias", "begin/bias"), ("first/kernel", "begin/kernel")]
    page = audit_html.render(found)
    assert 'id="grid"' in page and "In the file" in page and "begin/kernel" in page
    assert "does not restore completely into renamed:build" in page


@pytest.mark.parametrize(
    ("error", "file", "kwargs", "said"),
    [
        (
            "shape",
            "ckpt",
            '{"classes": 5}',
            ("have different shapes", "raises this very error", "saved as head/kernel (8, 3)"),
        ),
        (
            "weights",
            "old.weights.h5",
            '{"classes": 5}',
            ("its values have another shape", "raises this very error", "head/kernel"),
        ),
        ("consumed", "ckpt", "{}", ("no object of the code takes", "restores completely into this code")),
        ("matched", "ckpt", "{}", ("found no value in the file", "restores completely into this code")),
        ("nowhere", "ckpt", "{}", ("found no file of that name", "restores completely into this code")),
        ("layers", "old.weights.h5", "{}", ("restores completely into this code",)),
    ],
)
def test_an_error_is_explained_by_the_file_and_the_code(warm, error, file, kwargs, said):
    message = warm.errors[error]
    assert message is not None
    found = warm.audit(file, kwargs=kwargs, error=message)
    told = " ".join(found.explained)
    for words in said:
        assert words in told, (message, told)
    assert "none of those that are known" not in told, message
    assert f"the error:\n  {found.explained[0]}" in audit_text.render(found, color=False, width=120)
    assert json.loads(audit_json.render(found))["error"] == list(found.explained)
    assert "The error" in audit_html.render(found)


def test_wrong_usage_is_told(warm):
    for function, kwargs, said in (
        ("net.build", "{}", '--builder: expected a function as "package.module:function", found'),
        ("net:build", "{", "--kwargs: not JSON"),
        ("net:build", "[1]", "--kwargs: expected an object"),
    ):
        with pytest.raises(UsageError, match=said):
            warm.audit("ckpt", function, kwargs)
    found = warm.audit("ckpt", "net:nothing")
    assert found.verdict == "unchecked" and "net has no 'nothing'" in found.models[0].notes[0]


def test_a_repository_that_is_configured_keeps_its_settings(warm, make_repository):
    project = make_repository()
    project.commit(
        {
            "src/net.py": NET,
            "pyproject.toml": settings(warm.python, {"other": 'builder = "page:x"'}, pythonpath=["src"]),
        }
    )
    project.write({"page.py": PAGE})
    with Repository(project.root) as repository:
        before = project.snapshot()
        run = Run(repository, project.environ)
        found = auditing.audit(run, str(warm.folder / "ckpt"), name=None, builder=Builder("net:build"))
    assert found.fits == ("net:build",) and project.snapshot() == before


def test_a_module_below_src_is_found(warm, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/net.py").write_text(NET)
    assert warm.audit("ckpt", folder=tmp_path).verdict == "restores"
