"""`.weights.h5`: Keras walks the attributes of saved and loading model alike and meets in the same addresses.

Source: keras/src/saving/saving_lib.py, `_save_state`, `_load_state`, `_save_container_state`,
`_load_container_state`, `H5IOStore`; `Layer.load_own_variables`, `BaseOptimizer.load_own_variables`.
Keras 2 (2.12+) raises at the first error and skips visited layers before it numbers a container's items; with
`skip_mismatch` it goes on after each error. Keras 3 collects errors, lets a later address mend an earlier failure, and
numbers all items.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NoReturn

import msgspec

from restore_guard.keras_tree import Items, KerasTree, TreeNode
from restore_guard.restore_paths.h5 import UNREADABLE
from restore_guard.restore_paths.outcome import Failure, Outcome, compatible, settle
from restore_guard.signature import Signature


def restore(saved: Signature, model: Signature) -> Outcome:
    """What `model.load_weights("x.weights.h5")` does with a file that `saved` wrote."""
    if saved.keras_tree is None or model.keras_tree is None:
        return Outcome("unsupported", failures=(Failure("only a Keras model has save_weights"),))
    if not saved.eager:
        message = "numpy() is only available when eager execution is enabled."
        return Outcome("unsupported", failures=(Failure(message),))
    if not saved.keras_tree.nodes[0].built:
        return Outcome("unsupported", failures=(Failure("You are saving a model that has not yet been built."),))
    if model.keras_tree.refuses_unbuilt and not model.keras_tree.nodes[0].built:
        message = "You are loading weights into a model that has not yet been built."
        return Outcome("raises", failures=(Failure(message),))
    return load(saved, model)


def load(
    saved: Signature, model: Signature, *, archived: bool = False, configured: Mapping[str, str] | None = None
) -> Outcome:
    """What `_load_state` does to a model with the weights that `saved` wrote, built or not.

    Args:
        archived: they are in a `.keras` file, and the vocabularies of lookup layers beside them.
        configured: {variable that was given its value when the model was made of that file's configuration: the saved
            one whose value that is}.
    """
    trees = saved.known_tree, model.known_tree
    file, kind = save(trees[0]), _Load3 if trees[1].generation == 3 else _Load2
    load = kind(saved, model, file, archived)
    if file.plain and load.is_its_own:
        load.back()
    else:
        load.run()
    load.keep(configured or {})
    return settle(
        saved,
        model,
        assigned=load.assigned,
        used=load.used,
        written=[position for group in file.groups.values() for position in group],
        written_at=lambda: {
            position: f"{path}/vars/{n}" for path, group in file.groups.items() for n, position in enumerate(group)
        },
        read_at=load.read_at,
        failures=() if load.skips and not load.ended else tuple(load.failures.values()),
        certain=not any(node.role == "custom" for tree in trees for node in tree.nodes),
    )


def contents(signature: Signature, *, archived: bool = False) -> object:
    """Every group that holds a variable, with its variables in order; in a `.keras` file the vocabularies too."""
    tree = signature.keras_tree
    if tree is None:
        return None
    file = save(tree)
    groups = {path: _paths(signature, group) for path, group in file.groups.items() if group}
    return tree.generation, tree.nodes[0].built, groups, file.vocabularies if archived else None


def _paths(signature: Signature, positions: Sequence[int]) -> list[str]:
    return [signature.variables[position].path for position in positions]


class File(msgspec.Struct, dict=True):
    """A weights file without its values.

    Attributes:
        groups: {address: positions of the variables in saved order}.
        vocabularies: {address: known or empty}, of lookup layers; only a `.keras` file has them.
        lookups: {address: node} of these layers.
        plain: every object has an address of its own and none holds itself, so that loading it into what was saved
            goes the same way and gives each variable its own value.
    """

    groups: dict[str, tuple[int, ...]] = msgspec.field(default_factory=dict)
    vocabularies: dict[str, str] = msgspec.field(default_factory=dict)
    lookups: dict[str, int] = msgspec.field(default_factory=dict)
    plain: bool = True

    @cached_property
    def paths(self) -> set[str]:
        """Every group that exists, the ones in between as well."""
        found: set[str] = set()
        for path in self.groups:
            while path and path not in found:
                found.add(path)
                path = path.rpartition("/")[0]
        return found


def save(tree: KerasTree) -> File:
    """The file that `save_weights` writes."""
    file, visited, around, taken = File(), set(), set(), set()

    def visit(number: int, path: str) -> None:
        if number in visited:
            file.plain = file.plain and number not in around
            return
        node = tree.nodes[number]
        file.plain = file.plain and path not in taken
        taken.add(path)
        # Keras 3 makes a group for whatever has a name (its metadata), Keras 2 for all.
        if node.role != "stateless" and (node.variables or node.name is not None or tree.generation == 2):
            file.groups[path] = node.variables
        if node.vocabulary is not None:
            file.vocabularies[path] = node.vocabulary
            file.lookups[path] = number
            file.plain = file.plain and node.vocabulary == "known"
        visited.add(number)
        around.add(number)
        for attribute, target in node.children:
            below = _join(path, attribute)
            if isinstance(target, int):
                visit(target, below)
            else:
                container(target, below)
        around.discard(number)

    def container(items: Items, path: str) -> None:
        for name, target in _numbered(items, visited if tree.generation == 2 else ()):
            if isinstance(target, int):
                visit(target, _join(path, name))
            elif target is not None:
                container(target, _join(path, name))

    visit(0, "")
    return file


def _numbered(items: Items, skipped: Collection[int]) -> Iterator[tuple[str, int | Items | None]]:
    """Yields (unique name, target): the second `dense` is `dense_1`. `skipped` is looked at as the walk goes on."""
    counts: dict[str, int] = {}
    for key, target in items:
        if isinstance(target, int) and target in skipped:
            continue
        count = counts[key] = counts.get(key, -1) + 1
        yield (f"{key}_{count}" if count else key), target


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


class _Failed(Exception):
    """`load_own_variables` raised."""


class _Load:
    """What both generations share: the assignment of one object's own variables."""

    def __init__(self, saved: Signature, model: Signature, file: File, archived: bool) -> None:
        self.saved, self.model, self.file, self.archived = saved, model, file, archived
        self.olds, self.news = saved.variables, model.variables
        self.tree = model.known_tree
        self.assigned: dict[int, int] = {}
        self.used: set[int] = set()
        self.looked_at: list[tuple[str, tuple[int, ...]]] = []
        self.visited: set[int] = set()
        self.failures: dict[int, Failure] = {}
        # Keras 3 writes beside the bytes which type they are, and reads it.
        self.knows_bfloat16 = saved.known_tree.generation == self.tree.generation == 3
        # `load_model` knows no such argument.
        self.skips = not archived and "keras-weights" in model.load.skips
        self.ended = False
        self.is_its_own = self.tree is saved.keras_tree and self.news is self.olds and self.knows_bfloat16

    def back(self) -> None:
        """What the walk of a plain file does to the model that wrote it."""
        for path, group in self.file.groups.items():
            self.assigned.update(zip(group, group, strict=True))
            self.looked_at.append((path, group))
        self.used.update(self.assigned)

    def keep(self, configured: Mapping[str, str]) -> None:
        """Takes the values that a configuration has given for saved ones, where no weights came after them."""
        if not configured:
            return
        olds = {variable.path: position for position, variable in enumerate(self.olds)}
        for to, variable in enumerate(self.news):
            if variable.path in configured and to not in self.assigned:
                old = olds[configured[variable.path]]
                self.assigned[to] = old
                self.used.add(old)

    def own(self, number: int, path: str) -> None:
        """`load_own_variables` of one object, and its `load_assets`.

        Raises:
            _Failed: as Keras raises; what was assigned before the error stays assigned.
        """
        self.variables(number, path)
        # A file without any asset has no store of them: nothing asks for one.
        if self.archived and self.file.vocabularies and self.tree.nodes[number].vocabulary is not None:
            vocabulary = self.file.vocabularies.get(path)
            if vocabulary is None:
                self.fail(number, "expected str, bytes or os.PathLike object, not NoneType", (), ())
            elif vocabulary == "empty":
                self.fail(number, "a lookup layer without a vocabulary is saved and cannot be loaded", (), ())

    def variables(self, number: int, path: str) -> None:
        """The variables of one object.

        Raises:
            _Failed: as Keras raises; what was assigned before the error stays assigned.
        """
        node, stored = self.tree.nodes[number], self.file.groups.get(path, ())
        expected = node.variables
        if expected:
            self.looked_at.append((path, expected))
        if node.role == "stateless":
            return
        if len(stored) != len(expected):
            if node.role != "optimizer":
                self.fail(number, _count_message(self.model, node, stored), stored, expected)
            if node.name is None and self.tree.generation == 2:
                # Keras 2 names what it skips, and an optimizer that scales losses has no name.
                self.fail(number, f"'{node.type}' object has no attribute 'name'", stored, expected)
            return
        for source, to in zip(stored, expected, strict=True):
            old, new = self.olds[source], self.news[to]
            if not compatible(old.shape, new.shape):
                message = (
                    "The shape of the target variable and the shape of the target value in "
                    f"`variable.assign(value)` must match. variable.shape={new.shape}, "
                    f"Received: value.shape={old.shape}. Target variable: {new.path}"
                )
                self.fail(number, message, stored, expected)
            if old.dtype == "bfloat16" and not self.knows_bfloat16:
                self.fail(number, UNREADABLE, stored, expected)
            self.assigned[to] = source
            self.used.add(source)

    def read_at(self) -> dict[int, str]:
        """{variable of the model: the first address that it is looked for at}."""
        found: dict[int, str] = {}
        for path, variables in self.looked_at:
            for position in variables:
                found.setdefault(position, path)
        return found

    def fail(self, number: int, message: str, stored: Sequence[int], expected: Sequence[int]) -> NoReturn:
        """Keras tells the error of the last address it tried; the variables of all of them are kept."""
        earlier = self.failures.get(number, Failure(message))
        saved = (*earlier.saved, *(self.olds[position].path for position in stored))
        model = (*earlier.model, *(self.news[position].path for position in expected))
        self.failures[number] = Failure(message, tuple(dict.fromkeys(saved)), tuple(dict.fromkeys(model)))
        raise _Failed


def _count_message(model: Signature, node: TreeNode, stored: tuple[int, ...]) -> str:
    if not node.variables and not node.built:
        return (
            f"Layer '{node.name}' was never built and thus it doesn't have any variables. "
            f"However the weights file lists {len(stored)} variables for this layer."
        )
    names = [model.variables[position].path.rpartition("/")[2] for position in node.variables]
    return (
        f"Layer '{node.name}' expected {len(node.variables)} variables, but received {len(stored)} "
        f"variables during loading. Expected: {names}"
    )


class _Load3(_Load):
    """Keras 3: an object that failed may succeed at a later address; what is failed at the end raises."""

    def run(self) -> None:
        self.failed: set[int] = set()
        try:
            self.state(0, "")
        except RecursionError as error:
            # An object that holds what holds it: Keras 3 goes round in circles as well.
            self.failures = {0: Failure(f"RecursionError: {error}")}
            self.ended = True
            return
        self.failures = {number: self.failures[number] for number in self.failures if number in self.failed}

    def state(self, number: int, path: str) -> None:
        if number in self.visited:
            return
        failed = False
        try:
            self.own(number, path)
        except _Failed:
            self.failed.add(number)
            failed = True
        before = len(self.failed)
        for attribute, target in self.tree.nodes[number].children:
            below = _join(path, attribute)
            if isinstance(target, int):
                self.state(target, below)
            else:
                self.container(target, below)
        if not failed:
            if len(self.failed) <= before:
                self.visited.add(number)
            self.failed.discard(number)

    def container(self, items: Items, path: str) -> None:
        for name, target in _numbered(items, ()):
            below = _join(path, name)
            if isinstance(target, int):
                self.state(target, below)
            elif target is not None and below in self.file.paths:
                self.container(target, below)
            elif target is not None:
                # A file from before Keras walked nested containers: failures in here only warn.
                outer, self.failed = self.failed, set()
                self.container(target, below)
                self.failed = outer


class _Load2(_Load):
    """Keras 2: the first error raises, unless what does not match is skipped."""

    def run(self) -> None:
        try:
            self.state(0, "")
        except _Failed:
            return

    def state(self, number: int, path: str) -> None:
        if number in self.visited:
            return
        try:
            self.own(number, path)
        except _Failed:
            if not self.skips:
                raise
        self.visited.add(number)
        for attribute, target in self.tree.nodes[number].children:
            below = _join(path, attribute)
            if isinstance(target, int):
                self.state(target, below)
            else:
                for name, item in _numbered(target, self.visited):
                    if isinstance(item, int):  # Keras 2 walks no containers within containers
                        self.state(item, _join(below, name))
