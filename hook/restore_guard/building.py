"""Builds models from the sides of a repository: taken from the cache where nothing of substance changed, else made.

TensorFlow is started only for what must be made, and is imported while git writes the files.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import msgspec

from restore_guard import builds, cache, environment, installed
from restore_guard.builds import Build, Job, Probe
from restore_guard.config import Config
from restore_guard.repository import Repository, Side


@dataclass(frozen=True, eq=False)
class Order:
    """A configured model to build from one side."""

    id: str
    side: Side
    config: Config
    name: str


class Building:
    """What one run builds with. A context manager: leaving it ends the Python and removes the files.

    Args:
        python: what the configuration says of whose Python builds.
    """

    def __init__(
        self,
        repository: Repository,
        python: str | None,
        environ: Mapping[str, str],
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.repository, self.progress = repository, progress
        self.worktree = repository.root / repository.project
        self.python = environment.find(python, self.worktree, environ).path
        self.environ = environ
        self._stack = ExitStack()
        self._roots: dict[Side, Path] = {}
        self._trees: dict[Side, cache.Tree] = {}

    def __enter__(self) -> Building:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @cached_property
    def probe(self) -> Probe:
        """The warm Python, started when it is first needed."""
        return self._stack.enter_context(Probe(self.python, self.progress))

    @cached_property
    def cache(self) -> cache.Cache:
        environ = builds.environment(self.environ)
        folder = cache.folder(self.environ)
        return cache.Cache(folder, installed.ask(self.python, environ) if folder else None, environ)

    def build(self, orders: Sequence[Order]) -> dict[str, Build]:
        """{order's id: Build}, one for every order.

        Raises:
            UncheckedError: the Python has no TensorFlow, or git cannot write a side's files.
        """
        kept = {order: self.cache.find(self._job(order), self._tree(order.side)) for order in orders}
        built = {order.id: build for order, build in kept.items() if build is not None}
        missing = [order for order in orders if order.id not in built]
        if missing:
            # In this order: the files are removed after the probe has ended.
            self._folder, self.probe  # noqa: B018
            made = self.probe.run([self.job(order) for order in missing])
            for order in missing:
                self.cache.keep(self._job(order), self._tree(order.side), made[order.id])
            built |= made
        return built

    def job(self, order: Order) -> Job:
        """The build of a model from its side's files, which are written to a folder if they are not on disk."""
        return replace(self._job(order), root=self._root(order.side))

    def seconds(self, order: Order) -> float | None:
        """How long the model took to build when that was last recorded."""
        return self.cache.seconds(self._job(order))

    @cached_property
    def _folder(self) -> Path:
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="restore-guard-")))

    def _job(self, order: Order) -> Job:
        model = order.config.models[order.name]
        return Job(
            id=order.id,
            root=self.worktree,
            builder=model.builder,
            kwargs=model.kwargs,
            inputs=[msgspec.to_builtins(item) for item in model.inputs],
            pythonpath=order.config.pythonpath,
            worktree=self.worktree,
            timeout=order.config.timeout,
        )

    def _root(self, side: Side) -> Path:
        if side.tree is None:
            return self.worktree
        if side not in self._roots:
            self.progress(f"writing the files of {side.label} to a temporary folder")
            folder = self._folder / str(len(self._roots))
            folder.mkdir()
            self.repository.materialise(side, folder)
            self._roots[side] = folder / self.repository.project
        return self._roots[side]

    def _tree(self, side: Side) -> cache.Tree:
        return self._trees.setdefault(side, cache.Tree(self.repository, side))
