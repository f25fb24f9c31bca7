"""Every reader takes any bytes: it gives data or its own error, and no other exception."""

import contextlib
import struct
import tracemalloc

import pytest
from fault_tables import CONFIG
from hypothesis import given, settings
from hypothesis import strategies as st
from signatures import module

from restore_guard import config, requirement_files
from restore_guard.actions import events
from restore_guard.building import isolation
from restore_guard.change import affected, environment_files, pins_moved
from restore_guard.commands import joining
from restore_guard.environments import lockfiles
from restore_guard.errors import RestoreGuardError, UncheckedError, UsageError
from restore_guard.probe.readers import table
from restore_guard.promise import manifest, migrations
from restore_guard.promise.manifest import Accepted, Broken, Manifest, ManifestError
from restore_guard.promise.migrations import MigrationError

HISTORY = (Accepted(2, "reason", {"tf-checkpoint": Broken("partial", initial=("a",))}),)
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
TREE = b"R100\0a.py\0b.py\0M\0c.py\0D\0d\0"
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


def mutated(sample):
    """A sound file with some of its parts replaced, removed or doubled; and any bytes."""
    places = st.tuples(st.integers(0, len(sample)), st.integers(0, 12), st.sampled_from(TOKENS) | st.binary(max_size=4))

    def apply(edits):
        content = sample
        for start, length, token in edits:
            content = content[:start] + token + content[start + length :]
        return content

    return st.lists(places, max_size=5).map(apply) | st.binary(max_size=80)


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


READERS = {
    "manifest": (PROMISE, lambda content: manifest.parse(content, "m.json", "m"), ManifestError),
    "trace": (PROMISE, lambda content: manifest.trace(content, "m"), ()),
    "inputs": (PROMISE, manifest.inputs, ()),
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


@pytest.mark.parametrize("examples", [60, pytest.param(80_000, marks=pytest.mark.long)])
@pytest.mark.parametrize("reader", READERS)
def test_readers(tmp_path, reader, examples):
    sample, read, own = READERS[reader]
    read = read or _of_a_file(reader, tmp_path / "file")

    @settings(max_examples=examples, database=None)
    @given(mutated(sample))
    def try_it(content):
        with contextlib.suppress(own or ZeroDivisionError):
            read(content)

    with contextlib.suppress(own or ZeroDivisionError):
        read(sample)
    tracemalloc.start()
    try:
        try_it()
        assert tracemalloc.get_traced_memory()[1] < 500 * 1024**2
    finally:
        tracemalloc.stop()


def test_a_number_of_5000_digits_in_migrations():
    """What the long run found."""
    with pytest.raises(MigrationError, match="not valid TOML"):
        migrations.parse(MIGRATIONS.replace(b"from = 1\n", b"from = " + b"9" * 5000 + b"\n"), "m.toml")
