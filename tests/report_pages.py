"""A result with variables, for the page: a transformer with a renamed layer in each block, as large as one likes."""

import msgspec
from report_samples import SAMPLE

from restore_guard.result import Row, Seen

FILE = "ranker/model.py"
PATHS = ("tf-checkpoint", "keras-weights")


def seen(path, shape, owner, line):
    return Seen(path, shape, "float32", owner, FILE, line)


def block(number, attention):
    for part in ("query", "key", "value"):
        yield seen(f"blocks/{number}/{attention}/{part}/kernel", (64, 64), "Dense", 21)
        yield seen(f"blocks/{number}/{attention}/{part}/bias", (64,), "Dense", 21)
    for leaf in ("gamma", "beta"):
        yield seen(f"blocks/{number}/norm/{leaf}", (64,), "LayerNormalization", 24)


def fates(*found):
    return dict(zip(PATHS, found, strict=True))


def transformer(blocks):
    """8 variables a block, and four others: one larger, one gone, one new, one in the wrong place."""
    words = [seen("embedding/embeddings", (size, 64), "Embedding", 12) for size in (1000, 1200)]
    rows = [Row(*words, fates("raises", "stopped"))]
    for number in range(blocks):
        for old, new in zip(block(number, "attn"), block(number, "attention"), strict=True):
            rows.append(Row(old, new, fates("restored" if old == new else "initial", "stopped")))
    aux, gate = seen("aux_head/kernel", (64, 2), "Dense", 30), seen("head/gate", (64, 2), "Head", 33)
    rows.append(Row(aux, None, fates("dropped", "stopped"), near=("head/gate",)))
    rows.append(Row(None, gate, fates("initial", "raises"), near=("aux_head/kernel",)))
    head = [seen("head/kernel", (64, 10), "Head", line) for line in (31, 32)]
    rows.append(Row(*head, fates("misplaced", "stopped"), {"tf-checkpoint": "head/other"}))
    return tuple(rows)


def result(blocks):
    """The sample with variables in two of its models."""
    subclassed, ranker, *others = SAMPLE.models
    rows = transformer(blocks)
    subclassed = msgspec.structs.replace(subclassed, table=rows, variables=len(rows))
    same = tuple(Row(one, one, {"tf-checkpoint": "restored"}) for number in range(3) for one in block(number, "attn"))
    ranker = msgspec.structs.replace(ranker, table=same)
    return msgspec.structs.replace(SAMPLE, models=(subclassed, ranker, *others))
