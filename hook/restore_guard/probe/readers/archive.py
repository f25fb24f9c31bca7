"""A `.keras` file: a zip with the configuration, and the weights in the layout of `.weights.h5`; or a folder with both.

Source: keras/src/saving/saving_lib.py `_save_model_to_fileobj`, `_save_model_to_dir`. Keras writes and reads the zip
with Python's zipfile, and so does this. A zip keeps a CRC32 of each member's content. What is around the contents has
none: it is verified where it is, byte for byte, what zipfile itself would write there.
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
            contents.framework = {"keras": _version(archive.read(_METADATA))}
            contents.archive = {"config": _config(archive.read(_CONFIG))}
            _weights(archive, contents)
            _vocabularies({info.filename: info.file_size for info in archive.infolist()}, contents)
    except zipfile.BadZipFile as error:
        contents.damage.append(f"it is not a whole zip archive: {error}")
    except Exception as error:
        contents.damage.append(f"it cannot be read: {failures.sentence(error)}")


def is_folder(path):
    """Whether a folder is what `model.save(path, zipped=False)` writes."""
    return all(os.path.exists(os.path.join(path, name)) for name in (_CONFIG, WEIGHTS))


def read_folder(path, contents):
    """What `model.save(path, zipped=False)` has written."""
    hdf5.read_weights(os.path.join(path, WEIGHTS), contents)
    contents.kind = "keras-folder"
    contents.unverified = ["neither HDF5 nor the folder keeps a checksum, so a changed value in it cannot be seen"]
    contents.damage = [f"{WEIGHTS}: {sentence}" for sentence in contents.damage]
    sizes = {
        os.path.relpath(os.path.join(folder, name), path).replace(os.sep, "/"): os.path.getsize(
            os.path.join(folder, name)
        )
        for folder, _, names in os.walk(path)
        for name in names
    }
    contents.bytes = sum(sizes.values())
    for name, understand in ((_METADATA, _version), (_CONFIG, _config)):
        try:
            with open(os.path.join(path, name), "rb") as file:
                found = understand(file.read())
        except FileNotFoundError:
            contents.damage.append(f"{name} is missing")
        except Exception as error:
            contents.damage.append(f"{name} cannot be read: {failures.sentence(error)}")
        else:
            if name == _CONFIG:
                contents.archive = {"config": found}
            else:
                contents.framework = {"keras": found}
    _vocabularies(sizes, contents)


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


def _version(metadata):
    version = json.loads(metadata)["keras_version"]
    if not isinstance(version, str):
        raise ValueError(f"{_METADATA} names no version of Keras")
    return version


def _config(content):
    config = content.decode()
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


def vocabulary_at(address):
    """The member in which a lookup layer at an address keeps its vocabulary."""
    return f"{_ASSETS}{address}{_VOCABULARY}"


def vocabulary_of(member):
    """The address of the layer whose vocabulary a member is; None for another one."""
    is_one = member.startswith(_ASSETS) and member.endswith(_VOCABULARY)
    return member[len(_ASSETS) : -len(_VOCABULARY)] if is_one else None


def _vocabularies(sizes, contents):
    """Args: sizes: {member or file: how many bytes}."""
    for path, number in contents.keras_tree["nodes"][0]["children"] if contents.keras_tree else ():
        size = sizes.get(vocabulary_at(path))
        if size is not None:
            contents.keras_tree["nodes"][number]["vocabulary"] = "known" if size else "empty"
