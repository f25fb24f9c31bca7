"""One side of the user's project: its configuration and its manifests, read and not yet judged."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from restore_guard import config
from restore_guard.change.repository import Repository
from restore_guard.change.states import Side
from restore_guard.errors import UsageError
from restore_guard.promise import excerpts, migrations
from restore_guard.rules import RULES
from restore_guard.signature import Reads

if TYPE_CHECKING:  # start-up counts
    from restore_guard.promise.manifest import Found


@dataclass(frozen=True)
class Project:
    """One side of the project: its configuration and the manifests of its models."""

    side: Side
    file: str
    config: config.Config
    read: Callable[[str], bytes | None]
    manifests: Mapping[str, bytes | None] = field(default_factory=dict)
    _parsed: dict[str, Found] = field(default_factory=dict, compare=False, repr=False)

    def named(self, names: Sequence[str]) -> list[str]:
        """The models of these names; all for none.

        Raises:
            UsageError: a name is not configured.
        """
        for name in names:
            if name not in self.config.models:
                known = ", ".join(self.config.models)
                raise UsageError(f"{name} is not a configured model; {self.file} configures {known}.")
        return list(names or self.config.models)

    def manifest_file(self, name: str) -> str:
        return posixpath.join(self.config.manifests, f"{name}.json")

    def migrations_file(self, name: str) -> str:
        return posixpath.join(self.config.manifests, f"{name}.migrations.toml")

    def migrations(self, name: str) -> migrations.Found:
        """The migrations of a model, or why they cannot be read."""
        file = self.migrations_file(name)
        content = self.read(file)
        try:
            return migrations.parse(content, file) if content is not None else None
        except migrations.MigrationError as error:
            return error

    def sources(self, name: str) -> frozenset[str]:
        """The files that the build of a model read when its manifest was written."""
        return frozenset(self.trace(name).sources)

    def trace(self, name: str) -> Reads:
        """All that the build of a model depended on when its manifest was written."""
        content = self.manifests.get(name)
        return excerpts.trace(content, name) if content is not None else Reads()

    def manifest(self, name: str) -> Found:
        """The manifest of a model, or why it cannot be read; None where there is none."""
        if name not in self._parsed:
            self._parsed[name] = self._parse(name)
        return self._parsed[name]

    def _parse(self, name: str) -> Found:
        from restore_guard.promise import manifest

        content = self.manifests.get(name)
        if content is None:
            return None
        try:
            return manifest.parse(content, self.manifest_file(name), name)
        except manifest.ManifestError as error:
            return error


class Projects(NamedTuple):
    """The project on both sides of a change; `base` is None where there is nothing before, or nothing to read."""

    base: Project | None
    head: Project

    @property
    def known(self) -> list[Project]:
        return [self.head, *([self.base] if self.base is not None else [])]


_SHARED_TABLE = re.compile(rb"^\s*\[\[?tool\.restore-guard\b", re.MULTILINE)
"""What only a pyproject.toml has, by whatever name a copy of it is kept."""


def _only(settings: Path) -> Callable[[str], bytes | None]:
    """Gives this one file of a configuration, by the name whose form it has."""
    try:
        content = settings.read_bytes()
    except OSError as error:
        raise UsageError(f"{settings} cannot be read: {error.strerror}.") from error
    is_shared = settings.name == config.SHARED_FILE or _SHARED_TABLE.search(content) is not None
    form = config.SHARED_FILE if is_shared else config.OWN_FILE
    return lambda name: content if name == form else None


class NotConfiguredError(UsageError):
    """A side that configures no model."""


def load(repository: Repository, side: Side, settings: Path | None = None) -> Project:
    """Reads one side's configuration and the bytes of its manifests.

    Args:
        settings: a file on disk whose configuration counts instead, as for commits from before there was one.

    Raises:
        NotConfiguredError: no configuration, or one without a model.
        UsageError: one that cannot be read.
    """
    read = repository.reader(side)
    try:
        found = config.load(_only(settings) if settings is not None else read, rules=RULES)
    except UsageError as error:
        if settings is None:
            raise
        raise UsageError(re.sub(rf"^({config.SHARED_FILE}|{config.OWN_FILE})", settings.name, str(error))) from error
    if found is None:
        raise NotConfiguredError(
            "restore-guard is not configured: add a [tool.restore-guard.models.<name>] table with "
            'builder = "package.module:function" to pyproject.toml.'
        )
    file, loaded = found
    if not loaded.models:
        raise NotConfiguredError(
            f"{file} configures no model, so nothing would be checked: add a "
            '[tool.restore-guard.models.<name>] table with builder = "package.module:function".'
        )
    manifests = {name: read(posixpath.join(loaded.manifests, f"{name}.json")) for name in loaded.models}
    return Project(side, file, loaded, read, manifests)
