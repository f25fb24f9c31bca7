"""What `migrate` plans and what it did, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from restore_guard.commands.migrate import Migrated
from restore_guard.commands.ways import Way
from restore_guard.judging.placements import Placement
from restore_guard.reports.wording import counted, plain
from restore_guard.rules.shared.words import shape
from restore_guard.signature import Variable


def render(done: Migrated, *, dry_run: bool = False) -> str:
    """Returns a block for each file, the table of its values where it is only planned, and a line that says it all."""
    blocks = []
    for way in done.ways:
        block = [plain(_headline(way, done)), *_left_behind(way)]
        if way.route is not None and way.error is None and (dry_run or way.sure):
            block += table(way, done)
        blocks.append("\n".join(block))
    shown = blocks if len(blocks) <= 3 or done.errors else [blocks[0], f"and {len(blocks) - 1} more like it"]
    return "\n\n".join([*shown, summary(done, dry_run=dry_run)]) + "\n"


def table(way: Way, done: Migrated) -> list[str]:
    """A line for each variable, as the file holds it and as the model takes it, and one for each value that is left.

    Hash tables and vocabularies come last.
    """
    rows = [(_saved(saved), now, note) for saved, now, note in _rows(way, done)]
    rows += [(saved, now, "") for saved, now in _looked_up(way)]
    width = [max(len(row[column]) for row in rows) for column in (0, 1)] if rows else [0, 0]
    return [plain(f"  {saved:{width[0]}} → {now:{width[1]}}  {note}").rstrip() for saved, now, note in rows]


def summary(done: Migrated, *, dry_run: bool) -> str:
    """The last line."""
    if done.errors:
        return plain(f"nothing was written: {len(done.errors)} of {counted(len(done.ways), 'file')} cannot get across")
    if done.out is not None:
        compared = sum(way.compared for way in done.ways)
        files = f"{counted(len(done.ways), 'file')}, " if done.several else ""
        return plain(
            f"{done.out}: written; {files}restored in a fresh process, {counted(compared, 'value')} compared, all right"
        )
    if all(way.is_needless for way in done.ways):
        return plain(f"nothing to do: {done.source} restores into {done.model} as it is")
    return "nothing was written" + (": this was a dry run" if dry_run else "")


def _headline(way: Way, done: Migrated) -> str:
    file = f"{way.file.name} ({way.file.format})"
    if way.error is not None:
        return f"✗ {file}: {way.error}"
    if way.sure:
        return f"? {file}: no manifest knows it. Judged by names, shapes and order, it would be {done.model}:"
    start, steps = way.crossing.start, way.crossing.steps
    if not steps:
        return f"✓ {file} is of {done.model} as it is today"
    told = ", ".join(f"{step.old} → {step.new} ({step.reason})" for step in steps)
    return f"✓ {file} is of {done.model}, {start.label}: {told}; saved for {way.path}"


def _rows(way: Way, done: Migrated) -> Iterator[tuple[Variable | None, str, str]]:
    _, content = way.file.content
    stored = {variable.path: variable for variable in content.variables}
    news = {variable.path: variable for variable in done.signature.variables}
    held, plan = way.crossing.fit.held, way.crossing.plan
    for item in plan.placements:
        new = news[item.variable]
        if new.seed:
            continue
        old = stored[held[item.saved]] if item.saved is not None else None
        yield old, _form(new), _note(item, way)
    for name in plan.dropped:
        yield stored[held[name]], "(dropped)", ""
    kept = (
        "(kept beside the model)" if way.path == "tf-checkpoint" else f"(left behind: {way.path} has no place for it)"
    )
    for name in way.beside:
        yield stored[name], kept, ""
    for optimizer in way.optimizers:
        whose = {slot.saved: f"of {slot.variable}" for slot in optimizer.slots}
        going = {*whose, *(item.path for _, item in optimizer.counters)}
        for name in optimizer.values:
            if optimizer.left is not None:
                yield stored[name], "(left behind)", ""
            elif name in going:
                yield stored[name], kept, whose.get(name, "")
            else:
                yield stored[name], "(dropped)", ""


def _left_behind(way: Way) -> Iterator[str]:
    """A line for each optimizer whose values do not go along."""
    for optimizer in way.optimizers if way.error is None and way.crossing.steps else ():
        left = optimizer.left or (f"{way.path} has no place for it" if way.path != "tf-checkpoint" else None)
        if left is not None:
            values = counted(len(optimizer.values), "value")
            yield plain(f"  {optimizer.edge} beside the model is left behind ({values}): {left}")


def _looked_up(way: Way) -> Iterator[tuple[str, str]]:
    found = way.lookups
    for old, new in found.tables.items():
        yield f"{old} (hash table)", "(kept beside the model)" if old in found.beside else new
    for address in found.vocabularies:
        yield f"{address} (vocabulary)", address
    for address in found.dropped:
        yield f"{address} (hash table or vocabulary)", "(dropped)"


def _note(item: Placement, way: Way) -> str:
    if item.saved is None:
        return "keeps its initial value"
    notes = [f"grows along axis {axis}, {fill}" for axis, fill in item.grow]
    if item.variable in way.sure:
        notes.append(way.sure[item.variable])
    return "; ".join(notes)


def _saved(variable: Variable | None) -> str:
    return _form(variable) if variable is not None else "(nothing)"


def _form(variable: Variable) -> str:
    kind = "" if variable.dtype == "float32" else f" {variable.dtype}"
    return f"{variable.path} {shape(variable)}{kind}"
