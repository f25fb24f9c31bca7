"""What restoring really does to a pair, asked of an oracle; standard library only, for it is used on both sides."""


def find(saver, restorer, base, head, folder, paths, deferred=False, outputs=False):
    """Saves what `base` builds and restores it into what `head` builds.

    Args:
        saver, restorer: ask(op, **request) of an oracle; see `oracle.py`.
        outputs: whether what the restored model computes is held against what was saved.

    Returns:
        (answer to "save", answer to "restore", {path: {"outcome", "error", "assigned", ...}}).
    """
    saved = saver.ask("save", source=str(base), folder=folder, paths=list(paths), outputs=outputs)
    truth = {path: _unsupported(error) for path, error in saved["unsupported"].items()}
    possible = [path for path in paths if path not in truth]
    options = {"folder": folder, "paths": possible}
    restored = restorer.ask("restore", source=str(head), outputs=outputs, deferred=deferred, **options)
    truth |= restored["truth"]
    # What cannot even restore itself is unsupported, whatever another version or model makes of it.
    unchanged = saver.ask("restore", source=str(base), **options)["truth"]
    for path in possible:
        if unchanged[path]["outcome"] == "raises":
            truth[path] = _unsupported(unchanged[path]["error"])
    return saved, restored, truth


def _unsupported(error):
    lists = {name: [] for name in ("initial", "unused", "changed_otherwise")}
    return {"outcome": "unsupported", "error": error, "assigned": {}, "converted": {}, **lists}
