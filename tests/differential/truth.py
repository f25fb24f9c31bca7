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


def save(saver, base, folder, paths):
    """Saves what `base` builds into `folder`, and restores it into itself.

    Args:
        saver: ask(op, **request) of an oracle; see `oracle.py`.

    Returns:
        (the answer to "save", {name: what restoring it into itself does}). What cannot even restore itself is
        unsupported, whatever another version or model makes of it.
    """
    saved = saver.ask("save", source=str(base), folder=folder, paths=list(paths))
    possible = [path for path in paths if path not in saved["unsupported"]]
    options = {"folder": folder, "paths": possible, "untrained": saved["untrained"]}
    itself = saver.ask("restore", source=str(base), **options)["truth"]
    for path in possible:
        if itself[path]["outcome"] == "raises":
            itself[path] = _unsupported(itself[path]["error"])
    return saved, itself


def restore(restorer, saved, itself, head, folder):
    """Restores what `save` has saved into what `head` builds.

    Returns:
        (the answer to "describe", {name: {"outcome", "error", "assigned", ...}}).
    """
    truth = {path: _unsupported(error) for path, error in saved["unsupported"].items()}
    possible = [path for path in itself if parts(path)[1:] == ("trained", "trained")]
    options = {"folder": folder, "paths": possible, "untrained": saved["untrained"]}
    truth |= restorer.ask("restore", source=str(head), **options)["truth"]
    truth |= {path: itself[path] for path in possible if itself[path]["outcome"] == "unsupported"}
    return restorer.ask("describe", source=str(head), folder=folder), truth


def compare(oracle, base, head, folder, paths):
    """{restore path that can be saved: whether `head` computes with a checkpoint of `base` what `base` did}."""
    saved = oracle.ask("save", source=str(base), folder=folder, paths=list(paths), outputs=True)
    possible = [path for path in paths if path not in saved["unsupported"]]
    return oracle.ask("compare", source=str(head), folder=folder, paths=possible)["truth"]


def _unsupported(error):
    lists = {name: [] for name in ("initial", "unused", "changed_otherwise", "tables", "lost")}
    return {"outcome": "unsupported", "error": error, "assigned": {}, "converted": {}, **lists}
