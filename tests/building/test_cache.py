"""The cache of builds: what it gives is what a fresh build gives, and what changes nothing is not built again."""

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest
from conftest import PAGE, PAGE_MODELS, rename, settings

from restore_guard.build import Job
from restore_guard.building import cache, isolation, probing
from restore_guard.building.side_files import Tree
from restore_guard.change.repository import Repository
from restore_guard.environments import installed

MODEL = '''\
"""A model made of much that can change."""
import json
import os

import tensorflow as tf

from library import parts
from library.parts import WIDTHS

try:
    import extra
except ImportError:
    extra = None

HERE = os.path.dirname(os.path.abspath(__file__))


class Net(tf.keras.Model):
    """Rows of layers."""

    def __init__(self, units):
        super().__init__()
        self.first = tf.keras.layers.Dense(units, name="first")
        self.rows = (tf.keras.layers.Dense(2), tf.keras.layers.Dense(2))
        self.stack = tuple(parts.make(width) for width in WIDTHS)

    def call(self, x):
        for layer in [self.first, *self.rows, *self.stack]:
            x = layer(x)
        return x


def build():
    with open(os.path.join(HERE, "settings.json")) as file:
        units = json.load(file)["units"]
    if extra is not None:
        units += extra.MORE
    if os.path.exists(os.path.join(HERE, "local.json")):
        units += 1
    units += len(os.listdir(os.path.join(HERE, "plugins")))
    units += int(os.environ.get("MODEL_UNITS", "0"))
    if tf.io.gfile.exists(os.path.join(HERE, "words.txt")):
        units += len(tf.io.gfile.GFile(os.path.join(HERE, "words.txt")).read().split())
    model = Net(units)
    model(tf.zeros([1, 4]))
    return model
'''

FILES = {
    "model.py": MODEL,
    "settings.json": '{"units": 3}',
    "plugins/one.txt": "",
    "library/__init__.py": "",
    "library/parts.py": """\
import tensorflow as tf

WIDTHS = [5, 6]


def make(width):
    return tf.keras.layers.Dense(width)
""",
    "unrelated.py": "x = 1\n",
}


def _replaced(path, old, new):
    assert old in FILES[path], (path, old)
    return {path: FILES[path].replace(old, new)}


# What changes nothing in substance: not one of these may cost a build.
NEUTRAL = {
    "comment": _replaced("model.py", "        self.rows", "        # rows\n        self.rows"),
    "docstring": _replaced("model.py", "Rows of layers.", "Rows.\n\n    And more of them."),
    "blank lines in a library": _replaced("library/parts.py", "\n\n\ndef", "\n# one\n\n\n\ndef"),
    "spread over lines": _replaced(
        "model.py",
        "(tf.keras.layers.Dense(2), tf.keras.layers.Dense(2))",
        "(\n            tf.keras.layers.Dense(2),\n"
        "            tf.keras.layers.Dense(\n                2\n            ),\n        )",
    ),
    "joined lines": _replaced("model.py", 'name="first")\n        self.rows', 'name="first"); self.rows'),
    "unrelated module": {"unrelated.py": "x = 2\n"},
    "unrelated file": {"notes/todo.md": "more\n"},
    "another data file": {"other.json": "{}"},
}
# What may change the model, and does in most cases: the cache must see it.
REAL = {
    "units": _replaced("model.py", "tf.zeros([1, 4])", "tf.zeros([1, 5])"),
    "attribute": {"model.py": MODEL.replace("self.first", "self.erste")},
    "order on one line": _replaced("model.py", "[self.first, *self.rows", "[*self.rows, self.first"),
    "number in a library": _replaced("library/parts.py", "[5, 6]", "[5, 7]"),
    "data": {"settings.json": '{"units": 4}'},
    "file that was absent": {"local.json": "{}"},
    "one more in a listed folder": {"plugins/two.txt": ""},
    "module that was absent": {"extra.py": "MORE = 2\n"},
    "package that was absent": {"extra/__init__.py": "MORE = 3\n"},
    "module that comes first": {"json.py": "def load(file):\n    return {'units': 9}\n"},
    "package that hides a module": {"library/parts/__init__.py": FILES["library/parts.py"].replace("6", "8")},
    "file that TensorFlow reads": {"words.txt": "a b c"},
    "other file that TensorFlow reads": {"words.txt": "a b c d"},
    "class": _replaced("library/parts.py", "Dense(width)", "LayerNormalization()"),
}


@pytest.fixture(scope="module")
def probe(keras3):
    with probing.Probe(keras3) as probe:
        yield probe


@pytest.fixture(scope="module")
def python(keras3):
    return installed.ask(keras3, isolation.environment(os.environ))


class Bench:
    """A folder of files that is built from the cache and afresh."""

    def __init__(self, root, probe, python):
        self.root, self.probe, self.installed = root / "project", probe, python
        self.folder = root / "cache"
        self.environ = isolation.environment({**os.environ, "KERAS_HOME": str(root)})

    def cache(self):
        return cache.Cache(self.folder, self.installed, self.environ)

    def tree(self):
        repository = Repository(self.root)
        return Tree(repository, repository.worktree())

    def write(self, files):
        shutil.rmtree(self.root, ignore_errors=True)
        for path, content in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(content)
        subprocess.run(["git", "init", "--quiet", self.root], check=True)

    def job(self, builder="model:build", **options):
        return Job(f"{time.monotonic()}", self.root, builder, worktree=self.root, **options)

    def fresh(self, job):
        return self.probe.run([job])[job.id]

    def keep(self, job=None):
        job = job or self.job()
        time.sleep(0.1)  # what was written in this moment is not taken for what was read
        kept = self.cache()
        build = self.fresh(job)
        kept.keep(job, self.tree(), build)
        kept.make_room()
        return build


@pytest.fixture
def bench(tmp_path, probe, python):
    return Bench(tmp_path, probe, python)


@pytest.mark.tensorflow
def test_a_kept_build_is_what_a_fresh_one_is(bench):
    """Through all edits and back, each from what all earlier ones left in the cache."""
    job = bench.job()
    bench.write(FILES)
    first = bench.keep()
    assert first.failure is None and first.trace.opaque == ()
    signatures = {}
    for name, edit in {**NEUTRAL, **REAL}.items():
        bench.write(FILES | edit)
        time.sleep(0.1)
        kept, tree = bench.cache(), bench.tree()
        found, fresh = kept.find(job, tree), bench.fresh(job)
        assert fresh.failure is None, (name, fresh.failure)
        signatures[name] = fresh.signature
        if name in NEUTRAL:
            assert found is not None, name
            assert (found.strategy, found.seconds) == (first.strategy, first.seconds)
        if found is not None:
            assert found.signature == fresh.signature, name
        else:
            kept.keep(job, tree, fresh)
    for name, edit in {**REAL, **NEUTRAL}.items():
        bench.write(FILES | edit)
        assert bench.cache().find(job, bench.tree()).signature == signatures[name], name
    assert sum(signature.without_sites() != first.signature.without_sites() for signature in signatures.values()) >= 13
    assert signatures["spread over lines"] != first.signature
    assert signatures["joined lines"] != first.signature


@pytest.mark.tensorflow
def test_the_environment_counts(bench, keras3):
    job = bench.job()
    bench.write(FILES)
    bench.keep()

    def found(**environ):
        given = isolation.environment({**os.environ, "KERAS_HOME": bench.environ["KERAS_HOME"]}) | environ
        return cache.Cache(bench.folder, bench.installed, given).find(job, bench.tree())

    assert found() is not None
    assert found(MODEL_UNITS="2") is None
    assert found(TF_USE_LEGACY_KERAS="1") is None
    assert found(COLUMNS="7", PRE_COMMIT="1", GIT_DIR="x") is not None
    (bench.root.parent / "keras.json").write_text('{"floatx": "float64"}')
    assert found() is None


@pytest.mark.tensorflow
def test_versions_of_what_the_build_imports_count_and_others_do_not(bench):
    job = bench.job()
    bench.write(FILES)
    bench.keep()
    versions = bench.installed.versions

    def found(**changed):
        other = installed.Installed(bench.installed.version, bench.installed.path, bench.installed.prefixes)
        other.__dict__["versions"] = {**versions, **{name.replace("_", "-"): v for name, v in changed.items()}}
        return cache.Cache(bench.folder, other, bench.environ).find(job, bench.tree())

    assert found() is not None
    assert found(keras="3.15.2") is None
    assert found(tensorflow_cpu="2.21.1") is None
    assert found(numpy="1.0") is None
    assert found(keras_hub="0.33") is not None
    assert found(never_installed="1.0") is not None


@pytest.mark.tensorflow
def test_a_module_that_no_distribution_has_installed_counts_by_its_content(bench, tmp_path):
    place = tmp_path / "lib" / "site-packages"
    place.mkdir(parents=True)
    (place / "stray.py").write_text("UNITS = 2\n")
    source = f"import sys; sys.path.append({str(place)!r})\nimport stray, tensorflow as tf\ndef build():\n"
    bench.write({"model.py": source + "    return tf.train.Checkpoint(x=tf.Variable([0] * stray.UNITS))\n"})
    known = bench.installed
    bench.installed = installed.Installed(known.version, (*known.path, str(place)), known.prefixes)
    assert bench.keep().failure is None
    assert bench.cache().find(bench.job(), bench.tree()) is not None
    (place / "stray.py").write_text("UNITS = 3\n")
    assert bench.cache().find(bench.job(), bench.tree()) is None


@pytest.mark.tensorflow
def test_configuration_entries_are_kept_apart(bench):
    bench.write({"model.py": "import tensorflow as tf\ndef build(n=1):\n    return tf.Module(f'm{n}')\n"})
    bench.keep()
    assert bench.cache().find(bench.job(), bench.tree()) is not None
    assert bench.cache().find(bench.job(kwargs={"n": 2}), bench.tree()) is None
    assert bench.cache().find(bench.job(inputs=[{"shape": [1], "dtype": "float32"}]), bench.tree()) is None
    assert bench.cache().find(bench.job(pythonpath=["src"]), bench.tree()) is None


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "line",
    [
        "import subprocess; subprocess.run(['true'])",
        "import multiprocessing; multiprocessing.get_context('spawn').Process(target=print).start()",
        "tf.function(tf.io.read_file).get_concrete_function(tf.TensorSpec([], tf.string))",
        "open('new.txt', 'w'); raise ValueError('no')",
    ],
)
def test_what_cannot_be_followed_or_fails_is_not_kept(bench, line):
    bench.write({"model.py": f"import os\nimport tensorflow as tf\ndef build():\n    {line}\n    return tf.Module()\n"})
    bench.keep()
    assert not (bench.folder / "builds").exists()


@pytest.mark.tensorflow
def test_a_file_that_is_written_during_the_run_is_not_taken_for_what_was_built(bench):
    bench.write(FILES)
    job, kept = bench.job(), bench.cache()
    build = bench.fresh(job)
    (bench.root / "settings.json").write_text('{"units": 30}')
    kept.keep(job, bench.tree(), build)
    assert not (bench.folder / "builds").exists()


@pytest.mark.tensorflow
def test_damage_and_foreign_files_are_ignored(bench):
    job = bench.job()
    bench.write(FILES)
    build = bench.keep()
    (record,) = bench.folder.glob("builds/*/*")
    whole = record.read_bytes()
    (record.parent / "README").write_text("not ours")
    (record.parent / ("0" * 64)).mkdir()
    for damaged in (whole[:-1], whole[:200], b"", whole[:300] + b"x" + whole[301:], os.urandom(500), whole + b"x"):
        record.write_bytes(damaged)
        assert bench.cache().find(job, bench.tree()) is None
    # Nor is a record of somebody else's under another name.
    record.write_bytes(whole)
    record.rename(record.with_name("1" * 64))
    assert bench.cache().find(job, bench.tree()) is None
    bench.keep()
    assert bench.cache().find(job, bench.tree()).signature == build.signature


@pytest.mark.tensorflow
def test_runs_side_by_side_and_a_bounded_size(bench, monkeypatch):
    job = bench.job()
    bench.write(FILES)
    time.sleep(0.1)
    kept = [bench.cache() for _ in range(8)]
    build = bench.fresh(job)
    threads = [threading.Thread(target=one.keep, args=(job, bench.tree(), build)) for one in kept]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (record,) = bench.folder.glob("builds/*/*")
    assert bench.cache().find(job, bench.tree()).signature == build.signature

    # The least recently used goes first, and nothing that is not of the cache.
    mine = bench.folder / "builds/mine/data.bin"
    mine.parent.mkdir()
    mine.write_bytes(b"0" * 100_000)
    os.utime(mine, (1, 1))
    monkeypatch.setattr(cache, "_LIMIT", record.stat().st_size * 5 // 2)
    for units in (4, 5):
        bench.write(FILES | {"settings.json": f'{{"units": {units}}}'})
        bench.keep()
        bench.write(FILES)
        assert bench.cache().find(job, bench.tree()) is not None
    assert len(list(bench.folder.glob("builds/*/*"))) == 3 and mine.exists()
    bench.write(FILES | {"settings.json": '{"units": 4}'})
    assert bench.cache().find(job, bench.tree()) is None


@pytest.mark.tensorflow
def test_a_folder_that_cannot_be_written_is_no_error(bench):
    bench.write(FILES)
    bench.folder.write_text("a file")
    bench.keep()
    assert bench.cache().find(bench.job(), bench.tree()) is None


def _counting(python, folder):
    """(a Python that does as this one does, the file to which it adds a line for each probe that it starts)."""
    own, starts = folder / "python", folder / "starts"
    own.write_text(f'#!/bin/sh\ncase "$1" in */probe) echo >>{starts};; esac\nexec {python} "$@"\n')
    own.chmod(0o755)
    return own, starts


@pytest.mark.tensorflow
def test_nothing_is_built_for_a_comment_in_the_file_of_a_layer(keras2, make_repository, tmp_path):
    python, starts = _counting(keras2, tmp_path)
    case = Path(__file__).parents[1] / "cases" / "comment-on-custom-layer"
    base, head = ((case / side / "build.py").read_text() for side in ("base", "head"))
    project = make_repository(files={"build.py": base})
    project.commit({"pyproject.toml": settings(python, {"m": 'builder = "build:build"'})})
    assert project.run("update").code == 0
    project.commit()
    assert project.check("--all").code == 0 and starts.exists(), "as a hook does when the manifest is committed"
    starts.unlink()
    project.commit({"build.py": head})
    run = project.check("--base", "HEAD~", "--head", "HEAD")
    assert (run.code, [model["verdict"] for model in run.report["models"]]) == (0, ["restores"])
    assert not starts.exists()


@pytest.mark.tensorflow
def test_the_command_imports_no_tensorflow_for_a_comment(keras3, make_repository, tmp_path):
    """And says the same as if it did, also of lines."""
    python, starts = _counting(keras3, tmp_path)
    project = make_repository(files={"page.py": PAGE})
    project.commit({"pyproject.toml": settings(python, {"subclassed": PAGE_MODELS["subclassed"]})})
    project.run("update")
    project.commit()

    def started(run):
        count = len(starts.read_text().splitlines()) if starts.exists() else 0
        starts.unlink(missing_ok=True)
        return run.code, count

    assert started(project.check("--all", "--witness", "never"))[0] == 0
    project.edit("page.py", "    def __init__(self):\n        super().__init__()\n        self.dense_1", DOCUMENTED)
    assert started(project.check()) == (0, 0)
    project.commit()
    line = rename(project)
    run = project.check("--witness", "never")
    assert started(run) == (1, 1)
    project.edit("page.py", "class CustomELU", "# not for long\nclass CustomELU")
    again = project.check("--witness", "never")
    assert started(again) == (1, 1), "both sides are kept; the repair that is suggested is built to be tried"
    assert again.findings() == run.findings()
    assert ("variable-renamed", line) in {(finding[0], finding[3]) for finding in run.findings()}


DOCUMENTED = '''\
    def __init__(self):
        """Makes two layers,

        one after the other."""
        super().__init__()
        # the first
        self.dense_1'''
