"""The models that a change may have touched, and what the change is for each of them. Builds nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import chain

import msgspec

from restore_guard.build import Build
from restore_guard.change import entry, environment_files
from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.change.pins_moved import Move, moves, settled
from restore_guard.change.states import Change
from restore_guard.promise import manifest
from restore_guard.promise.project import Projects


class Suspects(msgspec.Struct, frozen=True, dict=True):
    """The models that a change may have touched.

    Attributes:
        projects: the project on both sides.
        changes: the files that differ, relative to the project.
        names: the models, all configured at the head.
    """

    projects: Projects
    changes: Sequence[Change]
    names: Sequence[str]

    @cached_property
    def restores(self) -> dict[str, tuple[str, ...]]:
        """{model: the restore paths that either side promises}, so that both are built alike.

        Also of models that checkpoints of these are restored into.
        """
        others = (other for name in self.names for other in targets(self.projects, name))
        return promised_paths(self.projects, list(dict.fromkeys([*self.names, *others])))

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """The packages that the change asks for in another version; none without a base that could ask."""
        base, head = self.projects
        if base is None:
            return ()
        return settled(
            move
            for change in self.changes
            if environment_files.differs(change, base.read, head.read)
            for move in moves(change.path, base.read(change.old_path or change.path), head.read(change.path))
        )

    def moves_of(self, names: Sequence[str]) -> tuple[Move, ...]:
        """The moves that matter to models: nobody has a checkpoint of one that the base does not name."""
        base = self.projects.base
        return self.moves if base is not None and not base.config.models.keys().isdisjoint(names) else ()

    def sources(self, name: str, builds: Sequence[Build | None]) -> frozenset[str]:
        """Every file that either side's model is made of, as its builds and its manifests tell."""
        known = [frozenset(build.signature.sources) for build in builds if build is not None and build.signature]
        return frozenset().union(*known, *(side.sources(name) for side in self.projects.known))

    def diff(self, name: str, sources: Collection[str]) -> Diff:
        """The changed files of one model, read on both sides, and what changed in its entry of the configuration."""
        base, head = self.projects
        files = {}
        for change in self.changes:
            old = change.old_path or change.path
            if old not in sources and change.path not in sources:
                continue
            new_content = head.read(change.path) if change.status != "D" else None
            old_content = base.read(old) if base is not None and change.status != "A" else None
            new_path = change.path if new_content is not None else None
            files[old] = FileDiff(new_path, _text(old_content), _text(new_content))
        module, _, function = head.config.models[name].builder.partition(":")
        stem = module.replace(".", "/")
        builder = next((path for path in sorted(sources) if path.endswith((f"{stem}.py", f"{stem}/__init__.py"))), "")
        old, new = (_text(side.read(head.file)) if side is not None else "" for side in (base, head))
        return Diff(
            files,
            read=lambda path: _text(head.read(path)),
            entry=entry.changed(head.file, old, new, name) if base is not None else {},
            builder=(builder, function),
        )


def targets(projects: Projects, name: str) -> list[str]:
    """The models of the head into which checkpoints of one are restored, as either side's configuration promises."""
    sides = [project.config.models[name].loads for project in projects.known if name in project.config.models]
    return [other for other in dict.fromkeys(chain.from_iterable(sides)) if other in projects.head.config.models]


def promised_paths(projects: Projects, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """{model: the restore paths that either side promises}."""
    promised: dict[str, tuple[str, ...]] = {}
    for name in names:
        for side in (projects.head, projects.base):
            if side is not None:
                found, model = side.manifest(name), side.config.models.get(name)
                kept = found.restores if isinstance(found, manifest.Manifest) else ()
                promised[name] = tuple({*promised.get(name, ()), *kept, *((model and model.restores) or ())})
    return promised


def _text(content: bytes | None) -> str:
    return content.decode(errors="replace") if content is not None else ""
