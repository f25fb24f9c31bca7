"""A `.keras` file: a zip with the configuration, and the weights in the layout of `.weights.h5`.

Source: keras/src/saving/saving_lib.py `_save_model_to_fileobj`. Keras writes and reads it with Python's zipfile, and so
does this. A zip keeps a CRC32 of each member's content. What is around the contents has none: it is verified where it
is, byte for byte, what zipfile itself would write there.
"""

import copy
import io
import json
import os
import tempfile
import zipfile

from .. import failures
from . import hdf5

_CONFIG, _METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
# Of a lookup layer, below the address of its weights (`IndexLookup.save_assets`).
_ASSETS, _VOCABULARY = "assets/", "/vocabulary.txt"
_CHUNK = 1 << 20


def read(path, contents):
    contents.kind, contents.bytes = "keras-archive", os.path.getsize(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check(archive, contents)
            if contents.damage:
                return
            contents.framework = {"keras": _version(archive)}
            contents.archive = {"config": _config(archive)}
            _weights(archive, contents)
            _vocabularies(archive, contents)
    except zipfile.BadZipFile as error:
        contents.damage.append(f"it is not a whole zip archive: {error}")
    except Exception as error:
        contents.damage.append(f"it cannot be read: {failures.sentence(error)}")


def _check(archive, contents):
    """Reads all members to their ends, which verifies their checksums; says what is damaged, missing or strange."""
    try:
        damaged = archive.testzip()
    except Exception as error:  # a method of compression, or a password, that is none of Keras's
        damaged = failures.sentence(error)
    if damaged is not None:
        contents.damage.append(f"{damaged} in it is damaged")
    names = [info.filename for info in archive.infolist()]
    for name in (_METADATA, _CONFIG, WEIGHTS):
        if name not in names:
            contents.damage.append(f"{name} is missing")
    if len({*names}) != len(names):
        contents.damage.append("two of its members have the same name")
    if not _is_usual(archive):
        contents.unverified.append("the headers of the zip are not as Keras writes them, so a change there is not seen")
    elif not _is_as_written(archive):
        contents.damage.append("the headers of the zip contradict each other")


def _is_usual(archive):
    """True where all that a header may say for itself is what Keras says; a comment is zipfile's own business."""
    members = archive.infolist()
    return len({info.external_attr for info in members}) <= 1 and all(
        info.external_attr in (0o600 << 16, 0o100600 << 16)
        and info.create_system in (0, 3)
        and info.create_version == info.extract_version
        and not (info.internal_attr or info.volume or info.extra or info.comment or info.flag_bits & ~0x800)
        for info in members
    )


def _is_as_written(archive):
    """True where the members follow one another, and all around their contents is what zipfile writes there."""
    end = 0
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        # Keras writes the weights before it knows their size, which is then kept in 64 bits.
        headers = [copy.copy(info).FileHeader(zip64) for zip64 in (False, True)]
        archive.fp.seek(end)
        found = archive.fp.read(max(map(len, headers)))
        header = next((header for header in headers if found.startswith(header)), None)
        if header is None or info.header_offset != end:
            return False
        end += len(header) + info.compress_size
    archive.fp.seek(end)
    return archive.start_dir == end and archive.fp.read() == _directory(archive)


def _directory(archive):
    """What zipfile writes after the members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.filelist, written.start_dir = archive.infolist(), archive.start_dir
        written.comment = archive.comment
    return file.getvalue()[archive.start_dir :]


def _version(archive):
    version = json.loads(archive.read(_METADATA))["keras_version"]
    if not isinstance(version, str):
        raise ValueError(f"{_METADATA} names no version of Keras")
    return version


def _config(archive):
    config = archive.read(_CONFIG).decode()
    if not isinstance(json.loads(config), dict):
        raise ValueError(f"{_CONFIG} holds no configuration")
    return config


def _weights(archive, contents):
    with tempfile.TemporaryFile() as file:
        with archive.open(WEIGHTS) as member:
            while True:
                part = member.read(_CHUNK)
                if not part:
                    break
                file.write(part)
        file.seek(0)
        hdf5.read_member(file, contents)


def _vocabularies(archive, contents):
    sizes = {info.filename: info.file_size for info in archive.infolist()}
    for path, number in contents.keras_tree["nodes"][0]["children"] if contents.keras_tree else ():
        size = sizes.get(f"{_ASSETS}{path}{_VOCABULARY}")
        if size is not None:
            contents.keras_tree["nodes"][number]["vocabulary"] = "known" if size else "empty"
