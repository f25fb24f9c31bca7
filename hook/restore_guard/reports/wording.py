"""What the reports for a person say in the same words, and in the same order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from restore_guard.result import Finding, ModelResult, PathResult, Result

LONGEST = 2000
"""No name or sentence in a report is longer."""
LONGEST_ERROR = 240
"""Nor an exception beside the outcome: Keras appends a list to its own. The JSON report has all of it."""

NOTHING = "(nothing)"

LEVELS = ("error", "warning", "off")
STATUSES = ("new", "pre-existing", "accepted", "migrated", "ignored")


def plain(text: str, longest: int = LONGEST) -> str:
    r"""The text as one harmless line, whatever a name under review contains.

    It moves no cursor and starts no line. A log of GitHub Actions takes `::` at the start of a line, and
    `##[` anywhere, for a command: a backslash stops that, also where a report wraps a sentence at a space.
    """
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable() and "::" not in text and "##[" not in text:
        return text.strip()  # as nearly all are: a page may have ten thousand names
    text = re.sub(r"\s*[\t\r\n]\s*", " ", text.strip())
    text = "".join(char if char.isprintable() else _visible(char) for char in text)
    return re.sub(r"(?<!\S)::", r"\::", text).replace("##[", r"##\[")


def _visible(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def unnumbered(part: str) -> str:
    """A part of a name with `*` for the number that tells it from others: `*` for 7, `dense_*` for dense_7."""
    return re.sub(r"(^|_)\d+$", r"\1*", part)


def listed(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are."""
    more = [f"and {len(names) - most} more"] if len(names) > most else []
    return ", ".join([*map(plain, names[:most]), *more])


def location(finding: Finding) -> str:
    """`file:line` as far as it is known."""
    if not finding.file:
        return ""
    return plain(f"{finding.file}:{finding.line}" if finding.line > 0 else finding.file)


def change(finding: Finding) -> str:
    """`old → new`, or "" where the finding is not about a change of one thing into another."""
    if finding.old is None and finding.new is None:
        return ""
    return f"{old(finding)} → {new(finding)}"


def old(finding: Finding) -> str:
    return NOTHING if finding.old is None else plain(finding.old)


def new(finding: Finding) -> str:
    return NOTHING if finding.new is None else plain(finding.new)


def silent(path: PathResult) -> bool:
    """Whether the load call raises nothing although the model is not what was saved: the dangerous case."""
    return path.outcome == "partial" or (path.outcome == "restores" and bool(path.misplaced))


def state(path: PathResult) -> str:
    """The outcome in a word; a path that only puts values into the wrong variables must not read as good."""
    return "misplaced" if silent(path) and path.outcome == "restores" else path.outcome


def consequence(path: PathResult) -> str:
    """What the load call does, in half a sentence."""
    # Start-up counts, and most commits need no such words.
    from restore_guard.restore_paths.outcome import gist
    from restore_guard.restore_paths.situations import phrase

    if path.outcome == "raises":
        words = plain(gist(path.error or "the load call raises"), LONGEST_ERROR)
    elif path.outcome == "unsupported":
        words = "the unchanged model cannot be saved and loaded this way"
    else:
        counts = [f"{path.restored} of {path.variables} restored"]
        if path.initial:
            keep = "keeps its" if len(path.initial) == 1 else "keep their"
            counts.append(f"{len(path.initial)} {keep} initial value")
        if path.unused and len(path.unused) != len(path.initial):  # a renamed variable is one of each: said once
            counts.append(f"{counted(len(path.unused), 'saved value')} dropped")
        if path.misplaced:
            counts.append(f"{len(path.misplaced)} in the wrong variable")
        words = ", ".join(counts)
    if path.situation is not None:
        words += f", {phrase(path.situation.saved, path.situation.restored)}"
    evidence = " (witnessed)" if path.evidence == "witnessed" else ""
    return f"{'SILENT: ' if silent(path) else ''}{words}{evidence}"


def suggested(finding: Finding) -> list[str]:
    """A repair as a unified diff, each line harmless; empty where there is none."""
    import difflib

    suggestion = finding.suggestion
    if suggestion is None:
        return []
    old, new = suggestion.replaced.splitlines(), suggestion.replacement.splitlines()
    head = f"@@ -{suggestion.first},{len(old)} +{suggestion.first},{len(new)} @@"
    body = [line for line in difflib.ndiff(old, new) if not line.startswith("?")]
    return [plain(f"--- {suggestion.file}"), plain(f"+++ {suggestion.file}"), head, *(_code(line) for line in body)]


def _code(line: str) -> str:
    """A line of ndiff's as one of a diff, its indentation kept."""
    mark, text = line[0], line[2:]
    inner = text.lstrip()
    return mark + text[: len(text) - len(inner)].replace("\t", "    ") + plain(inner)


def migration(path: PathResult) -> str:
    """What becomes of an old checkpoint that is migrated, as a sentence; "" where the change brings no migration."""
    if path.migration is None:
        return ""
    if path.migration.outcome != "restores":
        return plain(f"a migrated checkpoint does not restore: {path.migration.error}", LONGEST_ERROR)
    return f"old checkpoints get across by `restore-guard migrate` ({path.migration.evidence})"


def migrate_commands(finding: Finding) -> list[str]:
    """What carries old checkpoints across a break: a migration is written, and each file goes by it.

    None where there is nothing to accept either.
    """
    if not finding.accept:
        return []
    return [plain(finding.accept.replace("--accept-break", "--migrate")), "restore-guard migrate CHECKPOINT OUT"]


def remarks(model: ModelResult) -> list[str]:
    """What the verdict alone does not say: a stale manifest, and findings that do not fail the check."""
    said = model.manifest == "current" or model.word != model.verdict
    manifest = [] if said else [f"manifest {model.manifest}"]
    notices = ("break-accepted", "break-migrated")
    told = [finding.status for _, finding in ranked([model]) if finding.rule not in notices]
    counts = [f"{told.count(status)} {status}" for status in STATUSES[1:] if status in told]
    return manifest + counts


def told(models: Iterable[ModelResult]) -> list[ModelResult]:
    """Who is named: an unaffected model is only counted, unless there is something to say of it."""
    return [model for model in models if model.verdict != "unaffected" or ranked([model]) or model.notes]


def columns(models: Iterable[ModelResult]) -> tuple[list[str], bool]:
    """What a table of models shows: the restore paths of any, and whether something is to be said of outputs."""
    models = list(models)
    return list(dict.fromkeys(path for model in models for path in model.restores)), any(map(outputs, models))


def outputs(model: ModelResult) -> tuple[str, list[str]] | None:
    """Whether the restored model computes the same: same, differ or not compared, with sentences; None if nothing
    restores.
    """
    paths = [(name, path) for name, path in model.restores.items() if path.outputs or path.uncompared]
    differing, same = ([name for name, path in paths if path.outputs == state] for state in ("differ", "same"))
    reasons: dict[str, list[str]] = {}
    for name, path in paths:
        if path.uncompared:
            reasons.setdefault(path.uncompared, []).append(name)
    by = f" by {', '.join(same)}" if differing or reasons else ""
    told = [f"base and head compute the same{by}"] if same else []
    if differing and model.behaviour is not None:
        told.insert(0, f"by up to {model.behaviour.max_difference:g}, by {', '.join(differing)}")
    several = len(reasons) > 1 or bool(told)
    told += [f"not compared by {', '.join(names)}: {why}" if several else why for why, names in reasons.items()]
    return ("differ" if differing else "same" if same else "not compared", told) if told else None


def notes(result: Result) -> list[str]:
    """What must be known to trust the verdict, of the run and then of each model."""
    return [*result.notes, *(f"{model.name}: {note}" for model in result.models for note in model.notes)]


def ranked(models: Iterable[ModelResult]) -> list[tuple[ModelResult, Finding]]:
    """All findings, the most important first, each with its model."""
    found = [(model, finding) for model in models for finding in model.findings if finding.level != "off"]
    return sorted(found, key=lambda pair: _rank(*pair))


def _rank(model: ModelResult, finding: Finding) -> tuple[int, int, int]:
    """Errors before warnings, new before old, silent before raising before harmless."""
    broken = [model.restores[path] for path in finding.restores if path in model.restores]
    harm = 0 if any(map(silent, broken)) else 1 if any(path.outcome == "raises" for path in broken) else 2
    return LEVELS.index(finding.level), STATUSES.index(finding.status), harm
