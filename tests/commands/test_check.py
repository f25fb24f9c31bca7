"""Checks of real commits with a real TensorFlow, through the command; expected values are written by hand."""

import re
import shutil
import signal
import time
from pathlib import Path

import pytest
from conftest import ALL_MODELS, PAGE, PAGE_MODELS, SMALL, Project, rename, settings

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands.check import check
from restore_guard.reports import REPORTS, load

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

ONE_COMMIT = ("--base", "HEAD~", "--head", "HEAD")


def test_renamed_layer_of_the_page(make_repository, library):
    project = make_repository(copy_of=library)
    line = rename(project)
    project.commit()
    before = project.snapshot()
    run = project.check(*ONE_COMMIT)
    assert project.snapshot() == before, "check changed the repository"
    assert list(project.temporary.iterdir()) == []

    assert run.code == 1
    model = run.model("subclassed")
    assert model["verdict"] == "breaks"
    assert model["variables"] == 4
    checkpoint, weights = model["restores"]["tf-checkpoint"], model["restores"]["keras-weights"]
    assert (checkpoint["outcome"], checkpoint["restored"]) == ("partial", 2)
    assert checkpoint["initial"] == ["denselayer1/kernel", "denselayer1/bias"]
    assert sorted(checkpoint["unused"]) == ["dense_1/bias", "dense_1/kernel"]
    assert weights["outcome"] == "raises"
    assert run.findings("subclassed") == [("variable-renamed", "error", "page.py", line, "new")]
    (finding,) = model["findings"]
    assert (finding["old"], finding["new"]) == ("dense_1/kernel", "denselayer1/kernel")
    assert finding["restores"] == ["tf-checkpoint", "keras-weights"]
    # The other models of the file were looked at too, and the other files' were not.
    assert run.findings("convolutional") == run.findings("activated") == []
    assert run.model("activated")["verdict"] == "restores"
    assert run.model("kept")["verdict"] == "unaffected"


def test_other_two_examples_of_the_page(make_repository, library):
    project = make_repository(copy_of=library)
    project.edit("page.py", "self.conv = layers.Conv2D(32, (3, 3))\n", "self.dense = layers.Dense(32)\n")
    project.edit("page.py", "        self.dense = layers.Dense(10)\n", "        self.dense2 = layers.Dense(10)\n")
    project.edit("page.py", "self.dense(self.flatten(self.conv(x)))", "self.dense2(self.dense(self.flatten(x)))")
    project.edit("page.py", "self.custom = CustomELU()", 'self.custom2 = layers.Activation("elu")')
    project.edit("page.py", "self.custom(self.dense(x))", "self.custom2(self.dense(x))")
    project.commit()
    run = project.check(*ONE_COMMIT)
    assert run.code == 1
    outcomes = {
        name: {path: outcome["outcome"] for path, outcome in run.model(name)["restores"].items()}
        for name in PAGE_MODELS
    }
    assert outcomes == {
        "subclassed": {"tf-checkpoint": "restores", "keras-weights": "restores"},
        "convolutional": {"tf-checkpoint": "raises", "keras-weights": "raises"},
        "activated": {"tf-checkpoint": "restores", "keras-weights": "restores"},
    }
    changed = {project.line("page.py", text) for text in ("self.dense = layers.Dense(32)", "self.dense2 = ")}
    findings = run.findings("convolutional")
    assert findings and {finding[1:3] for finding in findings} == {("error", "page.py")}
    assert {finding[3] for finding in findings} <= changed
    # Not regenerated here, and that is all there is to say of the other two.
    others = run.findings("activated") + run.findings("subclassed")
    assert others == []


IGNORES = """\
[[tool.restore-guard.ignore]]
rule = "variable-renamed"
model = "subclassed"
variable = "denselayer1/*"
reason = "retired"

[[tool.restore-guard.ignore]]
rule = "shape-changed"
model = "subclassed"
reason = "long ago"

[[tool.restore-guard.ignore]]
rule = "dtype-changed"
reason = "models that this change does not touch may need it"
"""


def test_what_is_ignored_passes_and_an_ignore_that_silences_nothing_is_told(make_repository, library):
    project = make_repository(copy_of=library)
    line = rename(project)
    (project.root / "pyproject.toml").write_text((project.root / "pyproject.toml").read_text() + IGNORES)
    done = project.run("update", "subclassed")
    assert done.code == 0, done.stdout
    project.commit()
    run = project.check(*ONE_COMMIT)
    assert run.code == 0
    assert run.findings("subclassed") == [("variable-renamed", "error", "page.py", line, "ignored")]
    told = project.run("check", *ONE_COMMIT).stdout
    assert "the ignore of shape-changed for subclassed silences nothing and can be removed: long ago" in told
    assert told.count("silences nothing") == 1


def test_keras_2(make_repository, keras2):
    """The same rename: silent as with Keras 3 on one path, harmless on the other."""
    project = make_repository()
    project.write({"page.py": PAGE, "pyproject.toml": settings(keras2, PAGE_MODELS)})
    assert project.run("update").code == 0
    project.commit()
    line = rename(project)
    run = project.check()  # the work tree
    assert run.code == 1
    assert run.report["head"] == "worktree"
    restores = run.model("subclassed")["restores"]
    assert restores["tf-checkpoint"]["outcome"] == "partial"
    assert restores["keras-weights"]["outcome"] == "restores"
    assert run.findings("subclassed") == [("variable-renamed", "error", "page.py", line, "new")]
    assert run.model("activated")["verdict"] == "restores"


# --- bad input -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bad(library, tmp_path_factory):
    """One check of a change in which nearly everything is wrong that can be, model by model."""
    root = tmp_path_factory.mktemp("bad") / "project"
    shutil.copytree(library, root)
    project = Project(root, root.parent / "home")
    manifests = project.root / "restore-manifest"

    def touch(*names):
        for name in names:
            (root / f"small/{name}.py").write_text(SMALL + "# touched\n")

    good = {name: (manifests / f"{name}.json").read_text() for name in ALL_MODELS}
    project.write({"small/rotten.py": SMALL.replace("    return", '    raise RuntimeError("rotten")\n    return')})
    project.write({"restore-manifest/healed.json": good["healed"][:-100]})
    base = project.commit(message="base")

    touch("invalid", "merged", "missing", "rotten", "healed")
    project.write(
        {
            "small/raising.py": SMALL.replace("    return", '    raise ValueError("no such width: 7")\n    return'),
            "small/syntax.py": SMALL.replace("def build():", "def build(:"),
            "small/fresh.py": SMALL,
            "restore-manifest/invalid.json": good["invalid"].replace('"epoch": 1', '"epoch": "one"'),
            "restore-manifest/merged.json": good["merged"].replace(
                '  "restores": ', '<<<<<<< HEAD\n  "restores": []\n=======\n  "restores": ', 1
            ),
            "restore-manifest/healed.json": good["healed"],
        }
    )
    (manifests / "missing.json").unlink()
    (manifests / "dropped.json").unlink()
    models = {name: lines for name, lines in ALL_MODELS.items() if name not in ("removed", "dropped")}
    python = next(line for line in (root / "pyproject.toml").read_text().splitlines() if line.startswith("python"))
    models |= {"fresh": 'builder = "small.fresh:build"'}
    project.write({"pyproject.toml": settings(python.split('"')[1], models, timeout=60)})
    head = project.commit(message="head")
    with Repository(root) as repository:
        sides = Sides(repository.commit(base), repository.commit(head))
        result = check(Run(repository, project.environ), sides)
    return {model.name: model for model in result.models} | {"result": result}


@pytest.mark.parametrize(
    ("name", "verdict", "manifest", "findings"),
    [
        ("raising", "unchecked", "current", [("build-failed", "small/raising.py")]),
        ("syntax", "unchecked", "current", [("build-failed", "small/syntax.py")]),
        ("invalid", "breaks", "stale", [("manifest-invalid", "restore-manifest/invalid.json")]),
        ("merged", "breaks", "stale", [("manifest-invalid", "restore-manifest/merged.json")]),
        ("missing", "breaks", "missing", [("manifest-missing", "restore-manifest/missing.json")]),
        ("fresh", "breaks", "missing", [("manifest-missing", "restore-manifest/fresh.json")]),
        ("removed", "breaks", "missing", [("model-removed", "pyproject.toml")]),
        ("dropped", "unaffected", "missing", [("model-removed", "pyproject.toml")]),
        ("rotten", "restores", "current", []),
        ("healed", "unchecked", "current", []),
        ("kept", "unaffected", "current", []),
    ],
)
def test_every_bad_input_is_said_and_the_others_are_checked(bad, name, verdict, manifest, findings):
    model = bad[name]
    assert (model.verdict, model.manifest) == (verdict, manifest)
    assert [(finding.rule, finding.file) for finding in model.findings] == findings


def test_messages_of_bad_input_say_what_and_where(bad):
    assert "ValueError: no such width: 7" in bad["raising"].findings[0].message
    assert "SyntaxError" in bad["syntax"].findings[0].message
    assert bad["invalid"].findings[0].line == 4  # {, schema, model, epoch
    assert bad["merged"].findings[0].line == 5
    assert "a merge conflict is not resolved" in bad["merged"].findings[0].message
    assert "restore-guard update missing" in bad["missing"].findings[0].message
    assert "its manifest restore-manifest/removed.json is still there" in bad["removed"].findings[0].message
    assert (bad["removed"].findings[0].level, bad["dropped"].findings[0].level) == ("error", "warning")
    (note,) = bad["rotten"].notes
    assert "no longer builds" in note and "judged by its manifest" in note and "RuntimeError: rotten" in note
    assert "manifest cannot be read" in bad["healed"].notes[0]
    assert set(bad["rotten"].restores) == {"tf-checkpoint", "keras-weights"}


def test_a_break_wins_over_what_could_not_be_checked(bad):
    assert (bad["result"].verdict, bad["result"].exit_code) == ("breaks", 1)


@pytest.mark.parametrize("form", REPORTS)
def test_every_report_says_it(bad, form):
    text = load(form).render(bad["result"])
    for name in ("raising", "syntax", "invalid", "merged", "missing", "fresh", "removed", "dropped"):
        assert name in text


def test_models_that_cannot_be_built_are_not_green(make_repository, keras3):
    """Nothing but a failed build: exit 3. With a manifest at neither side, for there was never a good build."""
    project = make_repository()
    models = {"raising": 'builder = "small:build"', "hanging": 'builder = "small:hang"'}
    project.commit({"small.py": SMALL, "pyproject.toml": settings(keras3, models, timeout=3)})
    failing = SMALL.replace("    return", '    raise ValueError("no such width: 7")\n    return')
    project.commit({"small.py": failing + "\n\ndef hang():\n    while True:\n        pass\n"})
    before = project.snapshot()
    run = project.check(*ONE_COMMIT)
    assert project.snapshot() == before
    assert run.code == 3
    assert run.report["verdict"] == run.model("raising")["verdict"] == run.model("hanging")["verdict"] == "unchecked"
    assert "took longer than 3 seconds" in run.model("hanging")["findings"][0]["message"]


def test_repository_without_commits(make_repository, library):
    project = make_repository(copy_of=library)
    shutil.rmtree(project.root / ".git")
    project.git("init", "--quiet")
    project.write({"pyproject.toml": settings(_python(project), {"kept": 'builder = "small.kept:build"'})})
    project.git("add", "small/kept.py", "pyproject.toml", "restore-manifest/kept.json")
    before = project.snapshot()
    run = project.check("--staged")
    assert project.snapshot() == before
    assert run.code == 0
    assert (run.report["base"], run.report["head"]) == (None, "index")
    assert run.model("kept")["verdict"] == "restores"
    run = project.run("check", "--base", "HEAD")
    assert run.code == 3
    assert "HEAD: no such commit" in run.stderr


def _python(project):
    return next(
        line.split('"')[1] for line in (project.root / "pyproject.toml").read_text().splitlines() if "python = " in line
    )


# --- interruption --------------------------------------------------------------------------------------------


def test_interrupted_in_the_middle_of_a_build(make_repository, library):
    """SIGINT and SIGTERM, side by side: no folder stays, no process, and the repository is as it was."""
    runs = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        project = make_repository(name=number.name, copy_of=library)
        pid_file = project.root.with_name(f"{number.name}.pid")
        waits = f'    import os, time\n    open({str(pid_file)!r}, "w").write(str(os.getpid()))\n    time.sleep(1000)\n'
        project.commit({"small/kept.py": SMALL.replace("    return", waits + "    return")})
        before = project.snapshot()
        runs[number] = project, pid_file, before, project.start("check", *ONE_COMMIT)
    for number, (project, pid_file, before, process) in runs.items():
        _wait(lambda pid_file=pid_file: pid_file.exists() and pid_file.read_text())
        assert list(project.temporary.iterdir()) != []
        process.send_signal(number)
        _, stderr = process.communicate(timeout=20)
        assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
        assert "Traceback" not in stderr
        assert list(project.temporary.iterdir()) == []
        build = int(pid_file.read_text())
        _wait(lambda build=build: not _lives(build), 5)
        pid_file.unlink()
        assert project.snapshot() == before


def _wait(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _lives(pid):
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# --- models of the real world --------------------------------------------------------------------------------

REAL = """\
{imports}


def mobilenet():
    return {mobilenet}(weights=None)


def bert():
    sizes = dict(vocabulary_size=50, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=16)
    return {bert}(max_sequence_length=12, **sizes)
"""


@pytest.fixture(scope="module")
def real(keras3, tmp_path_factory):
    """The library's models, and copies of their source in the repository; with manifests."""
    packages = next((keras3.parents[1] / "lib").glob("python3*/site-packages"))
    bert = (packages / "keras_hub/src/models/bert/bert_backbone.py").read_text()
    mobilenet = (packages / "keras/src/applications/mobilenet_v3.py").read_text()
    folder = tmp_path_factory.mktemp("real")
    project = Project(folder / "project", folder / "home")
    models = {
        name: f'builder = "{module}:{name.removeprefix("copied_")}"'
        for module, names in {"real": ("mobilenet", "bert"), "copied": ("copied_mobilenet", "copied_bert")}.items()
        for name in names
    }
    project.write(
        {
            "real.py": REAL.format(
                imports="import keras\nimport keras_hub",
                mobilenet="keras.applications.MobileNetV3Small",
                bert="keras_hub.models.BertBackbone",
            ),
            "copied.py": REAL.format(
                imports="import copy_of_bert\nimport copy_of_mobilenet",
                mobilenet="copy_of_mobilenet.MobileNetV3Small",
                bert="copy_of_bert.BertBackbone",
            ),
            # Without their decorators, or Keras would give the copy's name to the original.
            "copy_of_bert.py": bert.replace('@keras_hub_export("keras_hub.models.BertBackbone")\n', ""),
            "copy_of_mobilenet.py": re.sub(r"@keras_export\([^)]*\)\n", "", mobilenet),
            "pyproject.toml": settings(keras3, models),
        }
    )
    assert "_export(" not in (project.root / "copy_of_bert.py").read_text()
    assert "_export(" not in (project.root / "copy_of_mobilenet.py").read_text()
    done = project.run("update")
    assert done.code == 0, done.stdout + done.stderr
    project.commit(message="good")
    project.edit("real.py", "import keras\n", "import keras  # 3\n")
    project.commit(message="touches models, changes none")
    # kernel_size=1 stands at four places, the logits' line at one
    project.edit(
        "copy_of_mobilenet.py", 'classes, kernel_size=1, padding="same"', 'classes, kernel_size=3, padding="same"'
    )
    project.edit(
        "copy_of_bert.py",
        "self.pooled_dense = keras.layers.Dense(\n            hidden_dim,",
        "self.pooled_dense = keras.layers.Dense(\n            2 * hidden_dim,",
    )
    project.commit(message="one line of each copy")
    return project


def test_real_models_in_a_commit_that_changes_nothing(real):
    run = real.check("mobilenet", "bert", "--base", "HEAD~2", "--head", "HEAD~")
    assert run.code == 0, [finding["message"] for model in run.report["models"] for finding in model["findings"]]
    verdicts = {model["name"]: (model["verdict"], model["variables"]) for model in run.report["models"]}
    assert verdicts == {
        # counted by Keras itself: len(model.variables) without the states of the dropouts' generators
        "mobilenet": ("restores", 210),
        "bert": ("restores", 39),
    }
    for model in run.report["models"]:
        for outcome in model["restores"].values():
            assert (outcome["outcome"], outcome["restored"]) == ("restores", model["variables"])
    assert [finding for finding in run.findings() if finding[1] == "error"] == []


def test_real_models_with_one_line_of_their_source_changed(real):
    run = real.check(*ONE_COMMIT)
    assert run.code == 1
    for name, line in {
        "copied_mobilenet": real.line("copy_of_mobilenet.py", "kernel_size=3, padding="),
        "copied_bert": real.line("copy_of_bert.py", "2 * hidden_dim"),
    }.items():
        outcomes = {path: outcome["outcome"] for path, outcome in run.model(name)["restores"].items()}
        assert outcomes == {"tf-checkpoint": "raises", "keras-weights": "raises"}
        errors = [finding for finding in run.findings(name) if finding[1] == "error"]
        assert errors == [("shape-changed", "error", f"copy_of_{name[7:]}.py", line, "new")]
    assert {run.model(name)["verdict"] for name in ("mobilenet", "bert")} == {"unaffected"}
