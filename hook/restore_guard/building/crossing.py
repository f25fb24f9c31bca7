"""Builds that are not of their commit alone: another model's builder wrote what they depend on."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from restore_guard.build import Trace


def crossed(traces: Mapping[str, Trace]) -> dict[str, str]:
    """{model: why its build cannot be trusted}, of the builds of one side.

    What several builders write alike is as good as each one's own.
    """
    found = {}
    for name, trace in traces.items():
        needed = {*trace.modules, *trace.files, *trace.present, *trace.missing} - {*trace.written}
        for other, its in traces.items():
            met = [path for path in its.written if path in needed or posixpath.dirname(path) in trace.folders]
            if other != name and met and not {*met} <= {*trace.written}:
                found[name] = (
                    f"it depends on {met[0]}, which the builder of {other} writes: commit that file, or let the "
                    f"builder of {name} make it"
                )
    return found
