"""Which models a change touches: missing one would be a false green, so most tests are about not missing."""

import posixpath
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore_guard.change import affected as affected_module
from restore_guard.change.affected import (
    View,
    affected,
    closure,
    loading,
    relative_to,
)
from restore_guard.change.states import Change
from restore_guard.config import Config, Ignore, Model
from restore_guard.signature import Reads

PROJECT = {
    "ranker/__init__.py": "",
    "ranker/model.py": "from . import layers\nfrom shared.math import gelu\nimport tensorflow as tf",
    "ranker/layers.py": "def f():\n    from ranker.deep import inner",
    "ranker/deep/__init__.py": "",
    "ranker/deep/inner.py": "",
    "src/shared/__init__.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import shared.types",
    "src/shared/math.py": "try:\n    import fast_gelu\nexcept ImportError:\n    import slow_gelu",
    "src/shared/types.py": "",
    "src/slow_gelu.py": "",
    "other/model.py": "",
    "README.md": "",
}
CONFIG = Config(
    pythonpath=("src",),
    models={
        "ranker": Model("ranker.model:build", paths=("configs/**/*.yaml", "vocab")),
        "other": Model("other.model:build"),
    },
)


def reader(files):
    return lambda path: files[path].encode() if path in files else None


def view(files=PROJECT, config=CONFIG, **sources):
    traces = {name: found if isinstance(found, Reads) else Reads(tuple(found)) for name, found in sources.items()}
    return View(config, reader(files), traces)


def closure_of(files, module="m", roots=("",)):
    return closure(reader(files), module, roots)


# --- closure


def test_closure_reaches_every_import_of_the_project():
    files = closure_of(PROJECT, "ranker.model", ["", "src"]).files
    assert files == PROJECT.keys() - {"other/model.py", "README.md"}


@pytest.mark.parametrize(
    ("source", "reached"),
    [
        ("import a.b", {"a/__init__.py", "a/b.py"}),
        ("import a.b as c", {"a/__init__.py", "a/b.py"}),
        ("from a import b", {"a/__init__.py", "a/b.py"}),
        ("from a import *", {"a/__init__.py"}),
        ("from a.b import Thing", {"a/__init__.py", "a/b.py"}),
        ("import a.b.c", {"a/__init__.py", "a/b.py"}),  # a module has no submodules
        ("import n.x", {"n/x.py"}),  # a namespace package
        ("import importlib\nimportlib.import_module('a.b', 'p')", {"a/__init__.py", "a/b.py"}),
        ("from importlib import import_module\nimport_module('a')", {"a/__init__.py"}),
        ("import importlib\nimportlib.import_module(name)", set()),
        ("class C:\n  def f(self):\n    if x:\n      import a", {"a/__init__.py"}),
        ("# -*- coding: latin-1 -*-\nimport a", {"a/__init__.py"}),
        ("import a\n\ndef broken(:", set()),
        ("import a\0", set()),
        ("x = '\\d'\nimport a", {"a/__init__.py"}),
        ("(" * 5000 + "\nimport a", set()),
        ("import tensorflow", set()),
        ("", set()),
    ],
)
@pytest.mark.filterwarnings("error")
def test_closure_of_one_import(source, reached):
    files = {"m.py": source, "a/__init__.py": "", "a/b.py": "", "a/b/c.py": "", "a/c.py": "", "n/x.py": ""}
    assert closure_of(files).files == reached | {"m.py"}


@pytest.mark.parametrize(
    ("source", "reached"),
    [
        ("from . import x", {"p/q/x.py"}),
        ("from .x import thing", {"p/q/x.py"}),
        ("from .. import y", {"p/y.py"}),
        ("from ..y import thing", {"p/y.py"}),
        ("import importlib\nimportlib.import_module('..y', __package__)", {"p/y.py"}),
        ("from ..... import y", set()),
        ("from . import q", set()),
    ],
)
def test_closure_of_relative_imports(source, reached):
    parents = {"p/__init__.py": "", "p/q/__init__.py": ""}
    rest = {"p/q/x.py": "", "p/y.py": "", "y.py": "", "x.py": ""}
    module = closure_of({**parents, **rest, "p/q/m.py": source}, "p.q.m")
    assert module.files == {*parents, "p/q/m.py"} | reached
    package = closure_of({**parents, **rest, "p/q/__init__.py": source}, "p.q")
    assert package.files == {*parents} | reached


def test_packages_run_their_parents_imports():
    files = {"p/__init__.py": "import helper", "p/m.py": "", "helper.py": ""}
    assert closure_of(files, "p.m").files == files.keys()


def test_closure_takes_the_first_root_and_notes_what_would_shadow():
    files = {"src/m.py": "", "lib/m.py": ""}
    found = closure_of(files, "m", ["", "src/", "./lib"])
    assert found.files == {"src/m.py"}
    assert found.candidates == {"m.py", "m/__init__.py", "src/m/__init__.py"}


def test_closure_with_cycles_ends():
    assert closure_of({"m.py": "import n", "n.py": "import m"}).files == {"m.py", "n.py"}


def test_a_namespace_package_has_a_portion_below_each_root():
    files = {"b/__init__.py": "import a.b", "src/a/b.py": "from . import a", "a/a.py": "", "a/c.py": ""}
    assert closure_of(files, "b", ["", "src"]).files == {"b/__init__.py", "src/a/b.py", "a/a.py"}


def test_builder_module_that_does_not_exist_has_candidates():
    found = closure_of({}, "a.b")
    assert found.files == frozenset()
    assert {"a.py", "a/__init__.py", "a/b.py", "a/b/__init__.py"} <= found.candidates


NAMES = ["a", "b", "c"]
PATHS = [f"{folder}{name}.py" for folder in ["", "a/", "b/", "src/", "src/a/"] for name in [*NAMES, "__init__"]]
MODULES = [*NAMES, "a.b", "a.c", "b.a"]
SOURCES = st.lists(
    st.sampled_from([f"import {m}" for m in MODULES] + ["from . import a", "from .b import c", "from a import b"])
).map("\n".join)
TREES = st.dictionaries(st.sampled_from(PATHS), SOURCES)


@given(TREES, st.sampled_from(MODULES))
def test_closure_holds_existing_files_and_candidates_hold_missing_ones(files, module):
    found = closure_of(files, module, ["", "src"])
    assert found.files <= files.keys()
    assert not found.candidates & files.keys()


@given(TREES, st.sampled_from(MODULES), st.sampled_from(PATHS))
def test_an_added_file_that_is_no_candidate_changes_nothing(files, module, path):
    before = closure_of(files, module, ["", "src"])
    if path not in files and path not in before.candidates:
        assert closure_of({**files, path: ""}, module, ["", "src"]) == before


@given(TREES, st.sampled_from(MODULES), st.lists(st.sampled_from(PATHS), min_size=1, unique=True))
def test_models_are_affected_by_exactly_the_paths_of_their_closure(files, module, paths):
    config = Config(pythonpath=("src",), models={"m": Model(f"{module}:f"), "n": Model("b:f")})
    side = view(files, config)
    found = affected([Change("M", path) for path in paths], side, side)
    for name, start in (("m", module), ("n", "b")):
        reached = frozenset().union(*closure_of(files, start, ["src", ""]))
        first = next((path for path in paths if path in reached), None)
        assert found.get(name) == (first and f"{first} changed")


@given(TREES, st.sampled_from(["a", "b", "c"]))
def test_closure_holds_all_that_python_itself_imports(tmp_path_factory, files, module):
    folder = tmp_path_factory.mktemp("project")
    for path, source in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(source)
    assert imported_by_python(folder, module) <= closure_of(files, module, ["", "src"]).files


def imported_by_python(folder, module):
    """The project's files among the modules that a real import loads, whether or not it ends in an error."""
    path, modules = list(sys.path), set(sys.modules)
    sys.path[:0] = [str(folder), str(folder / "src")]
    sys.dont_write_bytecode = True
    loaded = set()

    def note(frame, event, argument):
        file = frame.f_code.co_filename
        if frame.f_code.co_name == "<module>" and file.startswith(str(folder)):
            loaded.add(posixpath.relpath(file, folder))

    sys.setprofile(note)
    try:
        __import__(module)
    except (ImportError, AttributeError):
        pass
    finally:
        sys.setprofile(None)
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            del sys.modules[name]
        sys.path_importer_cache.clear()
    return loaded


# --- affected


def test_nothing_is_affected_by_other_files():
    for path in ["README.md", "docs/conf.py", "ranker/notes.txt", "configs/a.yml"]:
        assert affected([Change("M", path)], view(), view()) == {}
    assert affected([], view(), view()) == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Change("M", "ranker/model.py"), "ranker/model.py changed"),
        (Change("M", "src/slow_gelu.py"), "src/slow_gelu.py changed"),
        (Change("T", "ranker/layers.py"), "ranker/layers.py changed"),
        (Change("D", "ranker/layers.py"), "ranker/layers.py deleted"),
        (Change("R", "attic/layers.py", "ranker/layers.py"), "ranker/layers.py renamed"),
        (Change("R", "ranker/layers.py", "attic/layers.py"), "ranker/layers.py renamed"),
        (Change("A", "fast_gelu.py"), "fast_gelu.py added"),
        (Change("A", "src/fast_gelu/__init__.py"), "src/fast_gelu/__init__.py added"),
        (Change("A", "tensorflow.py"), "tensorflow.py added"),
        (Change("A", "src/ranker/__init__.py"), "src/ranker/__init__.py added"),
        (Change("M", "restore-manifest/ranker.json"), "restore-manifest/ranker.json changed"),
        (Change("D", "restore-manifest/ranker.json"), "restore-manifest/ranker.json deleted"),
        (
            Change("M", "restore-manifest/ranker.migrations.toml"),
            "restore-manifest/ranker.migrations.toml changed",
        ),
        (Change("M", "configs/a/b/c.yaml"), "configs/a/b/c.yaml changed"),
        (Change("M", "configs/c.yaml"), "configs/c.yaml changed"),
        (Change("R", "attic/c.yaml", "configs/c.yaml"), "configs/c.yaml renamed"),
        (Change("A", "vocab/en/words.txt"), "vocab/en/words.txt added"),
    ],
)
def test_one_model_is_affected(change, reason):
    assert affected([Change("M", "README.md"), change], view(), view()) == {"ranker": reason}


@pytest.mark.parametrize("side", ["base", "head"])
def test_sources_of_either_side_count(side):
    sides = {"base": view(), "head": view()} | {side: view(other=["data/table.csv", "gone.py"])}
    changes = [Change("M", "data/table.csv")]
    assert affected(changes, **sides) == {"other": "data/table.csv changed"}
    assert affected([Change("D", "gone.py")], **sides) == {"other": "gone.py deleted"}


@pytest.mark.parametrize("side", ["base", "head"])
@pytest.mark.parametrize(
    ("trace", "change", "reason"),
    [
        (Reads(looked_for=("local.json",)), Change("A", "local.json"), "local.json added"),
        (Reads(looked_for=("local.json",)), Change("M", "local.json"), "local.json changed"),
        (Reads(looked_for=("extra",)), Change("A", "extra/deep/__init__.pyi"), "extra/deep/__init__.pyi added"),
        (Reads(folders=("plugins",)), Change("A", "plugins/b.py"), "plugins/b.py added"),
        (Reads(folders=("plugins",)), Change("R", "attic/b.txt", "plugins/b.txt"), "plugins/b.txt renamed"),
        (Reads(folders=("plugins",)), Change("D", "plugins/deep/b.txt"), "plugins/deep/b.txt deleted"),
        (Reads(folders=("plugins",)), Change("M", "plugins/b.txt"), None),
        (Reads(folders=("plugins",)), Change("A", "more/plugins/b.txt"), None),
        (Reads(folders=("",)), Change("A", "new.txt"), "new.txt added"),
        (Reads(sources=("../shared/net.py",)), Change("M", "../shared/net.py"), "../shared/net.py changed"),
        (Reads(sources=("data/current",)), Change("T", "data/current"), "data/current changed"),
        (
            Reads(opaque=("subprocess.Popen",)),
            Change("M", "README.md"),
            "what its build depends on cannot be told (subprocess.Popen)",
        ),
    ],
)
def test_all_that_a_manifest_says_of_the_build_counts(side, trace, change, reason):
    sides = {"base": view(), "head": view()} | {side: view(other=trace)}
    assert affected([change], **sides) == ({"other": reason} if reason else {})


def test_without_a_change_nothing_is_affected_whatever_the_build_does():
    side = view(other=Reads(opaque=("subprocess.Popen",)))
    assert affected([], side, side) == {}


@pytest.mark.parametrize("path", ["src/slow_gelu.pyc", "fast_gelu.cpython-311-x86_64-linux-gnu.so", "fast_gelu.pyd"])
def test_modules_without_a_source_count(path):
    assert affected([Change("A", path)], view(), view()) == {"ranker": f"{path} added"}
    assert affected([Change("A", f"__pycache__/{path}")], view(), view()) == {}


@pytest.mark.parametrize("side", ["base", "head"])
def test_imports_of_either_side_count(side):
    importing = view({**PROJECT, "other/model.py": "import helper"})
    sides = {"base": view(), "head": view()} | {side: importing}
    assert affected([Change("M", "helper.py")], **sides) == {"other": "helper.py changed"}


def test_configuration_of_one_model():
    model = Model("other.model:build", kwargs={"width": 2})
    head = Config(pythonpath=("src",), models={**CONFIG.models, "other": model, "third": Model("x:f")})
    assert affected([Change("M", "pyproject.toml")], view(), view(config=head)) == {
        "other": "its configuration changed",
        "third": "new in the configuration",
    }


def test_removed_models_are_left_to_others():
    head = Config(pythonpath=("src",), models={"other": CONFIG.models["other"]})
    assert affected([Change("D", "ranker/model.py")], view(), view(config=head)) == {}
    assert affected([Change("D", "pyproject.toml")], view(), view(config=None)) == {}


@pytest.mark.parametrize(
    "setting",
    [{"python": "p"}, {"environment": "per-commit"}, {"pythonpath": ()}, {"carry": ("v.py",)}, {"manifests": "m"}],
)
def test_settings_that_decide_a_build_affect_all(setting):
    head = Config(**{"pythonpath": ("src",), "models": CONFIG.models, **setting})
    reason = f"{next(iter(setting))} changed in the configuration"
    assert affected([], view(), view(config=head)) == {"ranker": reason, "other": reason}


def test_settings_that_decide_no_build_affect_none():
    head = Config(
        pythonpath=("src",),
        models=CONFIG.models,
        timeout=1,
        rules={"variable-added": "off"},
        ignore=(Ignore("variable-added", "r"),),
    )
    assert affected([Change("M", "pyproject.toml")], view(), view(config=head)) == {}


def test_without_a_base_all_are_affected():
    assert affected([], None, view()).keys() == {"ranker", "other"}
    assert affected([], view(config=None), view()).keys() == {"ranker", "other"}


def test_environment_affects_all():
    reason = "uv.lock changed (environment)"
    assert affected([Change("M", "uv.lock")], view(), view()) == {"ranker": reason, "other": reason}
    renamed = affected([Change("R", "old.txt", "requirements.txt")], view(), view())
    assert renamed == dict.fromkeys(["ranker", "other"], "requirements.txt renamed (environment)")


@pytest.mark.parametrize("path", ["pyproject.toml", "../pyproject.toml", "libs/a/pyproject.toml"])
def test_pyproject_counts_by_its_dependencies(path):
    old, new = ({**PROJECT, path: f"project.dependencies = ['tensorflow{pin}']"} for pin in ["", "<3"])
    cosmetic = {**PROJECT, path: "tool.ruff.line-length = 3\n" + old[path]}
    assert affected([Change("M", path)], view(old), view(new)).keys() == {"ranker", "other"}
    assert affected([Change("D", path)], view(old), view()).keys() == {"ranker", "other"}
    assert affected([Change("M", path)], view(old), view(cosmetic)) == {}
    other = path.replace("../", "../other/")
    if other != path:
        assert affected([Change("M", other)], view({other: old[path]}), view({other: new[path]})) == {}


def test_no_file_is_read_without_need():
    def unread(path):
        raise AssertionError(f"{path} was read")

    side = View(CONFIG, unread, {"other": Reads(("other/model.py",)), "ranker": Reads(("other/model.py",))})
    assert affected([Change("M", "README.md"), Change("A", "a.yaml")], side, side) == {}
    assert affected([Change("M", "other/model.py")], side, side).keys() == {"other", "ranker"}


def test_each_file_is_read_and_parsed_once_a_side_however_many_models(monkeypatch):
    reads, parsed = Counter(), []
    imports = affected_module.imports
    monkeypatch.setattr(affected_module, "imports", lambda source: (parsed.append(source), imports(source))[1])

    def read(path):
        reads[path] += 1
        return reader(PROJECT)(path)

    config = Config(models={f"m{number}": Model("ranker.model:build") for number in range(200)})
    found = affected([Change("M", "ranker/deep/inner.py")], View(config, read), View(config, read))
    assert len(found) == 200
    assert set(reads.values()) == {2}
    assert 0 < len(parsed) <= len(reads) * 2


def test_git_is_not_imported():
    script = "import restore_guard.change.affected, sys; sys.exit('git' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


# --- helpers


def test_relative_to():
    changes = (Change("M", "a/b/c.py"), Change("R", "uv.lock", "a/x/y"), Change("D", "ab/c"))
    assert relative_to(changes, "") == changes
    assert relative_to(changes, "a/b") == (
        Change("M", "c.py"),
        Change("R", "../../uv.lock", "../x/y"),
        Change("D", "../../ab/c"),
    )


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a/*.yaml", "a/b.yaml", True),
        ("a/*.yaml", "a/b/c.yaml", False),
        ("./a/*.yaml", "a/b.yaml", True),
        ("**/b.yaml", "b.yaml", True),
        ("**/b.yaml", "x/y/b.yaml", True),
        ("**/b.yaml", "x/ab.yaml", False),
        ("a/**", "a/b/c", True),
        ("a/**", "ab/c", False),
        ("a/**/c", "a/c", True),
        ("a/**/c", "a/b/b/c", True),
        ("a", "a/b/c", True),
        ("a/", "a/b", True),
        ("a", "ab", False),
        ("a/b.csv", "a/b.csv", True),
        ("a/[bc]?.csv", "a/b1.csv", True),
        ("a/[!b].csv", "a/b.csv", False),
        ("*", "a/b", False),
        ("a.csv", "aXcsv", False),
    ],
)
def test_paths_patterns(pattern, path, matches):
    config = Config(models={"m": Model("m:f", paths=(pattern,))})
    side = view({}, config)
    assert bool(affected([Change("M", path)], side, side)) is matches


def test_a_model_is_affected_where_one_is_that_its_checkpoints_are_restored_into():
    config = Config(
        models={"train": Model("t:b", loads=("serving", "other")), "serving": Model("s:b"), "other": Model("o:b")}
    )
    reasons = {"serving": "serve.py changed"}
    told = "its checkpoints are restored into serving: serve.py changed"
    assert loading(reasons, config) == {"serving": "serve.py changed", "train": told}
    assert loading({"train": "train.py changed"}, config) == {"train": "train.py changed"}
    assert loading({}, config) == {}
