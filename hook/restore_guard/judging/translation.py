"""A checkpoint file in a model's words: which of the file's values is which variable, and what a manifest keeps of it.

A file knows its variables by its own keys (`layer_with_weights-0/kernel`, `layers/dense/vars/0`). The restore
itself tells which variable of the model each one is; names that a file keeps of its layers correct it. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

import msgspec

from restore_guard.judging.correspondence import is_automatic_name
from restore_guard.promise.around import below, places
from restore_guard.restore_paths import Outcome, restore, restore_unchanged
from restore_guard.signature import Revival, Signature, Variable, leaf

_TRIED = 8
"""So many objects of a checkpoint that do not lie at its root are tried as the model, the likest first."""


def in_words_of(model: Signature, saved: Signature, path: str) -> Signature:
    """Returns what a file holds, each variable under the path that a person knows it by.

    What the file cannot hold, because the restore path never writes it, is listed with it: a value that no
    checkpoint has is not missing in this one.
    """
    outcome = restore(path, _with_revival(saved), model)
    news = {variable.path: variable for variable in model.variables}
    names = _names(outcome, {variable.path: variable for variable in saved.variables}, news)
    taken = set(names.values())
    variables = []
    for variable in saved.variables:
        name = names.get(variable.path) or _free(_plain(variable, news), variable.path, taken)
        taken.add(name)
        variables.append(_described(variable, name, news.get(name)))
    never = [news[name] for name in restore_unchanged(path, model).initial if name not in taken]
    return _with_revival(msgspec.structs.replace(saved, variables=(*variables, *never)))


def _with_revival(saved: Signature) -> Signature:
    """Whatever a whole model is made into when it is loaded, it was saved from a model with just its weights."""
    for path, archive in saved.wholes:
        saved = saved.with_whole(path, msgspec.structs.replace(archive, revival=Revival(saved)))
    return saved


def _names(outcome: Outcome, olds: Mapping[str, Variable], news: Mapping[str, Variable]) -> dict[str, str]:
    """{saved variable: the variable of the model that it is}, as far as the restore shows it."""
    pairs = {saved: new for new, saved in outcome.assigned.items()}
    for failure in outcome.failures:
        if failure.refusal is None and len(failure.saved) == len(failure.model):
            pairs |= dict(zip(failure.saved, failure.model, strict=True))
    swapped = _swapped(pairs, olds, news)
    names = {saved: swapped.get(saved, new) for saved, new in pairs.items()}
    counts = Counter(names.values())
    return {saved: name if counts[name] == 1 else pairs[saved] for saved, name in names.items()}


def _swapped(pairs: Mapping[str, str], olds: Mapping[str, Variable], news: Mapping[str, Variable]) -> dict[str, str]:
    """{saved variable: the one it should go to}, where the file and the model name the same layers otherwise.

    Only where both have the same names throughout: else layers were renamed, and a name tells nothing.
    """
    named = {
        saved: (old.owner_name, new)
        for saved, to in pairs.items()
        for old, new in [(olds[saved], news[to])]
        if _chosen(old.owner_name, new.owner) and _chosen(new.owner_name, new.owner)
    }
    if not {old for old, _ in named.values()} <= {new.owner_name for _, new in named.values()}:
        return {}
    rightful = {(new.owner_name, leaf(new.path), new.shape): new.path for _, new in named.values()}
    return {
        saved: rightful[old, leaf(new.path), new.shape]
        for saved, (old, new) in named.items()
        if old != new.owner_name and (old, leaf(new.path), new.shape) in rightful
    }


def _chosen(name: str | None, owner: str | None) -> bool:
    return name is not None and not is_automatic_name(name, owner)


def _plain(variable: Variable, news: Mapping[str, Variable]) -> str:
    """A key as the attributes are called (Keras 3 keeps `kernel` as `_kernel`), or by its layer if the model has it."""
    name = "/".join(part.lstrip("_") or part for part in variable.path.split("/"))
    named = f"{variable.owner_name}/{leaf(name)}"
    return named if named in news else name


def _free(name: str, key: str, taken: Collection[str]) -> str:
    if name in taken:
        name = key
    while name in taken:
        name += "'"
    return name


def _described(variable: Variable, name: str, new: Variable | None) -> Variable:
    """With what the file does not know of it, where the model has a variable of this name."""
    if new is None:
        return msgspec.structs.replace(variable, path=name)
    return msgspec.structs.replace(
        variable,
        path=name,
        trainable=new.trainable,
        owner=new.owner,
        owner_name=new.owner_name,
        seed=variable.seed or new.seed,
    )


# --- the object that a TensorFlow checkpoint was saved from --------------------------------------------------


def root_edge(saved: Signature, model: Signature) -> str | None:
    """Under which name a checkpoint holds the model: `model` for one of `tf.train.Checkpoint(model=...)`.

    `trainer/model` where it lies deeper; None where it is the root itself, or where nothing restores either way.
    """
    nodes = model.object_graph.nodes
    if not nodes or not saved.object_graph.nodes or not restore("tf-checkpoint", saved, model).initial:
        return None
    own = {name for name, _ in nodes[0].children}
    alike = {edge: sum(name in own for name, _ in node.children) for edge, node in places(saved.object_graph)}
    deeper = sorted((edge for edge in alike if "/" in edge and alike[edge]), key=alike.__getitem__, reverse=True)
    edges = [None, *(edge for edge in alike if "/" not in edge), *deeper[:_TRIED]]
    return max(edges, key=lambda edge: len(restore("tf-checkpoint", saved, below(model, edge)).assigned))


# --- what a manifest keeps -----------------------------------------------------------------------------------
