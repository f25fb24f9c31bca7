"""No rule is without an input that raises it: a real change of a real repository, checked by the command."""

import json
import shutil

import pytest
from conftest import SMALL, Project, settings, sharing
from test_rules import CONTRACT, PAIRS

from restore_guard.rules import RULES, explaining

pytestmark = pytest.mark.tensorflow

# The layers come in the order of a set, which another process goes through in another one.
SORTED = """\
import tensorflow as tf


def build():
    x = inputs = tf.keras.Input((4,))
    for name in sorted(["red", "green", "blue", "white", "black"]):
        x = tf.keras.layers.Dense(4, name=name)(x)
    return tf.keras.Model(inputs, x)
"""
BREAK = SMALL.replace("Dense(3)", "Dense(5)")
HELD = """\
import tensorflow as tf


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.scale = tf.Variable(1.0)


def build():
    return Net()
"""
FILES = dict.fromkeys(("failing", "unread", "unpromised", "gone", "accepted"), SMALL)
CARRIED = ("migrated", "misled")
CHANGED = {
    "failing": SMALL.replace("    return", '    raise ValueError("no")\n    return'),
    "accepted": BREAK,
    **dict.fromkeys(CARRIED, HELD.replace("self.scale", "self.factor")),
    "drawn": SORTED.replace("sorted(", "set("),
}
PAIRED = [name for name, rule in RULES.items() if rule.example.pair is not None and not rule.example.crossed]
RAISED_BY = {
    "build-failed": "failing",
    "manifest-invalid": "unread",
    "manifest-missing": "unpromised",
    "model-removed": "gone",
    "break-accepted": "accepted",
    "break-migrated": "migrated",
    "migration-invalid": "misled",
    "manifest-stale": "inputs_changed",
    "nondeterministic-build": "drawn",
    "framework-changed": "drawn",
    "rollback-broken": "accepted",
} | {name: name.replace("-", "_") for name in PAIRED}


@pytest.fixture(scope="module")
def raised(keras3, warm_environ, tmp_path_factory):
    """{(model, rule)} of one change in which everything happens, and of a damaged file."""
    folder = tmp_path_factory.mktemp("raised")
    with sharing(warm_environ):
        project = Project(folder / "project", folder / "home")
    models = {name: f'builder = "{name}:build"' for name in [*FILES, *CARRIED, "drawn"]}
    for rule in PAIRED:
        name, paths = rule.replace("-", "_"), '["tf-checkpoint", "keras-weights"]'
        paths = '["keras-archive"]' if rule == "config-incompatible" else paths
        models[name] = f'builder = "{name}:build"\nrestores = {paths}'
        shutil.copy(PAIRS / RULES[rule].example.pair / "base.py", project.root / f"{name}.py")
    project.write({f"{name}.py": content for name, content in FILES.items()} | {"drawn.py": SORTED})
    project.write({f"{name}.py": HELD for name in CARRIED})
    project.write({"pyproject.toml": settings(keras3, models), "requirements.txt": "tensorflow==2.20.0\n"})
    assert project.run("update").code == 0
    project.commit(message="base")

    project.write({f"{name}.py": content for name, content in CHANGED.items()})
    for rule in PAIRED:
        name = rule.replace("-", "_")
        shutil.copy(PAIRS / RULES[rule].example.pair / "head.py", project.root / f"{name}.py")
    assert project.run("update", "accepted", "--accept-break", "wider").code == 0
    assert project.run("update", *CARRIED, "--migrate", "a better name").code == 0
    project.edit("restore-manifest/misled.migrations.toml", 'to = "factor"', 'to = "elsewhere"')
    manifests = project.root / "restore-manifest"
    (manifests / "unread.json").write_text("<<<<<<< HEAD\n")
    (manifests / "unpromised.json").unlink()
    del models["gone"]
    later = settings(keras3, models, rollback="warning")
    project.write({"pyproject.toml": later, "requirements.txt": "tensorflow==2.21.0\n"})
    project.commit(message="head")
    runs = [
        project.check("--base", "HEAD~", "--head", "HEAD", "--witness", "never"),
        project.check("behaviour_changed", "--base", "HEAD~", "--head", "HEAD", "--witness", "always"),
    ]
    found = {
        (model["name"], each["rule"]) for run in runs for model in run.report["models"] for each in model["findings"]
    }
    (project.root / "broken.weights.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    audit = json.loads(project.run("audit", "broken.weights.h5", "--format", "json").stdout)
    found |= {("broken.weights.h5", each["rule"]) for each in audit["findings"]}
    return found


@pytest.mark.parametrize("rule", sorted(CONTRACT))
def test_a_rule_is_raised(raised, rule):
    assert (RAISED_BY.get(rule, "broken.weights.h5"), rule) in raised, sorted(raised)


def test_every_rule_about_variables_has_a_pair():
    assert set(explaining()) <= set(PAIRED)
