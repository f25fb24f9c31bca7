"""Sharded weights of Keras 3: `x.weights.json` says in which of the files beside it the variables of each object lie.

Source: keras/src/saving/saving_lib.py `ShardedH5IOStore`. A shard has the layout of `.weights.h5`, and the walk over
the model is the same one. Keras looks for a group in the shards that the index names for it, and nowhere else.
"""

import contextlib
import json
import os

import h5py

from .. import failures
from . import hdf5
from .contents import Contents

ENDING = ".weights.json"
_SHARD = ".weights.h5"


def read(path, contents):
    contents.kind, contents.bytes = "sharded-weights", os.path.getsize(path)
    contents.unverified.append("HDF5 keeps no checksum, so a changed value in it cannot be seen")
    try:
        placed, size = _index(path)
    except Exception as error:
        contents.damage.append(f"it is no index of sharded weights: {failures.sentence(error)}")
        return
    _check_names(path, placed, contents)
    with contextlib.ExitStack() as stack:
        held = {}
        for shard in _shards(placed):
            file = _open(path, shard, placed, contents, stack)
            if file is not None:
                held[shard] = file
        _check_size(held, size, contents)
        datasets, addresses = _joined(held, contents)
        hdf5.describe_groups([file for file, _ in held.values()], datasets, contents, addresses)


def shards(path):
    """The names of the shards that an index names, the first one first."""
    return _shards(_index(path)[0])


def _shards(placed):
    return sorted({name for names in placed.values() for name in names})


def index_of(path):
    """The index beside a file that names it as its shard; None where it is none."""
    folder, name = os.path.split(path)
    for other in sorted(os.listdir(folder or os.curdir)):
        if other.endswith(ENDING) and name.startswith(f"{other[: -len(ENDING)]}_"):
            with contextlib.suppress(OSError, ValueError):
                if name in shards(os.path.join(folder, other)):
                    return os.path.join(folder, other)
    return None


def split(address):
    """(shard, path in it) of an address that `read` gave a variable."""
    shard, _, path = address.partition("/")
    return shard, path


def largest(path):
    """How many bytes the values of the largest shard have: HDF5 itself takes some for each."""
    return max(_bytes(os.path.join(os.path.dirname(path), shard)) for shard in shards(path))


def _bytes(shard):
    sizes = []
    with h5py.File(shard, "r") as file:
        file.visititems(lambda _, item: sizes.append(item.nbytes) if isinstance(item, h5py.Dataset) else None)
    return sum(sizes)


def _index(path):
    """({group: [shard]}, how many bytes of values the shards hold or None).

    Raises:
        ValueError, OSError: it is no such index.
    """
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    placed = found.get("weight_map") if isinstance(found, dict) else None
    if not isinstance(placed, dict):
        raise ValueError("it has no weight_map")
    placed = {group: names if isinstance(names, list) else [names] for group, names in placed.items()}
    for name in (name for names in placed.values() for name in names):
        if not isinstance(name, str) or os.path.basename(name) != name or not name:
            raise ValueError(f"{name!r} in its weight_map is not the name of a file beside it")
    size = found.get("metadata", {}).get("total_size") if isinstance(found.get("metadata"), dict) else None
    return placed, size if isinstance(size, (int, float)) else None


def _check_names(path, placed, contents):
    """Keras opens the first shard by the name of the index, before it looks at what the index says."""
    name = os.path.basename(path)
    first = f"{name[: -len(ENDING)]}_00000{_SHARD}"
    named = {shard for shards in placed.values() for shard in shards}
    if first not in named and not os.path.exists(os.path.join(os.path.dirname(path), first)):
        contents.damage.append(f"Keras opens {first} first, by the name of the index: rename the index back")
    others = [
        other
        for other in sorted(os.listdir(os.path.dirname(path) or os.curdir))
        if other.startswith(first[: -len(f"00000{_SHARD}")])
        and other.endswith(_SHARD)
        and other[-len(f"00000{_SHARD}") : -len(_SHARD)].isdigit()
        and other not in named
    ]
    if others:
        contents.notes.append(f"The index does not name {', '.join(others)}: left of an earlier save, and never read.")


def _open(path, shard, placed, contents, stack):
    """(file, {path: dataset}) of a shard, each damage of it told with its name; None where nothing can be read."""
    whole = os.path.join(os.path.dirname(path), shard)
    mapped = {group.strip("/") for group, names in placed.items() if shard in names}
    if not os.path.exists(whole):
        contents.damage.append(f"{shard} is missing: the index places variables of {len(mapped)} objects in it")
        return None
    part, found = Contents(whole), None
    try:
        found = hdf5.opened(whole, part, stack)
    except MemoryError:
        raise
    except Exception as error:
        part.damage.append(f"HDF5 cannot read it: {failures.sentence(error)}")
    contents.damage += [f"{shard}: {sentence}" for sentence in part.damage]
    contents.not_finite.update(part.not_finite)
    contents.tensors, contents.bytes = contents.tensors + part.tensors, contents.bytes + part.bytes
    if found is not None and not part.damage:
        contents.damage += [f"{shard} {sentence}" for sentence in _strangers(found[1], mapped)]
    return found


def _strangers(datasets, mapped):
    """How a shard and the index contradict each other."""
    owners = {name: next((group for group in mapped if name.startswith(f"{group}/")), None) for name in datasets}
    missing = sorted(mapped - {*owners.values()})
    if missing:
        yield f"has no {missing[0]}, which the index places there: it is of another save"
    strange = sorted(name for name, owner in owners.items() if owner is None)
    if strange:
        yield f"has {strange[0]}, which the index does not place there: it is of another save"


def _check_size(held, size, contents):
    """The sum that Keras writes of all values; a bool counts as a bit."""
    found = sum(
        item.size * (0.125 if item.dtype == bool else item.dtype.itemsize)
        for _, datasets in held.values()
        for item in datasets.values()
    )
    if size is not None and found != size and not contents.damage:
        contents.damage.append(
            f"its shards hold {found:g} bytes of values where the index says {size:g}: one is of another save"
        )


def _joined(held, contents):
    """({path: dataset}, {path: address}) of all shards; one that is in two of them is damage."""
    datasets, addresses = {}, {}
    for shard, (_, found) in held.items():
        for path, item in found.items():
            if path in datasets:
                contents.damage.append(f"{path} is in {split(addresses[path])[0]} and in {shard}")
                continue
            datasets[path], addresses[path] = item, f"{shard}/{path}"
    return datasets, addresses


class Opened:
    """The shards of an index, each opened when a value of it is asked for; closed with `stack`."""

    def __init__(self, path, stack):
        self.folder, self.stack, self.files = os.path.dirname(path), stack, {}

    def __getitem__(self, address):
        shard, path = split(address)
        if shard not in self.files:
            file = h5py.File(os.path.join(self.folder, shard), "r")
            self.stack.callback(file.close)
            self.files[shard] = file
        return self.files[shard][path]
