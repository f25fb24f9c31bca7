"""What `audit` found, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.filesize import decimal

from restore_guard.commands.audit import Audit, restored
from restore_guard.reports import layer_table, text_report
from restore_guard.reports.wording import counted, plain
from restore_guard.result import ModelResult

_MEANING = {
    "intact": "every tensor was read, and every checksum agrees",
    "readable": "every tensor was read and nothing wrong was found",
}


def render(audit: Audit, *, color: bool, width: int) -> str:
    """Returns what the file is, the models that it may be of, and a line that says it all."""
    blocks = ["\n".join(file_lines(audit))]
    if audit.findings:
        blocks.append(text_report.render_findings(audit.findings, color=color, width=width))
    for model in audit.shown:
        blocks.append(text_report.render_model(model, color=color, width=width))
        if told := layer_table.render(model.table):
            blocks.append("\n".join(told))
    if audit.explained:
        blocks.append("\n".join(["the error:", *(f"  {plain(sentence)}" for sentence in audit.explained)]))
    others = [model for model in audit.models if model not in audit.shown]
    if others:
        blocks.append("\n".join(_other(model) for model in others))
    return "\n\n".join([*blocks, summary(audit)]) + "\n"


def summary(audit: Audit) -> str:
    """The last line: the state of the file, and whether it restores."""
    read = audit.checkpoint
    judged = [model for model in audit.models if model.verdict != "unchecked"]
    if read.state == "unread":
        words = f"could not be read: {read.failure}"
    elif audit.fits:
        words = f"is {read.state} and restores into {', '.join(audit.fits)}"
    elif not judged:
        words = f"is {read.state}; whether it restores could not be checked"
    else:
        names = ", ".join(model.name for model in judged) if len(judged) < 4 else f"any of {len(judged)} models"
        words = f"is {read.state} and does not restore completely into {names}"
    if audit.fits and read.state == "damaged":
        words = f"is damaged; a whole one of its kind restores into {', '.join(audit.fits)}"
    return plain(f"{read.name} {words}")


def file_lines(audit: Audit) -> Iterator[str]:
    """What the file is, and what is known of its wholeness."""
    read = audit.checkpoint
    size = f"{counted(read.tensors, 'tensor')}, {decimal(read.bytes)}"
    yield plain(f"{read.file}: {read.state} ({read.format}{f', {size}' if read.tensors else ''})")
    if read.state in _MEANING:
        yield f"  {plain('; '.join([_MEANING[read.state], *read.unverified]))}"
    for note in read.notes:
        yield f"  note: {plain(note)}"


def _other(model: ModelResult) -> str:
    if model.verdict == "unchecked":
        return plain(f"? {model.name}: {'; '.join(model.notes)}")
    return plain(f"- {model.name}: not of this model ({restored(model)} of {model.variables} variables restore)")
