"""Builds models from the sides of a repository: taken from the cache where nothing of substance changed, else made.

TensorFlow is started only for what must be made, and is imported while git writes the files.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from restore_guard import folders
from restore_guard.build import Answer, Build, Job
from restore_guard.building import apart, cache, isolation
from restore_guard.building.crossing import crossed
from restore_guard.building.probing import Probe
from restore_guard.building.side_files import Tree
from restore_guard.change import lfs
from restore_guard.change.carried import carried, lacking
from restore_guard.change.run import Run
from restore_guard.change.states import Side
from restore_guard.config import Config
from restore_guard.environments import concealed, installed
from restore_guard.folders import cache_folder
from restore_guard.promise import excerpts


class BuildOrder(msgspec.Struct, frozen=True, eq=False):
    """A configured model to build from one side, by one Python; a `build.Job` is made of it once its files are there.

    The build serves to judge `restores`.
    """

    id: str
    python: Path
    side: Side
    config: Config
    name: str
    restores: Sequence[str]


class ModelTask(msgspec.Struct, frozen=True):
    """Something else to do with the model of an order; it becomes a `build.Job` of another task than "build"."""

    id: str
    order: BuildOrder
    task: str
    options: Mapping[str, Any]


def model_job(config: Config, name: str, worktree: Path) -> Job:
    """The build of a configured model, of the files on disk."""
    model = config.models[name]
    return Job(
        id=name,
        root=worktree,
        builder=model.builder,
        kwargs=model.kwargs,
        inputs=[msgspec.to_builtins(item) for item in model.inputs],
        pythonpath=config.pythonpath,
        worktree=worktree,
        timeout=config.timeout,
        load=msgspec.to_builtins(model.load),
        environ=model.environ,
    )


class Workshop:
    """What one run builds with. A context manager: leaving it ends the Pythons and removes the files.

    Args:
        hash_seed: what decides the order of sets in its builds.
        carry: patterns of files that git ignores: they are copied from the work tree for every side.
    """

    def __init__(self, run: Run, hash_seed: str = isolation.HASH_SEED, carry: Sequence[str] = ()) -> None:
        self.hash_seed, self._carry = hash_seed, carry
        self.repository, self.environ, self.progress = run.repository, run.environ, run.progress
        self.worktree = run.folder
        self._stack = ExitStack()
        self._probes: dict[Path, Probe] = {}
        self._caches: dict[Path, cache.Cache] = {}
        self._asked: dict[Path, Future[installed.Installed | None]] = {}
        self._roots: dict[Side, Path] = {}
        self._trees: dict[Side, Tree] = {}
        self._writing: set[str] = set()
        self._apart = apart.Apart(self.repository, self.folder, lambda: self._carried)

    def __enter__(self) -> Workshop:
        concealed.conceal()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def ask_ahead(self, pythons: Iterable[Path]) -> None:
        """Starts to ask Pythons what they have installed, which the cache has to know: other work is done meanwhile."""
        for python in pythons:
            if self._cache_folder is not None and python not in self._asked:
                self._asked[python] = self._questions.submit(installed.ask, python, self._isolated)

    @cached_property
    def _questions(self) -> ThreadPoolExecutor:
        return self._stack.enter_context(ThreadPoolExecutor(1))

    def build(self, orders: Sequence[BuildOrder]) -> dict[str, Build]:
        """{order's id: Build}, one for every order.

        Raises:
            UncheckedError: a Python has no TensorFlow, or git cannot write a side's files.
        """
        kept = {order.id: self._cache(order).find(self._job(order), self._tree(order.side)) for order in orders}
        built = {number: build for number, build in kept.items() if build is not None}
        missing = [order for order in orders if order.id not in built]
        # All are warming up while git writes the files.
        for order in missing:
            self._probe(order.python)
        purpose = f"building {_named(order.name for order in missing)} {_located(order.side for order in missing)}"
        self._writing |= {order.name for order in orders if order.id in built and _writes(built[order.id])}
        jobs = {order.id: (order, self._rooted(order)) for order in missing}
        made = self._run(jobs, purpose)
        on_disk = [job for order, job in jobs.values() if order.side.tree is None]
        self._writing |= {jobs[job.id][0].name for job in on_disk if made[job.id].writes is not None}
        made |= self._apart.again(
            on_disk, made, lambda again: self._run({job.id: (jobs[job.id][0], job) for job in again}, purpose)
        )
        made = {order.id: self._without_pointers(order, made[order.id]) for order in missing}
        made = {order.id: self._with_advice(order, made[order.id]) for order in missing}
        done = self._without_crossed(orders, built | made)
        for order in missing:
            self._cache(order).keep(self._job(order), self._tree(order.side), done[order.id])
        for kept_in in {self._cache(order) for order in missing}:
            kept_in.make_room()
        return done

    def _without_crossed(self, orders: Sequence[BuildOrder], built: Mapping[str, Build]) -> dict[str, Build]:
        found = dict(built)
        for side in {order.side for order in orders}:
            its = {order.name: order.id for order in orders if order.side == side}
            traces = {name: trace for name, number in its.items() if (trace := built[number].trace) is not None}
            for name, failure in crossed(traces).items():
                found[its[name]] = replace(built[its[name]], signature=None, failure=failure)
        return found

    def build_variants(self, variants: Mapping[str, tuple[BuildOrder, str, str]]) -> dict[str, Build]:
        """{number: Build} of copies of a side, each with another text of one file; nothing of them is kept.

        Args:
            variants: {number: (the build, a file of the project, its text)}.

        Raises:
            UncheckedError: as `build`.
        """
        jobs = {}
        for number, (order, file, text) in variants.items():
            root = self._copied(order.side)
            target = root / file
            # A link of the repository may lead to a file of the user's.
            if not target.is_symlink() and target.resolve().is_relative_to(self._folder.resolve()):
                target.write_text(text, encoding="utf-8", newline="")
            jobs[number] = order, replace(self._job(order), id=number, root=root)
        return self._run(jobs, f"trying repairs of {_named(order.name for order, _, _ in variants.values())}")

    def do(self, tasks: Sequence[ModelTask], purpose: str) -> dict[str, Answer]:
        """{task's id: Answer}, one for every task.

        Args:
            purpose: what they are for, as people are told while they wait: their models are named after it.
        """
        jobs = {}
        for task in tasks:
            job = replace(self._rooted(task.order), id=task.id, task=task.task, options=task.options)
            jobs[task.id] = task.order, job
        return self._run(jobs, f"{purpose} of {_named(task.order.name for task in tasks)}")

    def run(self, python: Path, jobs: Sequence[Job]) -> dict[str, Answer]:
        """{job's id: Answer}, of what needs no model."""
        return self._probe(python).run(jobs, "reading checkpoints") if jobs else {}

    def folder(self) -> Path:
        """A new empty folder that lasts as long as the building."""
        return Path(tempfile.mkdtemp(dir=self._folder))

    def _run(self, jobs: Mapping[str, tuple[BuildOrder, Job]], purpose: str) -> dict[str, Any]:
        self.repository.rest()
        of_python: dict[Path, list[Job]] = {}
        for order, job in jobs.values():
            of_python.setdefault(order.python, []).append(job)
        done: dict[str, Any] = {}
        for python, its in of_python.items():
            done |= self._probe(python).run(its, purpose)
        return done

    @cached_property
    def _folder(self) -> Path:
        folders.remove_abandoned()
        return self._stack.enter_context(folders.temporary())

    def _probe(self, python: Path) -> Probe:
        """A warm Python, started when it is first needed."""
        self._folder  # noqa: B018 - made before and so removed after it: builds have files open there
        if python not in self._probes:
            self._probes[python] = self._stack.enter_context(Probe(python, self.progress, self.hash_seed))
        return self._probes[python]

    def _cache(self, order: BuildOrder) -> cache.Cache:
        if order.python not in self._caches:
            self.ask_ahead([order.python])
            asked = self._asked.get(order.python)
            known = asked.result() if asked is not None else None
            self._caches[order.python] = cache.Cache(self._cache_folder, known, self._isolated)
        return self._caches[order.python]

    @cached_property
    def _cache_folder(self) -> Path | None:
        return cache_folder(self.environ)

    @cached_property
    def _objects(self) -> Path:
        return self.repository.objects()  # asked of git once, and not for each of thousands of models

    @cached_property
    def _isolated(self) -> dict[str, str]:
        return isolation.environment(self.environ, self.hash_seed)

    def _tree(self, side: Side) -> Tree:
        if side not in self._trees:
            self._trees[side] = Tree(self.repository, side, self._carried)
        return self._trees[side]

    def _job(self, order: BuildOrder) -> Job:
        """The build without its files."""
        job = model_job(order.config, order.name, self.repository.root / self.repository.folder(order.side))
        job = replace(job, id=order.id, project=self.repository.folder(order.side), restores=order.restores)
        return job if job.inputs else replace(job, inputs=self._known_inputs(order))

    def _rooted(self, order: BuildOrder) -> Job:
        """The build from its side's files, which are written to a folder if they are not on disk."""
        root = self._root(order.side)
        if root != self.worktree:
            lfs.fill(root, self._recorded(order), self._objects)
        job = replace(self._job(order), root=root)
        return self._apart.moved(job) if order.side.tree is None and order.name in self._writing else job

    def _known_inputs(self, order: BuildOrder) -> list[dict[str, Any]]:
        """The inputs that the model had when its manifest was written: it may need a call to make its variables."""
        tensors = excerpts.inputs(self._manifest(order))
        return [{"shape": list(tensor.shape[1:]), "dtype": tensor.dtype} for tensor in tensors]

    def _recorded(self, order: BuildOrder) -> frozenset[str]:
        """The files that the model's build read when its manifest was written."""
        return frozenset(excerpts.trace(self._manifest(order), order.name).sources)

    def _manifest(self, order: BuildOrder) -> bytes:
        """Its content at the order's side; nothing where there is none."""
        file = posixpath.join(order.config.manifests, f"{order.name}.json")
        return self.repository.reader(order.side)(file) or b""

    def _without_pointers(self, order: BuildOrder, build: Build) -> Build:
        """A build that read a pointer of Git LFS has read something else than the file that it stands for."""
        read = build.signature.sources if build.signature else self._recorded(order)
        found = next((path for path in read if lfs.pointer(self._root(order.side) / path)), None)
        if found is None:
            return build
        failure = (
            f"{found} is a pointer of Git LFS here, not the file itself: run `git lfs pull`, or "
            f"`restore-guard update {order.name}` where its manifest does not list the file yet"
        )
        return replace(build, signature=None, failure=failure)

    def _with_advice(self, order: BuildOrder, build: Build) -> Build:
        """A build that lacks a file which the work tree has and git ignores, with what to do."""
        if build.signature is not None or (order.side.tree is None and order.name not in self._writing):
            return build
        said = f"{build.failure}\n{build.detail}"
        file = lacking(self.repository, said, self._rooted(order).root, order.config.pythonpath)
        if file is None:
            return build
        return replace(
            build, failure=f'{build.failure}. {file} is on disk but ignored by git: add carry = ["{file}"] to carry it'
        )

    @cached_property
    def _carried(self) -> list[str]:
        return carried(self.repository, self._carry)

    def _carry_into(self, root: Path) -> None:
        """Copies the files of the work tree that git ignores; never over one of the side's own, never out of it."""
        for path in self._carried:
            target = root / path
            if not target.parent.resolve().is_relative_to(root.resolve()) or os.path.lexists(target):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.worktree / path, target)

    def _copied(self, side: Side) -> Path:
        """The project in a folder of its own."""
        if side.tree is not None:
            return self._written(side)
        return apart.copied(self.repository, self.folder()) / self.repository.project

    def _root(self, side: Side) -> Path:
        if side.tree is None:
            return self.worktree
        if side not in self._roots:
            self.progress(f"writing the files {side.where} to a temporary folder")
            self._roots[side] = self._written(side)
        return self._roots[side]

    def _written(self, side: Side) -> Path:
        """The project as a side of git's has it, in a new folder, with the files that are carried."""
        folder = self.folder()
        self.repository.materialise(side, folder)
        project = folder / self.repository.folder(side)
        self._carry_into(project)
        return project


def _writes(build: Build) -> bool:
    return build.trace is not None and bool(build.trace.written)


def _named(names: Iterable[str]) -> str:
    """One or two models by name, more of them counted."""
    known = list(dict.fromkeys(names))
    return " and ".join(known) if len(known) <= 2 else f"{len(known)} models"


def _located(sides: Iterable[Side]) -> str:
    return " and ".join(dict.fromkeys(side.where for side in sides))
