"""What a build depends on, as the probe heard it: the other half of `probe.sources` and `probe.sites`."""

from __future__ import annotations

import msgspec

from restore_guard.layout import Spot


class Trace(msgspec.Struct, frozen=True):
    """What a build depends on, as the probe heard it; paths are relative to the project unless said otherwise.

    Attributes:
        modules: Python files that were imported; files: all others that were read.
        present, missing: what was only looked for, and was there or not.
        folders: those whose names were listed.
        outside: absolute paths of files that are neither the project's nor installed.
        environ: {variable: digest of its value, or None}.
        packages, failed: top-level names that were imported from what is installed, or looked for and not imported.
        opaque: what the build did that cannot be followed.
        spots, created: every creation in order, as (number of its spot, class, number of its site).
    """

    modules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    environ: dict[str, str | None] = {}
    packages: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    spots: tuple[Spot, ...] = ()
    created: tuple[tuple[int, str, int], ...] = ()
