"""All that is known of one model, before it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import msgspec

from restore_guard.build import Build, Witness
from restore_guard.change.diffs import Diff, Place
from restore_guard.change.pins_moved import Move
from restore_guard.config import Config
from restore_guard.judging.evidence import parameters
from restore_guard.promise import migrations
from restore_guard.promise.manifest import Earlier, Found, Manifest, Release
from restore_guard.restore_paths import default_paths, same_promise
from restore_guard.result import Behaviour, Migrated
from restore_guard.signature import Input, Revival, Signature


class Target(msgspec.Struct, frozen=True):
    """Another model of the head, into which checkpoints of a case's model are restored too.

    Attributes:
        build: of the head; before: what the model was at the base, None where there was none.
        restores: the restore paths that it promises.
        old, new: what really restoring the base's and the head's checkpoints into it showed; None where it was not
            tried.
    """

    name: str
    build: Build
    before: Signature | None
    restores: tuple[str, ...]
    diff: Diff
    old: Witness | None = None
    new: Witness | None = None


class Case(msgspec.Struct, frozen=True):
    """All that is known of one model.

    Attributes:
        manifest_file: its manifest, relative to the project.
        base_build: None where the base was not built, because there is none or it has no such model.
        covered: paths whose change would be noticed even if the manifest does not list them.
        head_revivals, base_revivals: {saved configuration: what that side's code makes of it}.
        witness: what really saving the base and restoring it into the head showed; None where it was not tried, for
            the reason in `unwitnessed`.
        chances: lines that leave to chance what the head builds.
        second: another build of the head that differs from `head_build`; None where none was made, or it is alike.
        moves: packages that the change asks for in another version.
        apart: whether each side was built in the environment of its own commit.
        one_python: whether the same Python built both, with the same packages.
        why_shared: why it was not, where the change moves TensorFlow or Keras.
        asked: {TensorFlow or Keras: the exact version that the head's files ask for}.
        must_be_witnessed: a path that could not be really tried counts as unchecked.
        head_migrations, base_migrations: each side's migrations, as they were found.
        earlier: the promises of older epochs in git's history, the newest first; only where migrations are edited.
        carried_earlier: {label of an older promise: as `carried`, of its checkpoints} where edits were tried.
        carried: {restore path: what really migrating a checkpoint of the base showed}; a path not tried is missing.
        uncarried: why migrating could not be tried.
        targets: the other models that its checkpoints are restored into.
        releases: what releases that are still in service promised; `unread_releases` says what cannot be read.
    """

    name: str
    config: Config
    manifest_file: str
    head_build: Build
    base_build: Build | None
    head_manifest: Found
    base_manifest: Found
    diff: Diff
    covered: frozenset[str] = frozenset()
    head_revivals: Mapping[str, Revival] = msgspec.field(default_factory=dict)
    base_revivals: Mapping[str, Revival] = msgspec.field(default_factory=dict)
    witness: Witness | None = None
    unwitnessed: str | None = None
    must_be_witnessed: bool = False
    head_migrations: migrations.Found = None
    base_migrations: migrations.Found = None
    earlier: tuple[Earlier, ...] = ()
    carried_earlier: Mapping[str, Mapping[str, Migrated]] = msgspec.field(default_factory=dict)
    carried: Mapping[str, Migrated] = msgspec.field(default_factory=dict)
    releases: tuple[Release, ...] = ()
    unread_releases: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    apart: bool = False
    one_python: bool = True
    why_shared: str | None = None
    asked: Mapping[str, str] = msgspec.field(default_factory=dict)
    chances: tuple[Place, ...] = ()
    second: Signature | None = None
    targets: tuple[Target, ...] = ()
    uncarried: tuple[str, ...] = ()

    @property
    def untried(self) -> tuple[str, ...]:
        """Why real restores into the model, of migrated checkpoints as well, failed for another reason than itself."""
        return (*(self.witness.failures if self.witness is not None else ()), *self.uncarried)

    @property
    def head(self) -> Signature:
        """What the head builds.

        Raises:
            ValueError: it does not build.
        """
        return self.head_build.known_signature

    @property
    def base(self) -> Signature:
        """What the base builds, of a case in which no `obstacle` is.

        Raises:
            ValueError: it does not build, or was not built.
        """
        return (self.base_build or Build(failure="there is no base")).known_signature

    @property
    def is_unchanged(self) -> bool:
        """Whether neither the code nor what runs it changed."""
        return self.diff.is_cosmetic and self.one_python

    @property
    def old_signatures(self) -> list[Signature]:
        """All that old checkpoints may be of."""
        promise, base = readable(self.base_manifest), base_signature(self)
        known = [
            promise.signature if promise else None,
            base,
            *(release.promise.signature for release in self.releases),
        ]
        return [signature for signature in known if signature is not None]


def obstacle(case: Case) -> str | None:
    """Why no real checkpoint of the base can be made and restored into the head; None where nothing is in the way."""
    base, head = base_signature(case), case.head_build.signature
    if base is None or head is None:
        return "there are no two builds"
    if saved_signature(readable(case.base_manifest), base, paths_of(case)) is not base:
        return "the base's code does not build what its manifest promises"
    return None


def not_worth_a_witness(case: Case) -> str | None:
    """Why a witness that no obstacle hinders is not worth its time; None where something changed, in a small model."""
    if case.is_unchanged and case.base.without_sites() == case.head.without_sites():
        return "nothing has changed that a model is made of"
    if not is_small(case):
        return f"the model has {_largest(case)} numbers, more than witness = {case.config.witness}"
    return None


def is_small(case: Case) -> bool:
    """Whether both sides can be built with all their values without anybody asking for it."""
    return _largest(case) <= case.config.witness


def _largest(case: Case) -> int:
    return max(parameters(case.base), parameters(case.head))


def paths_of(case: Case) -> tuple[str, ...]:
    """The restore paths that are judged."""
    return promised(case.config, case.name, readable(case.base_manifest), case.head)


def promised(config: Config, name: str, promise: Manifest | None, head: Signature) -> tuple[str, ...]:
    """The restore paths to judge: those configured, and those that the base's manifest still promises."""
    model = config.models.get(name)
    chosen = model.restores if model is not None and model.restores else default_paths(head)
    return tuple(dict.fromkeys([*chosen, *(promise.restores if promise else ())]))


def readable(found: Found) -> Manifest | None:
    return found if isinstance(found, Manifest) else None


def base_signature(case: Case) -> Signature | None:
    return case.base_build.signature if case.base_build is not None else None


def promised_inputs(case: Case) -> tuple[Input, ...]:
    """What the model is to be called with: the base's manifest says it, or its build where that says nothing."""
    promise, base = readable(case.base_manifest), base_signature(case)
    if promise is not None and promise.signature.takes:
        return promise.signature.takes
    return base.takes if base is not None else ()


def behaviour_of(case: Case) -> Behaviour | None:
    """Whether both sides compute the same, where that was tried."""
    return case.witness.behaviour if case.witness is not None else None


@overload
def saved_signature(promise: Manifest, base: Signature | None, paths: Sequence[str]) -> Signature: ...
@overload
def saved_signature(promise: Manifest | None, base: Signature | None, paths: Sequence[str]) -> Signature | None: ...
def saved_signature(promise: Manifest | None, base: Signature | None, paths: Sequence[str]) -> Signature | None:
    """What old checkpoints hold: the base's build where it is what the manifest promises, for it knows the lines."""
    if promise is None:
        return base
    # A path that is promised from now on is nothing that the manifest could tell of.
    if base is not None and same_promise(promise.signature, base, [path for path in paths if path in promise.restores]):
        return base
    return with_sites(promise.signature, base)


def with_sites(signature: Signature, build: Signature | None) -> Signature:
    """The manifest keeps no lines; the base's build knows them, by path."""
    if build is None:
        return signature

    def located(kind: str) -> tuple[Any, ...]:
        sites = {item.path: item.site for item in getattr(build, kind)}
        return tuple(msgspec.structs.replace(item, site=sites.get(item.path)) for item in getattr(signature, kind))

    built = {variable.path: variable.built for variable in build.variables}
    variables = (msgspec.structs.replace(item, built=built.get(item.path)) for item in located("variables"))
    return msgspec.structs.replace(
        signature,
        variables=tuple(variables),
        holders=located("holders"),
        created=build.created,
        sources=build.sources,
    )
