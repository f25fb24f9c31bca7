"""Every reader takes any bytes: it gives data or its own error, and no other exception."""

import contextlib
import json
import re
import struct
import time
import tracemalloc
from random import Random

import pytest
from fault_tables import CONFIG
from hypothesis import given, settings
from hypothesis import strategies as st
from signatures import module

from restore_guard import config, requirement_files
from restore_guard.actions import events
from restore_guard.build import Spot
from restore_guard.building import isolation
from restore_guard.change import affected, chances, environment_files, layout, pins_moved
from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.commands import joining
from restore_guard.discovery import models, modules
from restore_guard.environments import lockfiles
from restore_guard.errors import RestoreGuardError, UncheckedError, UsageError
from restore_guard.probe.readers import table
from restore_guard.promise import excerpts, manifest, merging, migrations
from restore_guard.promise.manifest import Accepted, Broken, Manifest, ManifestError
from restore_guard.promise.migrations import MigrationError

HISTORY = (Accepted(2, "reason", {"tf-checkpoint": Broken("partial", initial=("a",))}),)
OTHER = manifest.dump(Manifest("m", ("tf-checkpoint", "h5"), module(a=(2,), c=(3,)), epoch=1))
PROMISE = manifest.dump(Manifest("m", ("tf-checkpoint", "h5"), module(a=(2,), b=(3, 4)), epoch=2, history=HISTORY))
MIGRATIONS = b"""\
[[migration]]
from = 1
to = 2
reason = "x"
rename = [{ from = "a/**", to = "b/*" }]
drop = ["c"]
grow = [{ variable = "d", axis = 0, fill = "initial" }]
"""
LOCK = b"""\
version = 1
[[package]]
name = "tensorflow"
version = "2.15.1"
[package.metadata]
requires-dist = [{ name = "keras", specifier = ">=2" }]
"""
REQUIREMENTS = (
    b"-r other.txt\ntensorflow[gpu]==2.15.1 ; python_version < '3.12' \\\n  --hash=sha256:00\nkeras @ https://x/y.whl\n"
)
MESSAGE = b'{"id": "a", "result": {"signature": {"variables": [{"path": "a", "shape": [1, 2]}]}, "seconds": 1.5}}\n'
EVENT = b'{"pull_request": {"head": {"sha": "0123"}, "base": {"sha": "4567"}}, "before": "89ab"}'
REPORT = b'{"schema": 1, "base": "a", "head": "b", "models": [{"name": "m", "verdict": "restores", "findings": []}]}'
# The footer of a table: two handles, padding, a magic number.
TABLE = b"\0" * 20 + b"\x00\x08\x10\x08".ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
TOKENS = [
    b"\0",
    b"\xff",
    b"[",
    b"{",
    b'"',
    b"9" * 5000,
    b"-1",
    b"1e999",
    b"NaN",
    b"null",
    b"\\ud800",
    b"\n",
    b"[" * 3000,
]


VALUES = [b"0", b"-1", b"3", b"9" * 30, b"1.5", b"true", b'""', b'"x"', b'"a/kernel"', b"[]", b"{}", b"[[]]", b"[0, 0]"]
_VALUE = re.compile(rb'"[^"\n]*"|\b\d+\b|\[[^\[\]\n]*\]|\{[^{}\n]*\}')


def mutated(sample):
    """A sound file with some of its parts replaced, removed or doubled; and any bytes."""
    return st.randoms(use_true_random=False).map(lambda random: _mutated(random, sample))


def _mutated(random, sample):
    kind = random.random()
    if kind < 0.1:
        return random.randbytes(random.randrange(80))
    content = sample
    for _ in range(random.randrange(1, 6)):
        places = [match.span() for match in _VALUE.finditer(content)] if kind < 0.6 else []
        if places:  # one value in the place of another: what comes of it is mostly still read
            start, end = random.choice(places)
            token = random.choice([*VALUES, content[slice(*random.choice(places))]])
        else:
            start = random.randrange(len(content) + 1)
            end = start + random.randrange(13)
            token = random.choice(TOKENS) if random.random() < 0.5 else random.randbytes(random.randrange(5))
        content = content[:start] + token + content[end:]
    return content


def _config(content):
    for name in (config.SHARED_FILE, config.OWN_FILE):
        config.load({name: content}.get, rules=())


def _moves(content):
    for name in ("uv.lock", "pyproject.toml", "requirements.txt", "pixi.lock"):
        pins_moved.moves(name, content, LOCK)
        environment_files.dependencies_changed(content, LOCK)


def _lock(content):
    for name in ("requirements.txt", "uv.lock", ".python-version"):
        lockfiles.lock_of({name: content, "other.txt": content}.get)


def _answer(content):
    for line in content.splitlines():
        with contextlib.suppress(ValueError):
            isolation.checked(isolation.decode(line).result, lockfiles.Lock | int)


MERGES = (ManifestError, merging.MergeConflict)
SOURCE = b"""\
import random, numpy as np, tensorflow as tf
from keras.layers import Layer
class Net(tf.keras.Model):
    def __init__(self, width: "int" = 3, *rest):
        self.rows = [Layer(name) for name in {"a", "b"}]
def build(width=3) -> "Net | None":
    for item in set(random.sample([1], 1)):
        print(item, sep="")
    return Net(width)
"""


NOTEBOOK = json.dumps(
    {"cells": [{"cell_type": "code", "source": SOURCE.decode().splitlines(True)}, {"cell_type": "code", "source": "x"}]}
).encode()


def _source(content):
    for name in ("a.py", "a.ipynb"):
        models.candidates(modules.project({name: content, "b.py": SOURCE}.get, [name, "b.py"]))
    chances.chances(content)
    layout.points(content, Spot("a.py", 3, 3, 0, 5))
    diff = FileDiff("a.py", SOURCE.decode(), content.decode(errors="replace"))
    Diff({"a.py": diff}).edits  # noqa: B018


READERS = {
    "manifest": (PROMISE, lambda content: manifest.parse(content, "m.json", "m"), ManifestError),
    "trace": (PROMISE, lambda content: excerpts.trace(content, "m"), ()),
    "inputs": (PROMISE, excerpts.inputs, ()),
    "migrations": (MIGRATIONS, lambda content: migrations.parse(content, "m.toml"), MigrationError),
    "configuration": (CONFIG.encode(), _config, UsageError),
    "lock": (REQUIREMENTS, _lock, UncheckedError),
    "moves": (LOCK, _moves, ()),
    "requirements": (
        REQUIREMENTS,
        lambda content: list(requirement_files.entries(content.decode(errors="replace"))),
        (),
    ),
    "imports": (b"import a\nfrom . import b\nimport_module('c')\n", affected.imports, ()),
    "sources": (SOURCE, _source, ()),
    "notebook": (NOTEBOOK, _source, ()),
    "merge": (PROMISE, lambda content: merging.merged(PROMISE, OTHER, content, "m.json"), MERGES),
    "answer": (MESSAGE, _answer, ()),
    "table": (TABLE, None, table.Damaged),
    "event": (EVENT, None, RestoreGuardError),
    "report": (REPORT, None, RestoreGuardError),
}


def _of_a_file(name, path):
    def read(content):
        path.write_bytes(content)
        if name == "table":
            list(table.read(path))
        elif name == "event":
            events.payload({"GITHUB_EVENT_PATH": str(path)})
        else:
            joining.read([path])

    return read


@pytest.fixture(params=READERS)
def reader(request, tmp_path):
    """(a sound content, a function that reads any content and lets pass what is the reader's own error)."""
    sample, read, own = READERS[request.param]
    read = read or _of_a_file(request.param, tmp_path / "file")

    def try_it(content):
        begin = time.process_time()
        with contextlib.suppress(own or ZeroDivisionError):
            read(content)
        assert time.process_time() - begin < 2, content

    try_it(sample)
    return sample, try_it


def test_readers(reader):
    sample, try_it = reader
    tracemalloc.start()
    try:
        settings(max_examples=60, database=None)(given(mutated(sample))(try_it))()
        assert tracemalloc.get_traced_memory()[1] < 500 * 1024**2
    finally:
        tracemalloc.stop()


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_readers_for_long(reader):
    """67 000 inputs each, by a generator of its own: hypothesis takes longer to think of one than most take to read."""
    resource = pytest.importorskip("resource")
    sample, try_it = reader
    before, random = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, Random(0)
    for number in range(67_000):
        content = _mutated(random, sample)
        try:
            try_it(content)
        except Exception as error:
            raise AssertionError(f"input {number}: {content[:2000]!r}") from error
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500 * 1024


LONG_RUN_FOUND = {
    "migrations": MIGRATIONS.replace(b"from = 1\n", b"from = " + b"9" * 5000 + b"\n"),
    "manifest": PROMISE.replace(b'"epoch": 2', b'"epoch": 2, "epoch": 3', 1) + b"]",
    "sources": SOURCE.replace(b'"Net | None"', b'"Ne\\ud800"'),
    "notebook": b'{"cells": [3, {"cell_type": "code", "source": [1]}, {"cell_type": "code", "source": 2}]}',
}


@pytest.mark.parametrize("reader", LONG_RUN_FOUND, indirect=True)
def test_what_the_long_run_found(reader, request):
    reader[1](LONG_RUN_FOUND[request.node.callspec.params["reader"]])
