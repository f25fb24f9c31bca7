"""What a checkpoint holds besides variables to look things up in: hash tables, and vocabularies of a `.keras` file.

Nothing tells two of them apart but their address and the name of the layer. Where that does not say where one belongs,
it goes nowhere, and the file is refused. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from restore_guard.judging.route import NoRoute, Route
from restore_guard.promise.migrations import Migration
from restore_guard.promise.patterns import matches, rename
from restore_guard.restore_paths import keras_weights, tf_checkpoint
from restore_guard.signature import Signature

_ALSO = "list it in drop where it may be lost"


class Lookups(msgspec.Struct, frozen=True):
    """Where each goes.

    Attributes:
        tables: {address in the file: address in the result}; those of `beside` are no part of the model.
        vocabularies: the addresses of layers whose vocabularies are the file's.
        dropped: the addresses of those that a migration leaves behind.
    """

    tables: Mapping[str, str] = msgspec.field(default_factory=dict)
    beside: tuple[str, ...] = ()
    vocabularies: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def place(held: Signature, tables: Collection[str], route: Route, path: str, model: Signature) -> Lookups:
    """Where all that a file holds of them goes.

    Args:
        held: what the file holds.
        tables: the addresses of its hash tables that have a content.
        path: the restore path of the result.

    Raises:
        NoRoute: one of them would be lost, or nobody can tell where it belongs.
    """
    kept = {address: _renamed(address, route) for address in tables}
    vocabularies = _vocabularies(held)
    gone = [
        address
        for address in (*kept, *vocabularies)
        if any(matches(pattern, _inside(address, route)) for step in route.steps for pattern in step.drop)
    ]
    left = {address: target for address, target in kept.items() if address not in gone}
    if left and path != "tf-checkpoint":
        raise NoRoute(
            f"{path} never writes hash tables ({_few(left)}), whose contents would be lost: choose another --to, or "
            f"{_ALSO}"
        )
    beside = tuple(address for address in left if _is_beside(address, route))
    for address, target in left.items():
        if address not in beside:
            _check_table(address, target, route, model)
    words = {address: name for address, name in vocabularies.items() if address not in gone}
    if words:
        _check_vocabularies(words, route, path, model)
    return Lookups(left, beside, tuple(words), tuple(gone))


def targets(model: Signature, steps: Sequence[Migration]) -> dict[str, str | None]:
    """{address in a model: where migrations take what is there, None for what they drop}."""
    addresses = _tables(model) | _vocabularies(model).keys()
    dropped = {at for at in addresses if any(matches(pattern, at) for step in steps for pattern in step.drop)}
    return {at: None if at in dropped else _through(at, steps) for at in sorted(addresses)}


def _check_table(address: str, target: str, route: Route, model: Signature) -> None:
    """Raises NoRoute where the model has no table there, or has others at the numbers that lead to them."""
    inside = _inside(target, route)
    now, before = _tables(model), _tables(route.start.signature)
    if inside not in now:
        raise NoRoute(
            f"it holds the contents of the hash table {address}, and the model of today has none at {inside}: rename "
            f"it in a migration, or {_ALSO}"
        )
    # Its number in a list changes with whatever comes before it.
    if any(character.isdigit() for character in inside) and now != {_through(name, route.steps) for name in before}:
        raise NoRoute(
            f"it holds the contents of the hash table {address}, and the model of today has other tables than it had: "
            f"which is which cannot be told. Rename it in a migration, or {_ALSO}"
        )


def _check_vocabularies(words: Mapping[str, str | None], route: Route, path: str, model: Signature) -> None:
    """Raises NoRoute where the result would not hold them, or the model of today has other layers with one."""
    if path != "keras-archive":
        raise NoRoute(
            f"{path} never writes vocabularies ({_few(words)}), which would be lost: choose another --to, or {_ALSO}"
        )
    before, now = _vocabularies(route.start.signature), _vocabularies(model)
    alone = len(words) == len(now) == 1
    if words.keys() != now.keys() or (before != now and not alone):
        raise NoRoute(
            f"it holds the vocabularies of lookup layers ({_few(words)}), and the model of today has other ones "
            f"({_few(now) or 'none'}): which is which cannot be told. Have the same ones in the "
            f"code, or {_ALSO}"
        )


def _tables(model: Signature) -> set[str]:
    """The addresses of all objects that hold values and are no variables."""
    return {*tf_checkpoint.states(model.object_graph).values()}


def _vocabularies(model: Signature) -> dict[str, str | None]:
    """{address: the layer's name}."""
    tree = model.keras_tree
    return {at: tree.nodes[node].name for at, node in keras_weights.save(tree).lookups.items()} if tree else {}


def _is_beside(address: str, route: Route) -> bool:
    return route.fit.is_elsewhere(address)


def _inside(address: str, route: Route) -> str:
    """The address within the model, of what is in it."""
    edge = route.fit.edge
    return address if edge is None else address.removeprefix(f"{edge}/")


def _renamed(address: str, route: Route) -> str:
    """The address of the result."""
    if _is_beside(address, route):
        return address
    edge, inside = route.fit.edge, _through(_inside(address, route), route.steps)
    return inside if edge is None else f"{edge}/{inside}"


def _through(address: str, steps: Collection[Migration]) -> str:
    for step in steps:
        targets = (rename(entry.old, entry.new, address) for entry in step.rename)
        address = next((target for target in targets if target is not None), address)
    return address


def _few(names: Collection[str]) -> str:
    return ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
