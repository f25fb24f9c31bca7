"""What restoring really does to a pair, asked of an oracle; standard library only, for it is used on both sides."""


def name(path, save, load):
    """What is called the truth of a restore path where a model is saved and restored at these stages.

    None where the stages do not matter for the path: another name tells the same.
    """
    if path in ("h5", "h5-by-name", "keras-archive", "tf1-saver") and save != "trained":
        return None  # the optimizer is not in the file, or is made with its slots
    if path in ("keras-archive", "tf1-saver") and load != "trained":
        return None  # the model is made by loading
    return path if (save, load) == ("trained", "trained") else f"{path}, saved {save}, restored {load}"


def parts(name):
    """(restore path, stage when saved, stage when restored) of a name."""
    path, *stages = name.split(", ")
    return (path, *(stage.split()[1] for stage in stages)) if stages else (path, "trained", "trained")


def find(saver, restorer, base, head, folder, paths, outputs=False):
    """Saves what `base` builds and restores it into what `head` builds, and into itself.

    Args:
        saver, restorer: ask(op, **request) of an oracle; see `oracle.py`.
        outputs: whether what the restored model computes is held against what was saved.

    Returns:
        (answer to "save", answer to "restore", {name: {"outcome", "error", "assigned", ...}}, the same for `base`
        itself). What cannot even restore itself is unsupported, whatever another version or model makes of it.
    """
    saved = saver.ask("save", source=str(base), folder=folder, paths=list(paths), outputs=outputs)
    truth = {path: _unsupported(error) for path, error in saved["unsupported"].items()}
    possible = [path for path in paths if path not in truth]
    options = {"folder": folder, "paths": possible, "untrained": saved["untrained"]}
    restored = restorer.ask("restore", source=str(head), outputs=outputs, **options)
    truth |= restored["truth"]
    # What cannot even restore itself is unsupported, whatever another version or model makes of it.
    itself = saver.ask("restore", source=str(base), **options)["truth"]
    for path in possible:
        if itself[path]["outcome"] == "raises":
            truth[path] = itself[path] = _unsupported(itself[path]["error"])
    return saved, restored, truth, itself


def _unsupported(error):
    lists = {name: [] for name in ("initial", "unused", "changed_otherwise")}
    return {"outcome": "unsupported", "error": error, "assigned": {}, "converted": {}, **lists}
