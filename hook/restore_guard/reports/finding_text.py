"""Where in history a checkpoint file belongs, for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from restore_guard.commands.finding import Found, Place
from restore_guard.reports.wording import plain


def render(found: Found) -> str:
    """Returns what the file is, a block for each promise that it fits, and the command that brings it to today."""
    read = found.checkpoint
    lines = [f"{read.file}: {read.state} ({read.format})", *(f"  {note}" for note in read.damage)]
    for place in found.places:
        lines += _place(place)
    if found.places:
        lines += ["", _command(found, found.places[0])]
    else:
        lines += ["", f"{read.name} fits no promise of this repository. {found.nearest}"]
    return "\n".join(map(plain, lines)) + "\n"


def _place(place: Place) -> Iterator[str]:
    until = f"until {' '.join(place.until)}" if place.until is not None else "still promised"
    yield f"✓ {place.model}, epoch {place.epoch}: since {' '.join(place.since)}, {until}"
    if place.releases:
        first, last = place.releases[0], place.releases[-1]
        span = " ".join(first) if first == last else f"{' '.join(first)} to {' '.join(last)}"
        yield f"  releases: {span}"
    written = ", ".join(f"{package} {version}" for package, version in place.framework.items() if package != "python")
    yield f"  written under {written}"


def _command(found: Found, place: Place) -> str:
    file = shlex.quote(found.checkpoint.file)
    if place.today is None:
        return f"{place.model} is not configured any more"
    if place.epoch == place.today:
        return f"it is of today's epoch: restore-guard audit {file} --model {place.model}"
    return f"to bring it to today: restore-guard migrate {file} OUT --model {place.model}"
