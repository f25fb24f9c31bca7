"""Checkpoint files that were made to mislead: each check sum is right, and none of it is what TensorFlow writes."""

import os
import struct
import subprocess
import time

import pytest

from restore_guard.building import checkpoint, probing
from restore_guard.errors import UsageError
from restore_guard.probe.readers import table


def _varint(value):
    value &= 2**64 - 1
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _message(**fields):
    """A message of protobuf: {f1: number or bytes}."""
    numbers = {int(name[1:]): value for name, value in fields.items()}
    return b"".join(
        _varint(number << 3 | 2) + _varint(len(value)) + value
        if isinstance(value, bytes)
        else _varint(number << 3) + _varint(value)
        for number, value in numbers.items()
    )


def _sealed(content):
    content += b"\0"
    return content + struct.pack("<I", table._masked(table._crc32c(content)))


def _block(entries):
    content = b"".join(b"\0" + _varint(len(key)) + _varint(len(value)) + key + value for key, value in entries)
    return _sealed(content + struct.pack("<II", 0, 1))


def _index(data):
    """An index as TensorFlow's table builder lays it out, around any block of entries."""
    meta = _block([])
    handles = [_varint(len(data) - 5), _varint(len(meta) - 5)]
    index = _block([(b"~", b"\0" + handles[0])])
    footer = _varint(len(data)) + handles[1] + _varint(len(data + meta)) + _varint(len(index) - 5)
    return data + meta + index + footer.ljust(40, b"\0") + struct.pack("<Q", table._MAGIC)


def _entry(shape=(1,), shard=0, offset=0, size=4):
    dims = b"".join(_message(f2=_message(f1=length)) for length in shape)
    return _message(f1=1, f2=dims, f3=shard, f4=offset, f5=size)


ONE = (b"", _message(f1=1))
BLOCKS = {
    "2**31 shards": _block([(b"", _message(f1=2**31 - 1)), (b"a", _entry())]),
    "100 000 shards": _block([(b"", _message(f1=100_000)), (b"a", _entry())]),
    "fewer than no shards": _block([(b"", _message(f1=-1)), (b"a", _entry())]),
    "a shard beyond the last": _block([ONE, (b"a", _entry(shard=7))]),
    "a shard before the first": _block([ONE, (b"a", _entry(shard=-1))]),
    "a tensor of 64 GB": _block([ONE, (b"a", _entry(shape=(1 << 17, 1 << 17)))]),
    "more values than can be counted": _block([ONE, (b"a", _entry(shape=(1 << 40, 1 << 40)))]),
    "an offset beyond all files": _block([ONE, (b"a", _entry(offset=2**62))]),
    "an offset before the first byte": _block([ONE, (b"a", _entry(offset=-4))]),
    "a negative size": _block([ONE, (b"a", _entry(size=-1))]),
    "no messages": _block([(b"", b"\xff\xff"), (b"a", b"\xff")]),
    "no header": _block([(b"a", _entry())]),
    "a block of nothing": _sealed(b""),
    "more restarts than bytes": _sealed(b"\xff" * 4),
    "an entry beyond its block": _sealed(b"\0\0\xff\xff\x03" + struct.pack("<II", 0, 1)),
    "a key that goes on from none": _sealed(b"\x09\0\0" + struct.pack("<II", 0, 1)),
}
HDF5 = """
import sys, h5py, numpy as np

def crafted(make):
    with h5py.File(make.__name__ + ".weights.h5", "w") as file:
        file["layers/a/vars/0"] = np.zeros(3, "float32")
        make(file)

@crafted
def sound(file): pass
@crafted
def soft_links_in_a_circle(file): file["layers/a/b"] = h5py.SoftLink("/layers")
@crafted
def hard_links_in_a_circle(file): file["layers/a/b"] = file["layers"]
@crafted
def a_link_to_a_pipe(file): file["layers/b"] = h5py.ExternalLink("pipe", "/")
@crafted
def variables_in_a_pipe(file): file["layers/b/vars"] = h5py.ExternalLink("pipe", "/")
@crafted
def values_in_a_pipe(file): file.create_dataset("layers/b/vars/0", (3,), "float32", external="pipe")
@crafted
def values_in_other_files(file):
    layout = h5py.VirtualLayout((3,), "float32")
    layout[:] = h5py.VirtualSource("pipe", "x", (3,))
    file.create_virtual_dataset("layers/b/vars/0", layout)
@crafted
def values_that_were_never_stored(file):
    file.create_dataset("layers/b/vars/0", (1 << 42,), "float32", chunks=(1 << 10,))[0] = 1
@crafted
def a_legacy_file_that_is_a_link(file): file["model_weights"] = h5py.ExternalLink("pipe", "/")
@crafted
def groups_5000_deep(file):
    group = file["layers/a"]
    for _ in range(5000):
        group = group.create_group("b")
with h5py.File("listed_twice.h5", "w") as file:
    file["a/k:0"] = np.zeros(3, "float32")
    file.attrs["layer_names"] = np.array([b"a"] * 3000)
    file["a"].attrs["weight_names"] = np.array([b"k:0"] * 9000)
"""
SOUND = {"sound.weights.h5": "readable", "groups_5000_deep.weights.h5": "readable"}


@pytest.mark.tensorflow
@pytest.mark.parametrize("python", ["keras3", "keras2"])
def test_a_crafted_file_is_never_intact_and_takes_no_time(python, request, tmp_path):
    python = request.getfixturevalue(python)
    for number, block in enumerate(BLOCKS.values()):
        (tmp_path / f"c{number}.index").write_bytes(_index(block))
        (tmp_path / f"c{number}.data-00000-of-00001").write_bytes(b"\0" * 4)
    subprocess.run([python, "-c", HDF5], cwd=tmp_path, check=True)
    files = {path.name: str(path) for path in tmp_path.glob("*.h5")}
    os.mkfifo(tmp_path / "pipe")
    paths = {word: str(tmp_path / f"c{number}") for number, word in enumerate(BLOCKS)} | files
    begin = time.monotonic()
    with probing.Probe(python) as probe:
        answers = probe.run([checkpoint.job(word, path, 60) for word, path in paths.items()])
    read = {word: checkpoint.read(answers[word], path) for word, path in paths.items()}
    wrong = {word: found for word, found in read.items() if found.state != SOUND.get(word, "damaged")}
    # Too little memory for it, which is not the file's fault.
    assert wrong.keys() <= {"a tensor of 64 GB"}, wrong
    told = {word: found.damage for word, found in read.items()}
    assert max(map(len, told.values())) <= 3, told
    assert time.monotonic() - begin < 55, "something hung"


@pytest.mark.parametrize("name", ["c.index", "c.data-00000-of-00001", "c.weights.h5", "c.keras", "c/config.json"])
def test_what_has_no_end_is_not_read(name, tmp_path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    with pytest.raises(UsageError, match="is no file but a pipe or a device"):
        checkpoint.job("x", str(tmp_path / name.removesuffix(".index").partition(".data")[0]), 60)


def test_a_file_of_holes_gets_no_time_for_them(tmp_path):
    path = tmp_path / "c.h5"
    with path.open("wb") as file:
        file.truncate(1 << 42)
    assert checkpoint.job("x", str(path), 60).timeout < 61
