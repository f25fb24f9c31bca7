"""The files that TensorFlow and h5py read and write themselves, which no audit hook of Python hears."""

import functools
import glob
import os
import sys

from .. import private_names as names

# {operation: which of its inputs names what it reads}
_READING = {
    "ReadFile": 0,
    "InitializeTableFromTextFile": 1,
    "InitializeTableFromTextFileV2": 1,
    "TextLineDataset": 0,
    "TFRecordDataset": 0,
    "TFRecordDatasetV2": 0,
    "FixedLengthRecordDataset": 0,
    "FixedLengthRecordDatasetV2": 0,
    "CSVDataset": 0,
    "CSVDatasetV2": 0,
}
# Of these, Python makes an operation within a function; it knows the names all the same.
_BY_PYTHON = ("TextLineDataset", "TFRecordDataset", "FixedLengthRecordDataset")
_MATCHING = {"MatchingFiles": 0, "MatchingFilesDataset": 0}
_RESTORING = {"RestoreV2": 0}
_WRITING = {
    "Save": 0,
    "SaveSlices": 0,
    "SaveV2": 0,
    "MergeV2Checkpoints": 1,
    "WriteFile": 0,
    "CreateSummaryFileWriter": 1,
    "CacheDataset": 1,
    "CacheDatasetV2": 1,
    "SaveDataset": 1,
    "SaveDatasetV2": 1,
    "SnapshotDataset": 1,
    "SnapshotDatasetV2": 1,
}
# A cache without a file name is one in memory.
_CACHING = {"CacheDataset": 1, "CacheDatasetV2": 1}
_OTHERS = ("Reader", "Restore", "SqlDataset", "LMDB", "SnapshotDataset", "LoadDataset", "ImmutableConst")
_FOLDERS = 1000


def listen(heard):
    """Tells `heard` (a `sources.Sources`) of every file operation from now on."""

    def tell(place, note):
        _tell(heard, place, note)

    tell((names.OPERATIONS, "TFE_Py_FastPathExecute"), lambda _, kind, __, *inputs: _operation(heard, kind, inputs))
    for name in ("TFE_Py_Execute", "TFE_Py_ExecuteCancelable"):
        tell((names.OPERATIONS, name), lambda _, __, kind, inputs, *___: _operation(heard, kind, inputs))
    # What a graph or a tf.function will do is told when it is made: it runs where nobody hears it.
    tell(names.GRAPH_OPERATION, lambda _, kind, inputs, *__, **___: _operation(heard, kind, inputs))
    tell(names.RECORD_FILES, lambda files, *_, **__: _records(heard, files))
    tell(names.CHECKPOINT_READER, lambda prefix: _checkpoint(heard, _text(prefix)))
    tell(names.LOAD_LIBRARY, heard.read)
    tell(names.RECORD_WRITER, lambda _, path, *__, **___: heard.write(path))
    tell(names.EVENTS_WRITER, lambda prefix: heard.write(_text(prefix)))
    _listen_to_gfile(heard)
    if "h5py" in sys.modules:
        tell(("h5py", "h5f", "open"), lambda path, *_, fapl=None, **__: _is_pythons(fapl) or heard.read(path))
        tell(("h5py", "h5f", "create"), lambda path, *_, fapl=None, **__: _has_no_file(fapl) or heard.write(path))


def _is_pythons(access):
    """Whether HDF5 uses an open file, or what behaves as one, of which Python tells itself."""
    from h5py import h5fd

    return access is not None and access.get_driver() == h5fd.fileobj_driver


def _has_no_file(access):
    """Whether HDF5 makes no file; of the name that it is given all the same, there is none."""
    from h5py import h5fd

    in_memory = access is not None and access.get_driver() == h5fd.CORE and not access.get_fapl_core()[1]
    return in_memory or _is_pythons(access)


def _listen_to_gfile(heard):
    notes = {
        "ReadFileToString": lambda path, *_: heard.read(path),
        "BufferedInputStream": lambda path, *_: heard.read(path),
        "FileExists": lambda path, *_: heard.ask(path),
        "IsDirectory": lambda path, *_: heard.ask(path),
        "Stat": lambda path, *_: heard.size(path),
        "GetChildren": lambda path, *_: heard.list(path),
        "GetMatchingFiles": lambda pattern, *_: _match(heard, _text(pattern)),
        "WritableFile": lambda path, mode, *_: heard.open(path, _text(mode), 0),
        "CopyFile": lambda source, target, *_: (heard.read(source), heard.write(target)),
        "RenameFile": lambda source, target, *_: heard.move(source, target),
        "CreateDir": lambda path, *_: heard.make(path),
        "RecursivelyCreateDir": lambda path, *_: heard.make(path),
        "DeleteFile": lambda path, *_: heard.change(path),
        "DeleteRecursively": lambda path, *_: heard.change(path),
    }
    for name, note in notes.items():
        _tell(heard, (names.FILES, name), note)


def _operation(heard, kind, inputs):
    kind = _text(kind)
    if kind in _WRITING:
        target = inputs[_WRITING[kind]]
        # A graph of old has operations that nobody runs, as those of a Saver.
        if not hasattr(target, "op") or target.op.type == "Const":
            for file in filter(None, _constants(target) or ()):
                heard.write(file)
    for known, note in ((_READING, heard.read), (_MATCHING, None), (_RESTORING, None), (_CACHING, None)):
        if kind in known:
            files = _constants(inputs[known[kind]])
            if files is None and kind.startswith(_BY_PYTHON):
                return
            if files is None or any("://" in file for file in files):
                heard.cannot_follow(f"the operation {kind}")
                return
            for file in filter(None, files):
                _note(heard, kind, note, file)
            return
    if any(word in kind for word in _OTHERS):
        heard.cannot_follow(f"the operation {kind}")


def _records(heard, files):
    """The files of a dataset of `tf.data`, which may be named by another dataset."""
    files = _constants(files)
    if files is None or any("://" in file for file in files):
        heard.cannot_follow("a dataset of files that are named while it runs")
        return
    for file in files:
        heard.read(file)


def _note(heard, kind, note, file):
    if note is not None:
        note(file)
    elif kind in _MATCHING:
        _match(heard, file)
    elif kind in _RESTORING:
        _checkpoint(heard, file)
    else:
        heard.cannot_follow(f"the operation {kind}")


def _constants(value):
    """The texts of an input; None where it is known only when the operation runs."""
    import numpy as np
    from tensorflow.python.framework import tensor_util

    try:
        if hasattr(value, "op"):
            value = tensor_util.constant_value(value)
        elif hasattr(value, "numpy"):
            value = value.numpy()
        return None if value is None else [os.fsdecode(item) for item in np.ravel(np.asarray(value, object))]
    except (AttributeError, TypeError, ValueError, NotImplementedError, UnicodeDecodeError):
        return None


def _checkpoint(heard, prefix):
    with heard.deaf():
        shards = glob.glob(glob.escape(prefix) + ".data-*")
    for file in (f"{prefix}.index", *shards):
        heard.read(file)


def _match(heard, pattern):
    """A pattern lists the folders in which its parts may be."""
    parts = pattern.split("/")
    first = next((number for number, part in enumerate(parts) if glob.has_magic(part)), None)
    if first is None:
        heard.ask(pattern)
        return
    start = "/".join(parts[:first]) or ("/" if pattern.startswith("/") else os.curdir)
    depth = len(parts) - first - 1
    for number, (folder, inner, _) in enumerate(os.walk(start)):
        heard.list(folder)
        if number > _FOLDERS:
            heard.cannot_follow(f"a pattern over more than {_FOLDERS} folders")
            return
        if os.path.relpath(folder, start).count(os.sep) + (folder != start) >= depth:
            inner.clear()
    if not os.path.isdir(start):
        heard.ask(start)


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def _tell(heard, place, note):
    """Makes a function tell of each call before it is made; without it, what a build does cannot be followed."""
    holder, name = names.holder(*place), place[-1]
    if holder is None:
        heard.opaque.add(f"what this TensorFlow does unheard, without {name}")
        return
    function = getattr(holder, name)

    @functools.wraps(function)
    def telling(*args, **kwargs):
        note(*args, **kwargs)
        return function(*args, **kwargs)

    setattr(holder, name, telling)
