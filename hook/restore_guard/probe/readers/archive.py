"""A `.keras` file: a zip with the configuration, and the weights in the layout of `.weights.h5`.

Source: keras/src/saving/saving_lib.py `_save_model_to_fileobj`, Python's zipfile. A zip keeps a CRC32 of each
member's content; of its headers it keeps most twice, and what is kept once has one value that Keras writes.
"""

import json
import os
import struct
import tempfile
import zipfile

from .. import failures
from . import hdf5

_CONFIG, _METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
# Of a lookup layer, below the address of its weights (`IndexLookup.save_assets`).
_ASSETS, _VOCABULARY = "assets/", "/vocabulary.txt"
_UNKNOWN_HEADERS = "not all headers of the zip are verified: Keras writes some of them otherwise"
_CHUNK = 1 << 20
_LOCAL, _CENTRAL, _END = "<4s5H3L2H", "<4s6H3L5H2L", "<4s4H2LH"


def read(path, contents):
    contents.kind, contents.bytes = "keras-archive", os.path.getsize(path)
    try:
        with zipfile.ZipFile(path) as archive:
            whole = {info.filename: _is_whole(archive, info, contents) for info in archive.infolist()}
            _check_headers(path, archive, contents)
            for name in (_METADATA, _CONFIG, WEIGHTS):
                if name not in whole:
                    contents.damage.append(f"{name} is missing")
            if whole.get(_METADATA):
                contents.framework = {"keras": json.loads(archive.read(_METADATA))["keras_version"]}
            if whole.get(_CONFIG):
                config = archive.read(_CONFIG).decode()
                json.loads(config)
                contents.archive = {"config": config}
            if whole.get(WEIGHTS):
                _weights(archive, contents)
                _vocabularies(archive, contents)
    except zipfile.BadZipFile as error:
        contents.damage.append(f"it is not a whole zip archive: {error}")
    except Exception as error:
        contents.damage.append(f"it cannot be read: {failures.sentence(error)}")


def _is_whole(archive, info, contents):
    """Reads a member to its end, which verifies its checksum."""
    try:
        with archive.open(info) as member:
            while member.read(_CHUNK):
                pass
    except Exception as error:
        contents.damage.append(f"{info.filename} in it is damaged: {failures.sentence(error)}")
        return False
    return True


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


def _check_headers(path, archive, contents):
    """All bytes of the file but the members' contents, against what they must be."""
    problem = _strange_headers(path, archive)
    if problem is None:
        return
    unusual, sentence = problem
    (contents.unverified if unusual else contents.damage).append(sentence)


def _strange_headers(path, archive):
    """Returns None, or (whether another writer than Keras may have made it so, sentence)."""
    members = sorted(archive.infolist(), key=lambda info: info.header_offset)
    with open(path, "rb") as file:
        end = 0
        for info in members:
            file.seek(end)
            local = struct.unpack(_LOCAL, file.read(struct.calcsize(_LOCAL)))
            name, extra = file.read(local[9]), file.read(local[10])
            sizes = local[7:9]
            if len(extra) == 20 and extra[:4] == struct.pack("<2H", 1, 16) and sizes == (0xFFFFFFFF,) * 2:
                # Keras does not know the size when it begins; it is written in both orders of magnitude.
                sizes, extra = struct.unpack("<2Q", extra[4:])[::-1], b""
            year, month, day, hour, minute, second = info.date_time
            known = (
                b"PK\3\4",
                info.extract_version,
                info.flag_bits,
                info.compress_type,
                hour << 11 | minute << 5 | second // 2,
                year - 1980 << 9 | month << 5 | day,
                info.CRC,
            )
            plain = info.flag_bits & ~0x800 == 0 and not extra
            if info.header_offset != end:
                return False, f"{info.filename} in it does not follow the member before it"
            if not plain:
                return True, _UNKNOWN_HEADERS
            if local[:7] != known or name != _encoded(info) or sizes != (info.compress_size, info.file_size):
                return False, f"the two headers of {info.filename} in it contradict each other"
            end = file.tell() + info.compress_size
        return _strange_end(file, end, archive)


def _strange_end(file, start, archive):
    file.seek(start)
    for info in archive.infolist():
        name = _encoded(info)
        head = struct.unpack(_CENTRAL, file.read(struct.calcsize(_CENTRAL)))
        if file.read(len(name)) != name or head[0] != b"PK\1\2" or head[10] != len(name):
            return False, "the list of its members is not in its place"
        made_by, external = head[1], head[15]
        usual = made_by in (head[2], head[2] | 3 << 8) and external in (0o600 << 16, 0o100600 << 16)
        if not usual or any(head[11:15]):
            return True, _UNKNOWN_HEADERS
    size, count = file.tell() - start, len(archive.infolist())
    if file.read() != struct.pack(_END, b"PK\5\6", 0, 0, count, count, size, start, 0):
        return False, "the end of its list of members is not what it must be"
    return None


def _encoded(info):
    return info.filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
