"""What hypothesis draws: a model and the changes to it."""

from __future__ import annotations

from hypothesis import strategies as st

from differential.models import IDLE, LAYERS, OPTIMIZERS, ROOTS, ROOTS_OF_KERAS, SLOTS, Model, Node
from differential.mutations import DTYPES, MUTATIONS, SIZES, WORDS

_LABELS = st.sampled_from(WORDS)
_SIZES = st.sampled_from((3, *SIZES))
_LAYERS = st.builds(
    Node,
    kind=st.sampled_from(tuple(LAYERS)),
    units=_SIZES,
    bias=st.sampled_from((True, True, False)),
    trainable=st.sampled_from((True, True, True, False)),
    dtype=st.sampled_from((None,) * 16 + DTYPES),
    name=st.sampled_from((None, None, None, "head", "stem")),
)


def _composite(kinds, parts, least=1):
    """Nodes of these kinds whose children are drawn from `parts`, each with a label of its own."""
    children = st.lists(st.tuples(_LABELS, parts), min_size=least, max_size=4, unique_by=lambda item: item[0])
    return st.builds(Node, kind=st.sampled_from(kinds), children=children.map(tuple))


_SAME = st.builds(Node, kind=st.just("same"), units=st.integers(0, 3))
_OWN = st.builds(
    Node, kind=st.sampled_from(("variable", "weight")), units=_SIZES, trainable=st.booleans(), dtype=st.just(None)
)
_IDLE = st.builds(Node, kind=st.sampled_from(tuple(IDLE)), units=_SIZES)
_FLAT_STACKS = _composite(("sequential", "functional"), _LAYERS)
_FLAT_BLOCKS = _composite(("layer", "model"), st.one_of(_LAYERS, _LAYERS, _OWN, _SAME, _IDLE))
_CALLED = st.one_of(_LAYERS, _LAYERS, _LAYERS, _FLAT_STACKS, _FLAT_BLOCKS)
_CONTAINERS = _composite(("list", "tuple", "dict"), _CALLED)
_NESTED_CONTAINERS = _composite(("list", "tuple", "dict"), st.one_of(_LAYERS, _composite(("list", "dict"), _LAYERS)))
_BRANCHES = _composite(("branches",), st.one_of(_LAYERS, _FLAT_STACKS), least=2)
_PARTS = {
    "sequential": _CALLED,
    "functional": st.one_of(_CALLED, _CALLED, _BRANCHES, _SAME),
    "model": st.one_of(_CALLED, _CALLED, _CONTAINERS, _NESTED_CONTAINERS, _OWN, _SAME, _IDLE),
}
_VARIABLES = st.builds(
    Node,
    kind=st.just("variable"),
    units=_SIZES,
    trainable=st.booleans(),
    dtype=st.sampled_from((None, None, "float64", "int64")),
)
_LINEARS = st.builds(Node, kind=st.just("linear"), units=_SIZES)
_FREE = st.one_of(_VARIABLES, _LINEARS, _LAYERS)
_MODULES = _composite(("module",), st.one_of(_FREE, _SAME, _composite(("list", "tuple", "dict"), _FREE)))
_PARTS["module"] = st.one_of(_FREE, _MODULES, _SAME, _composite(("list", "tuple", "dict"), _FREE))
_PARTITIONED = st.builds(Node, kind=st.just("partitioned"), units=_SIZES, bias=st.booleans())
_NAMED = st.builds(
    Node,
    kind=st.just("variable"),
    units=_SIZES,
    bias=st.booleans(),
    trainable=st.booleans(),
    dtype=st.sampled_from((None, None, "float64", "int64")),
)
_PARTS["graph"] = st.one_of(
    _NAMED,
    _NAMED,
    _PARTITIONED,
    _composite(("scope",), st.one_of(_NAMED, _PARTITIONED, _composite(("scope",), _NAMED))),
)
_PARTS["checkpoint"] = _PARTS["dict"] = st.one_of(_VARIABLES, _LINEARS, _MODULES, _FLAT_STACKS, _FLAT_BLOCKS)

_MUTATIONS = st.tuples(st.sampled_from(tuple(MUTATIONS)), st.integers(0, 15), st.integers(0, 23))


@st.composite
def models(draw):
    kind = draw(st.sampled_from((*ROOTS, *ROOTS_OF_KERAS, "model")))
    root = draw(_composite((kind,), _PARTS[kind]))
    optimizer = None
    if kind != "module" and draw(st.booleans()):
        optimizer = draw(st.sampled_from(tuple(OPTIMIZERS if kind in ROOTS_OF_KERAS else SLOTS)))
    deferred = kind == "model" and not (optimizer or "").startswith("legacy") and draw(st.booleans())
    registered = kind in ROOTS_OF_KERAS and draw(st.booleans())
    # Under a strategy only training itself can make slots of these.
    steps = optimizer is None or (kind in ROOTS_OF_KERAS and not optimizer.startswith("legacy"))
    mirrored = kind != "graph" and steps and draw(st.sampled_from((False, False, False, True)))
    return Model(root, optimizer, deferred, registered, mirrored)


@st.composite
def pairs(draw):
    """(base, head, the names of the mutations)."""
    base = head = draw(models())
    names = []
    for name, target, variant in draw(st.lists(_MUTATIONS, min_size=1, max_size=3)):
        changed = MUTATIONS[name](head, target, variant)
        if changed != head:
            names.append(name)
        head = changed
    return base, head, names
