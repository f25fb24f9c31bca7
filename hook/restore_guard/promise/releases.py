"""The manifests of releases that are still in service, read from git at their tags; nothing is rebuilt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from restore_guard import config
from restore_guard.change.repository import Repository
from restore_guard.change.states import Side
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.promise.manifest import ManifestError, Release, parse
from restore_guard.rules import RULES


class Releases(msgspec.Struct, frozen=True):
    """What is known of the releases.

    Attributes:
        promises: {model: its releases, oldest first}.
        unread: {model: why what a tag promised of it cannot be read}.
    """

    promises: dict[str, tuple[Release, ...]]
    unread: dict[str, tuple[str, ...]]


def read(repository: Repository, patterns: Sequence[str], models: Sequence[str]) -> Releases:
    """Reads the manifests of models at all tags that match a pattern.

    Raises:
        UncheckedError: the clone has no such tag, but others, or it is shallow: they may only be missing here.
    """
    tags = repository.tags(patterns) if patterns else []
    if patterns and not tags and (others := repository.tags(["*"])):
        raise UncheckedError(
            f"no tag here matches releases = {list(patterns)}, so no release can be checked. There are others, "
            f"{others[-1][0]} for one: mend the pattern, or fetch the tags (git fetch --tags)."
        )
    if patterns and not tags and repository.is_shallow():
        raise UncheckedError(
            f"no tag here matches releases = {list(patterns)}, and this clone is shallow: fetch the tags first "
            "(fetch-tags: true at actions/checkout, or git fetch --tags --depth=1)."
        )
    found: dict[str, dict[bytes, list[str]]] = {model: {} for model in models}
    unread: dict[str, tuple[str, ...]] = {}
    for tag, side in tags:
        for model, content in _at(repository, tag, side, models):
            if isinstance(content, UncheckedError):
                unread[model] = (*unread.get(model, ()), f"{tag}: {content}")
            elif content is not None:
                found[model].setdefault(content, []).append(tag)
    promises: dict[str, tuple[Release, ...]] = {}
    for model, contents in found.items():
        for content, names in contents.items():
            try:
                release = Release(tuple(names), parse(content, f"{names[0]}: {model}.json", model))
                promises[model] = (*promises.get(model, ()), release)
            except ManifestError as error:
                unread[model] = (*unread.get(model, ()), str(error))
    return Releases(promises, unread)


def _at(
    repository: Repository, tag: str, side: Side | None, models: Sequence[str]
) -> Iterator[tuple[str, bytes | UncheckedError | None]]:
    """What a tag has of each model: its manifest, None, or why that cannot be told."""
    if side is None:
        for model in models:
            yield model, UncheckedError("its commit or its files are missing or damaged here; run git fsck")
        return
    reader = repository.reader(side)
    try:
        loaded = config.load(reader, rules=RULES)
    except UsageError:
        loaded = None  # a configuration of another version: manifests are where they are by default
    except UncheckedError as error:
        yield from ((model, error) for model in models)
        return
    folder = loaded[1].manifests if loaded is not None else config.Config().manifests
    for model in models:
        try:
            yield model, reader(f"{folder}/{model}.json")
        except UncheckedError as error:
            yield model, error
