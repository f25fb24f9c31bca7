"""What a model is made of besides its modules: a change of any of it is checked, and is found to be a break."""

import os

import pytest
from conftest import settings

SIZED = """\
import glob
import os
import sys

import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))


def model(units):
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3 + units)])


"""
BUILDERS = {
    "link": 'return model(len(open(os.path.join(HERE, "current.txt")).read()))',
    "folder": 'return model(len(open(os.path.join(HERE, "current/words.txt")).read()))',
    "module": "import linked\n    return model(linked.UNITS)",
    "plugins": "import plugins\n    return model(len(plugins.FOUND))",
    "globbed": 'return model(len(glob.glob(os.path.join(HERE, "parts", "*.txt"))))',
    "optional": 'return model(os.path.exists(os.path.join(HERE, "local.json")))',
    "attempted": "try:\n        return model(len(open('more.txt').read()))\n"
    "    except FileNotFoundError:\n        return model(0)",
    "named": "import importlib\n    try:\n        return model(importlib.import_module('ex' + 'tra').UNITS)\n"
    "    except ImportError:\n        return model(0)",
    "sibling": 'sys.path.insert(0, os.path.join(HERE, "..", "shared"))\n    import beside\n'
    "    return model(beside.UNITS)",
    "size": 'return model(os.path.getsize(os.path.join(HERE, "data.bin")))',
    "by_tensorflow": 'return model(words(os.path.join(HERE, "words.txt")))',
    "in_a_function": "return model(counted())",
    "bytecode": "import compiled\n    return model(compiled.UNITS)",
    "opaque": "import subprocess\n    told = subprocess.run(['cat', 'told.txt'], capture_output=True)\n"
    "    return model(len(told.stdout))",
}
FILES = {
    "one.txt": "a",
    "two.txt": "ab",
    "v1/words.txt": "a",
    "v2/words.txt": "ab",
    "first.py": "UNITS = 1\n",
    "second.py": "UNITS = 2\n",
    "plugins/__init__.py": "import importlib, pkgutil\nFOUND = [importlib.import_module(f'plugins.{m.name}') for m in "
    "pkgutil.iter_modules(__path__)]\n",
    "plugins/one.py": "",
    "parts/one.txt": "",
    "../shared/beside.py": "UNITS = 1\n",
    "data.bin": "1",
    "words.txt": "a",
    "counted.txt": "a",
    "told.txt": "a",
    "NOTES.md": "first\n",
}
LINKS = {"current.txt": "one.txt", "current": "v1", "linked.py": "first.py"}
LATER_LINKS = {"current.txt": "two.txt", "current": "v2", "linked.py": "second.py"}
LATER = {
    "plugins/two.py": "",
    "parts/two.txt": "",
    "local.json": "{}",
    "more.txt": "ab",
    "extra/__init__.py": "UNITS = 2\n",
    "../shared/beside.py": "UNITS = 2\n",
    "data.bin": "12",
    "words.txt": "a b",
    "counted.txt": "a b",
    "told.txt": "ab",
}
READING = """\


def words(path):
    with tf.init_scope():
        return len(tf.io.read_file(path).numpy().split())


@tf.function
def inner():
    return tf.size(tf.strings.split(tf.io.read_file(os.path.join(HERE, "counted.txt"))))


def counted():
    with tf.init_scope():
        return int(inner())
"""


def link(root, links):
    for path, target in links.items():
        (root / path).unlink(missing_ok=True)
        (root / path).symlink_to(target)


def compiled(python, root, units):
    (root / "compiled.py").write_text(f"UNITS = {units}\n")
    os.system(f"cd {root} && {python} -c \"import py_compile; py_compile.compile('compiled.py', 'compiled.pyc')\"")
    (root / "compiled.py").unlink()


@pytest.mark.tensorflow
def test_each_kind_of_dependency_is_checked_when_it_changes(make_repository, keras3):
    project = make_repository()
    inside = project.root / "inside"
    source = SIZED + "\n\n".join(f"def {name}():\n    {body}\n" for name, body in BUILDERS.items()) + READING
    models = {name: f'builder = "net:{name}"' for name in BUILDERS} | {"untouched": 'builder = "other:untouched"'}
    other = SIZED + "def untouched():\n    return model(0)\n"
    files = FILES | {"net.py": source, "other.py": other, "pyproject.toml": settings(keras3, models)}
    project.write({f"inside/{path}": content for path, content in files.items()})
    link(inside, LINKS)
    compiled(keras3, inside, 1)
    project.commit()
    done = project.run("update")
    assert done.code == 0, done.stdout + done.stderr
    project.commit()

    def verdicts():
        run = project.check("--witness", "never")
        return {model["name"]: model["verdict"] for model in run.report["models"]}

    project.commit({"inside/NOTES.md": "second\n"})
    assert project.run("check", "--base", "HEAD~1").code == 0
    project.write({f"inside/{path}": content for path, content in LATER.items()})
    link(inside, LATER_LINKS)
    compiled(keras3, inside, 2)
    assert verdicts() == dict.fromkeys(BUILDERS, "breaks") | {"untouched": "unaffected"}
    # And again, from what the cache has kept.
    assert verdicts() == dict.fromkeys(BUILDERS, "breaks") | {"untouched": "unaffected"}
