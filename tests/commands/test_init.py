"""What `init` writes beside what is there, judged by the programs that read it; nothing here builds a model."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from signatures import module

from restore_guard import config
from restore_guard.build import Build
from restore_guard.change import load_habits
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.commands import init, missing, origin, promising, update
from restore_guard.commands.survey import Model, Survey, roots
from restore_guard.config import Input
from restore_guard.discovery.attempts import Attempt
from restore_guard.discovery.candidate import Candidate
from restore_guard.environments import interpreters
from restore_guard.environments.interpreters import Interpreter
from restore_guard.errors import UsageError
from restore_guard.promise.manifest import Manifest, dump
from restore_guard.reports import init_json, init_text

PRE_COMMIT = Path(sys.executable).with_name("pre-commit")
RANKER = Candidate("ranker", "ranker.model:build", "ranker/model.py", 3)

MODELS = (Model(RANKER, Build(module(kernel=(2, 3)))),)


@pytest.fixture
def planned(make_repository, monkeypatch):
    """`planned(files, *candidates, folder="")`: the repository and the plan for it."""
    monkeypatch.setattr(origin, "recorded", lambda: origin.Origin("https://github.com/us/restore-guard", "v9"))

    def make(files, *candidates, folder=""):
        project = make_repository(files={"README.md": "", **files})
        with Repository(project.root) as repository:
            repository.project = folder
            loaded = config.load(repository.reader(repository.worktree()))
            models = tuple(Model(candidate, Build(module(kernel=(2, 3)))) for candidate in candidates or [RANKER])
            settings = loaded[1] if loaded else None
            folders = roots(settings, models)
            found = Survey(folder, settings, Interpreter(Path("python"), "here"), models, pythonpath=folders)
            return project, init.plan(repository, found)

    return make


def _content(plan, path):
    return next((file.content for file in plan.files if file.path == path), None)


OURS = [
    "  - repo: https://github.com/us/restore-guard",
    "    rev: v9",
    "    hooks:",
    "      - id: restore-guard",
]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("repos:\n  - repo: meta\n    hooks: []\n", ["repos:", "  - repo: meta", "    hooks: []", *OURS]),
        ("repos:\n  - repo: meta\n    hooks: []", ["repos:", "  - repo: meta", "    hooks: []", *OURS]),
        (
            "repos: # all\n# first\n- repo: meta\n  hooks: []\n",
            ["repos: # all", "# first", "- repo: meta", "  hooks: []", *(line[2:] for line in OURS)],
        ),
        (
            "repos:\n  - repo: meta\n    hooks: []\n\n# how it fails\nfail_fast: true\n",
            ["repos:", "  - repo: meta", "    hooks: []", *OURS, "", "# how it fails", "fail_fast: true"],
        ),
        (
            "fail_fast: true\r\nrepos:\r\n  - repo: meta\r\n    hooks: []\r\n",
            ["fail_fast: true", "repos:", "  - repo: meta", "    hooks: []", *OURS],
        ),
    ],
)
def test_hook_beside_others(planned, before, after):
    project, plan = planned({})
    (project.root / ".pre-commit-config.yaml").write_bytes(before.encode())
    with Repository(project.root) as repository:
        survey = Survey("", None, Interpreter(Path("python"), "here"), MODELS)
        plan = init.plan(repository, survey)
        content = _content(plan, ".pre-commit-config.yaml")
        newline = "\r\n" if "\r" in before else "\n"
        assert content == newline.join(after) + newline
    (project.root / "checked.yaml").write_bytes(content.encode())
    done = subprocess.run([PRE_COMMIT, "validate-config", "checked.yaml"], cwd=project.root, capture_output=True)
    assert done.returncode == 0, done.stdout
    assert plan.install.endswith("--hook-type pre-commit --hook-type pre-merge-commit --hook-type pre-push")


@pytest.mark.parametrize("before", ["repos: []\n", "repos: [{repo: meta, hooks: []}]\n", "fail_fast: true\n", ""])
def test_hooks_that_cannot_be_added_to_are_left_to_the_user(planned, before):
    _, plan = planned({".pre-commit-config.yaml": before})
    assert _content(plan, ".pre-commit-config.yaml") is None
    assert "- repo: https://github.com/us/restore-guard" in plan.by_hand[0]


def test_hook_that_is_there_already(planned):
    _, plan = planned({".pre-commit-config.yaml": "repos:\n- repo: x\n  rev: y\n  hooks: \n  - id: restore-guard\n"})
    assert _content(plan, ".pre-commit-config.yaml") is None
    assert plan.by_hand == ()


def test_new_hook_installs_all_stages(planned):
    project, plan = planned({})
    content = _content(plan, ".pre-commit-config.yaml")
    assert content.splitlines()[0] == "default_install_hook_types: [pre-commit, pre-merge-commit, pre-push]"
    assert plan.install == "pre-commit install"
    (project.root / "checked.yaml").write_text(content)
    subprocess.run([PRE_COMMIT, "validate-config", "checked.yaml"], cwd=project.root, check=True)


@pytest.mark.parametrize(
    "before",
    [
        '[project]\nname = "x"\n',
        '[project]\nname = "x"',
        '[[tool.mypy.overrides]]\nmodule = "x"\n\n\n',
        '[tool.restore-guard]\ntimeout = 7\n\n[tool.restore-guard.models.other]\nbuilder = "x:y"\n\n[tool.ruff]\n',
        '# ours\r\n[project]\r\nname = "x"\r\n',
    ],
)
def test_configuration_beside_what_is_there(planned, before):
    _, plan = planned({"pyproject.toml": before})
    content = _content(plan, "pyproject.toml")
    assert content.startswith(before.rstrip("\r\n"))
    table = tomllib.loads(content)
    assert table["tool"]["restore-guard"]["models"].pop("ranker") == {"builder": "ranker.model:build"}
    assert content.count("\r\n") in (0, content.count("\n"))
    original = tomllib.loads(before)
    assert {**table, "tool": 0} == {**original, "tool": 0}
    assert table["tool"].get("restore-guard", {}).get("timeout") == original.get("tool", {}).get(
        "restore-guard", {}
    ).get("timeout")


def test_configuration_in_a_file_of_its_own(planned):
    inner = Candidate("tower.v1", "nets:build", "src/nets.py", 1, "src")
    _, plan = planned({}, RANKER, inner)
    table = tomllib.loads(_content(plan, "restore-guard.toml"))
    models = {"ranker": {"builder": "ranker.model:build"}, "tower.v1": {"builder": "nets:build"}}
    assert table == {"pythonpath": ["src"], "models": models}
    assert plan.manifests == ("restore-manifest/ranker.json", "restore-manifest/tower.v1.json")


@pytest.mark.parametrize(
    "before",
    ["[tool]\nrestore-guard = { timeout = 3 }\n", '[tool.restore-guard]\nmodels = { a = { builder = "b:c" } }\n'],
)
def test_configuration_that_cannot_be_added_to_is_left_to_the_user(planned, before):
    with pytest.raises(UsageError, match=r"no program can add to safely") as caught:
        planned({"pyproject.toml": before})
    assert '[tool.restore-guard.models.ranker]\nbuilder = "ranker.model:build"' in str(caught.value)


def test_project_below_the_root(planned):
    _, plan = planned({"pyproject.toml": "", "sub/pyproject.toml": "", "sub/uv.lock": ""}, folder="sub")
    assert [file.path for file in plan.files] == [
        *("sub/pyproject.toml", ".pre-commit-config.yaml", ".github/workflows/restore-guard.yml")
    ]
    assert plan.manifests == ("sub/restore-manifest/ranker.json",)
    assert 'args: [--project, "sub"]' in _content(plan, ".pre-commit-config.yaml")
    workflow = _content(plan, ".github/workflows/restore-guard.yml")
    assert workflow.count('working-directory: "sub"') == 2
    assert "uv sync --locked" in workflow


ASKING = {
    "uv.lock": "",
    "poetry.lock": "",
    "requirements.txt": "",
    "setup.cfg": "[options.extras_require]\ntf = tensorflow\n",
    "environment.yml": "dependencies:\n  - tensorflow=2.15\n  - 'a: # b'\n  - pip:\n    - a<2; python_version < '3'\n",
    "README.md": "",
}
PINNED = "rules:\n  unpinned-uses:\n    config:\n      policies:\n        '*': ref-pin\n"
"""What the workflow runs is named by tags, as everywhere in its documentation."""


@pytest.mark.parametrize("file", ASKING)
def test_workflow_is_one_that_github_takes(planned, tmp_path, file):
    _, plan = planned({file: ASKING[file], "setup.py": "import setuptools\nsetuptools.setup()\n"})
    workflow = tmp_path / ".github/workflows/workflow.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(_content(plan, ".github/workflows/restore-guard.yml"))
    (tmp_path / "zizmor.yml").write_text(PINNED)
    for check in (
        [PRE_COMMIT.with_name("check-jsonschema"), "--builtin-schema", "vendor.github-workflows"],
        [PRE_COMMIT.with_name("zizmor"), "--offline", "--config", tmp_path / "zizmor.yml"],
    ):
        done = subprocess.run([*check, workflow], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "uses: us/restore-guard@v9" in _content(plan, ".github/workflows/restore-guard.yml")


def test_workflow_that_is_there_already(planned):
    _, plan = planned({".github/workflows/restore-guard.yml": "mine"})
    assert _content(plan, ".github/workflows/restore-guard.yml") is None


def test_nothing_is_overwritten_that_changed_meanwhile(planned):
    project, plan = planned({"pyproject.toml": ""})
    project.write({"pyproject.toml": "[tool.mine]\n"})
    with Repository(project.root) as repository, pytest.raises(UsageError, match="changed meanwhile"):
        init.write(Run(repository, {}), plan)
    assert (project.root / "pyproject.toml").read_text() == "[tool.mine]\n"
    with pytest.raises(UsageError, match="restore-manifest/ranker.json is there already"):
        planned_with = {"restore-manifest/ranker.json": "{}"}
        project.write(planned_with)
        with Repository(project.root) as repository:
            survey = Survey("", None, Interpreter(Path("python"), "here"), MODELS)
            init.plan(repository, survey)


@pytest.mark.parametrize(
    ("url", "action"),
    [
        ("https://github.com/us/restore-guard", "us/restore-guard@v9"),
        ("https://github.com/us/restore-guard.git", "us/restore-guard@v9"),
        ("ssh://git@github.com/us/restore-guard", "us/restore-guard@v9"),
        ("https://example.org/us/restore-guard", None),
        ("/srv/restore-guard", None),
    ],
)
def test_action_of_an_origin(url, action):
    assert origin.Origin(url, "v9").action == action


def test_no_model(make_repository):
    project = make_repository(files={"net.py": "print(1)\n"})
    run = project.run("init")
    assert run.code == 2
    assert "No model was found in 1 files" in run.stderr
    assert 'builder = "package.module:function"' in run.stderr


def test_a_builder_that_git_does_not_know_is_added_too(make_repository):
    """The printed command adds all that a check of the commit needs."""
    project = make_repository(files={"README.md": "", ".gitignore": "*.log\n"})
    project.write({"ranker/model.py": "", "ranker/my layers.py": "", "ranker/notes.log": ""})
    sources = ("ranker/model.py", "ranker/my layers.py", "ranker/notes.log")
    signature = msgspec.structs.replace(module(kernel=(2, 3)), sources=sources)
    with Repository(project.root) as repository:
        model = Model(RANKER, Build(signature))
        plan = init.plan(repository, Survey("", None, Interpreter(Path("python"), "here"), (model,)))
    assert plan.untracked == ("ranker/model.py", "ranker/my layers.py")
    assert "  git add ranker/model.py 'ranker/my layers.py' restore-guard.toml" in init_text.render_written(plan)


@pytest.mark.parametrize(
    ("answer", "shapes"), [("", []), ("784", [(784,)]), ("28,28,1", [(28, 28, 1)]), ("(8,); 16", [(8,), (16,)])]
)
def test_shapes_of_an_answer(answer, shapes):
    assert [item.shape for item in init.inputs_of(answer)] == shapes


def _survey(project, *models, **fields):
    with Repository(project.root) as repository:
        loaded = config.load(repository.reader(repository.worktree()))
        settings = loaded[1] if loaded else None
        found = Survey("", settings, Interpreter(Path("python"), "here"), models, **fields)
        return found, init.plan(repository, found)


def test_arguments_inputs_and_builders_are_written(make_repository):
    net = Candidate("net", "net:build", "net.py", 1, required=("width",))
    part = Candidate("gan", "gan:Gan", "gan.py", 2, kind="part", part=".critic", label="critic")
    body = Attempt(imports={"Gan": "gan.Gan"}, body=("return Gan().critic",), notes=("a = 1: b.py:3",), place="b.py:4")
    built = Build(module(kernel=(2, 3)))
    kwargs = {"width": 8, "sizes": [1, 2.5], "name": 'a "b"', "deep": {"on": True}}
    models = (
        Model(net, built, (Input((None, 4), "int32"), Input((2,))), Attempt(kwargs=kwargs)),
        Model(part, built, attempt=body),
    )
    project = make_repository(files={"README.md": ""})
    _, plan = _survey(project, *models, pythonpath=("src",), carry=("a/_version.py",))
    table = tomllib.loads(_content(plan, "restore-guard.toml"))
    assert table["pythonpath"] == ["src"] and table["carry"] == ["a/_version.py"]
    assert table["models"]["net"] == {
        "builder": "net:build",
        "kwargs": kwargs,
        "inputs": [{"shape": [-1, 4], "dtype": "int32"}, {"shape": [2]}],
    }
    assert table["models"]["gan"] == {"builder": "restore_guard_models:build_gan"}
    source = _content(plan, "restore_guard_models.py")
    assert '"""gan.py:Gan.critic, as b.py:4 makes it."""' in source and "# a = 1: b.py:3" in source
    assert plan.files[0].path == "restore_guard_models.py", "it is shown first"
    scope = {}
    exec(compile(source.replace("from gan import Gan", "Gan = type('Gan', (), {'critic': 7})"), "b", "exec"), scope)
    assert scope["build_gan"]() == 7


def test_a_configuration_that_is_there_gets_new_folders(make_repository):
    before = '# ours\n[tool.restore-guard]\ntimeout = 7 # long\n\n[tool.restore-guard.models.old]\nbuilder = "a:b"\n'
    project = make_repository(files={"pyproject.toml": before, "restore-manifest/old.json": "{}"})
    _, plan = _survey(project, *MODELS, pythonpath=("src",), carry=("x.so",))
    content = _content(plan, "pyproject.toml")
    table = tomllib.loads(content)["tool"]["restore-guard"]
    assert (table["pythonpath"], table["carry"], table["timeout"]) == (["src"], ["x.so"], 7)
    assert list(table["models"]) == ["old", "ranker"] and "# ours\n" in content and "# long" in content
    (file,) = [file for file in plan.files if file.path == "pyproject.toml"]
    assert 'pythonpath = ["src"]' in file.added and "[tool.restore-guard.models.ranker]" in file.added


def test_models_that_were_configured_by_hand_get_a_hook_and_a_workflow(make_repository):
    own = '[models.old]\nbuilder = "net:build"\n'
    project = make_repository(files={"restore-guard.toml": own, "net.py": ""})
    _, plan = _survey(project)
    paths = [file.path for file in plan.files]
    assert paths == [".pre-commit-config.yaml", ".github/workflows/restore-guard.yml"]
    assert plan.names == ("old",), "its manifest is missing"
    project.write({"restore-manifest/old.json": "{}"})
    assert _survey(project)[1].names == ()


def _habit(text):
    read = {"train.py": text.encode()}.get
    return {"ranker": load_habits.habits(read, ["train.py"], {"ranker": "ranker.model"})["ranker"]}


LOADING = """\
import tensorflow as tf
from ranker.model import Scale
from train import Other
tf.train.Checkpoint(model=model).restore(path)
model.load_weights("a.h5", skip_mismatch=True)
tf.keras.models.load_model("a.keras", custom_objects={"Scale": Scale, "Other": Other})
model.load_weights(args.weights, skip_mismatch=True)
"""


def test_promised_paths_are_those_of_the_repositorys_own_calls(make_repository):
    project = make_repository(files={"README.md": ""})
    habits = _habit(LOADING)
    found, plan = _survey(project, *MODELS, habits=habits)
    assert promising.restores_of(found, found.usable[0]) is None, "a tf.Module has but one"
    assert "restores" not in _content(plan, "restore-guard.toml")
    sources = {"src/ranker/model.py": ""}
    unread = {"keras-weights": "gone", "h5": "gone"}
    keras = msgspec.structs.replace(module(kernel=(2, 3)), unread=unread, sources=sources)
    found, plan = _survey(project, Model(RANKER, Build(keras)), habits=habits)
    table = tomllib.loads(_content(plan, "restore-guard.toml"))["models"]["ranker"]
    assert table["restores"] == ["tf-checkpoint", "h5", "keras-archive"]
    # What train.py defines would be imported from there, and training begin.
    assert table["load"] == {"custom_objects": ["ranker.model:Scale"], "skip_mismatch": True}
    said = init_text.render_survey(found)
    assert "      promises tf-checkpoint (train.py:4 tf.train.Checkpoint(...).restore), h5 (train.py:5 " in said
    assert "      not told by train.py:7 model.load_weights: filepath is no constant\n" in said


def test_somebody_may_promise_other_paths_than_the_code_loads(make_repository):
    project = make_repository(files={"README.md": ""})
    keras = Model(RANKER, Build(msgspec.structs.replace(module(kernel=(2, 3)), unread={"keras-weights": "gone"})))
    asked = promising.paths_of("h5, keras-weights")
    _, plan = _survey(project, keras, habits=_habit(LOADING), asked=asked)
    table = tomllib.loads(_content(plan, "restore-guard.toml"))["models"]["ranker"]
    assert table["restores"] == ["keras-weights", "h5"]
    assert promising.paths_of("shown") == ()
    with pytest.raises(UsageError, match="h6 is no restore path"):
        promising.paths_of("h5 h6")


def test_without_calls_the_usual_paths_are_shown(make_repository):
    found, _ = _survey(make_repository(files={"README.md": ""}), *MODELS)
    assert "      promises tf-checkpoint\n      as no call that saves or loads was found\n" in init_text.render_survey(
        found
    )


def test_a_missing_package_is_named_once(make_repository):
    candidates = [Candidate(name, f"{name}:build", f"{name}.py", 1) for name in ("a", "b")]
    lacking = [Model(each, Build(failure="No module named 'cv2'"), lacks="cv2") for each in candidates]
    survey = Survey("", None, Interpreter(Path("python"), "here"), MODELS, tuple(lacking))
    install = missing.line(survey.missing, lambda name: name == "uv.lock", "python")
    said = init_text.render_survey(survey, install)
    assert said.count("cv2") == 1 and "a, b cannot be built" in said
    assert "  uv add opencv-python" in said
    assert missing.line(["yaml", "gym"], lambda name: False, "py") == "py -m pip install gym pyyaml"


def test_json_says_what_the_text_says(make_repository):
    project = make_repository(files={"README.md": ""})
    left = Model(Candidate("deep", "deep:build", "deep.py", 3, required=("n",)), Build(failure="needs n"))
    found, plan = _survey(project, *MODELS, habits=_habit("model.load_weights(path)\nmodel.save_weights('a.h5')\n"))
    found = replace(found, unusable=(left,))
    document = json.loads(init_json.render(found, plan, written=False, install=None))
    assert [model["name"] for model in document["models"]] == ["ranker"]
    assert document["models"][0]["configuration"] == {"builder": "ranker.model:build"}
    assert document["models"][0]["promises"] == ["tf-checkpoint"], "a tf.Module has but one"
    assert document["models"][0]["calls"] == [
        {"at": "train.py:1", "call": "model.load_weights", "path": None, "unknown": ["filepath"]},
        {"at": "train.py:2", "call": "model.save_weights", "path": "h5", "unknown": []},
    ]
    (out,) = document["left_out"]
    assert out["why"] == "needs n" and out["by_hand"][-1] == "    return build(n=...)"
    assert {file["path"] for file in document["files"]} == {file.path for file in plan.files}
    assert document["written"] is False


def test_what_is_guarded_by_a_builder_is_not_proposed_again(make_repository, monkeypatch):
    monkeypatch.setattr(interpreters, "choose", lambda *_: Interpreter(Path(sys.executable), "here"))
    gan = "import keras\nclass Gan:\n    def __init__(self):\n        self.critic = keras.Sequential()\n"
    gan += "        self.maker = keras.Sequential()\n"
    project = make_repository(files={"gan.py": gan})

    def left():
        with Repository(project.root) as repository:
            found = init.look(repository, project.root, {})
            return found, {model.candidate.target: model for model in found.unusable}

    found, models = left()
    assert set(models) == {"gan.py:Gan.critic", "gan.py:Gan.maker"}
    critic = replace(models["gan.py:Gan.critic"], build=Build(module(kernel=(2, 3))))
    critic = replace(critic, attempt=critic.attempts[0])
    with Repository(project.root) as repository:
        plan = init.plan(repository, replace(found, usable=(critic,), unusable=()))
    project.write({file.path: file.content for file in plan.files})
    again, models = left()
    assert set(models) == {"gan.py:Gan.maker"}
    maker = replace(models["gan.py:Gan.maker"], build=Build(module(kernel=(2, 3))))
    maker = replace(maker, attempt=maker.attempts[0])
    with Repository(project.root) as repository:
        plan = init.plan(repository, replace(again, usable=(maker,), unusable=()))
    source = _content(plan, "restore_guard_models.py")
    assert source.count("def build_") == 2
    project.write({file.path: file.content for file in plan.files})
    assert left()[1] == {}


@pytest.mark.parametrize(
    ("settings", "file"),
    [
        ("pythonpath = ['tf2']\n[models.net]\nbuilder = 'run:build_net'\n", "tf2/run.py"),
        ("[models.net]\nbuilder = 'tf2.run:build_net'\n", "tf2/run.py"),
        ("pythonpath = ['lib']\n[models.net]\nbuilder = 'net:build_net'\n", "lib/net/__init__.py"),
    ],
)
def test_what_is_configured_from_another_folder_is_not_proposed_again(make_repository, monkeypatch, settings, file):
    net = "import keras\ndef build_net(width):\n    return keras.Sequential([])\n"
    project = make_repository(files={file: net, "run.py": "", "restore-guard.toml": settings})
    monkeypatch.setattr(interpreters, "choose", lambda *_: Interpreter(Path(sys.executable), "here"))
    with Repository(project.root) as repository:
        assert init.look(repository, project.root, {}).unusable == ()


def test_what_models_configured_by_hand_are_made_of_is_added_too(make_repository, monkeypatch):
    settings = "[models.net]\nbuilder = 'tf2.run:build_net'\n"
    project = make_repository(files={"README.md": ""})
    project.write({"restore-guard.toml": settings, "tf2/run.py": "", "tf2/notes.txt": ""})
    signature = msgspec.structs.replace(module(kernel=(2, 3)), sources=("README.md", "tf2/run.py"))
    written = dump(Manifest("net", ("tf-checkpoint",), signature)).decode()
    monkeypatch.setattr(update, "update", lambda *_, **__: project.write({"restore-manifest/net.json": written}) or [])
    with Repository(project.root) as repository:
        found = Survey("", config.load(repository.reader(repository.worktree()))[1], Interpreter(Path("p"), "here"), ())
        plan = init.plan(repository, found)
        assert plan.untracked == ()
        _, plan = init.write(Run(repository, {}), plan)
    assert plan.untracked == ("restore-guard.toml", "tf2/run.py"), "the configuration too"
    assert "  git add restore-guard.toml tf2/run.py " in init_text.render_written(plan)
    monkeypatch.setattr(update, "update", lambda *_, **__: (project.root / "restore-manifest/net.json").unlink() or [])
    with Repository(project.root) as repository:
        _, plan = init.write(Run(repository, {}), init.plan(repository, found))
    assert "restore-manifest" not in init_text.render_written(plan), "of what could not be built there is none"
