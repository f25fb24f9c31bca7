"""All repositories of this folder, set up one after the other, and the figures of that."""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import repositories
import setting_up

from restore_guard.building import probing


@dataclass
class Seen:
    """One repository: what became of it, and of the lines that somebody writes where it was not enough."""

    repository: repositories.Repository
    outcome: setting_up.Outcome
    is_mended: bool = False

    @property
    def is_guarded(self):
        return len(self.outcome.guarded) == len(self.repository.marks)

    @property
    def lines(self):
        return setting_up.lines(self.repository.by_hand)


def play(pythons, folder, told=lambda _: None, names=repositories.NAMES):
    """Returns a `Seen` for each repository.

    Args:
        pythons: {environment: its Python}.
        folder: where they are written.
    """
    seen = []
    for environment, python in pythons.items():
        chosen = [one for one in map(repositories.load, names) if one.python == environment]
        with probing.Probe(python) as probe:
            for repository in chosen:
                root = Path(folder) / repository.name
                setting_up.write(repository, root)
                one = Seen(repository, setting_up.set_up(repository, root, probe))
                if not one.is_guarded and repository.by_hand and not repository.package:
                    one.is_mended = setting_up.by_hand(repository, root, probe)
                told(one)
                seen.append(one)
    return seen


def table(seen):
    """The figures as lines of Markdown."""
    marked = sum(len(one.repository.marks) for one in seen)
    found = marked - sum(len(one.outcome.missed) for one in seen)
    proposed = sum(len(one.outcome.found) for one in seen)
    false = sum(len(one.outcome.false) for one in seen)
    built = sum(len(one.outcome.guarded) for one in seen)
    whole = [one for one in seen if one.is_guarded]
    lines = max((one.lines for one in seen if not one.is_guarded), default=0)
    packages = [one.repository.package for one in seen if not one.is_guarded and one.repository.package]
    rows = [
        ("marked models that are found", f"{found} of {marked}"),
        ("proposed models that nobody marked", f"{false} of {proposed}"),
        (
            "marked models that are guarded as the repository builds them, without a line by hand",
            f"{built} of {marked}",
        ),
        ("repositories that are guarded without a line by hand", f"{len(whole)} of {len(seen)}"),
        ("lines by hand in the others, at most", f"{lines}"),
        ("of the others, those that lack a package here", f"{len(packages)} ({', '.join(packages)})"),
    ]
    return ["| | |", "| --- | --- |", *(f"| {what} | {figure} |" for what, figure in rows)]


def _told(one):
    guarded = f"{len(one.outcome.guarded)} of {len(one.repository.marks)} guarded"
    print(f"{one.repository.name}: {guarded}", *(f"; {target}: {why}" for target, why in one.outcome.left.items()))


def main(arguments):
    pythons = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    names = [argument for argument in arguments if "=" not in argument] or repositories.NAMES
    with tempfile.TemporaryDirectory() as folder:
        seen = play({name: Path(python) for name, python in pythons.items()}, folder, _told, names)
    print("", *table(seen), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
