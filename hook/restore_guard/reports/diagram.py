"""The changed part of a model as a Mermaid diagram, which GitHub draws: what was saved, and where it goes now."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence

from restore_guard.reports import wording
from restore_guard.reports.wording import counted, plain, unnumbered
from restore_guard.result import Finding, ModelResult

NODES = 9
"""Nodes on each side; what has no room is counted in one more."""
DEEPEST = 5
"""Levels of a name; what is below shares the last."""
LONGEST = 40
"""Characters of a label."""

STYLES = (
    "classDef lost fill:#ffd7d5,stroke:#cf222e,color:#1f2328",
    "classDef initial fill:#fff1c2,stroke:#9a6700,color:#1f2328",
    "classDef other fill:#f6f8fa,stroke:#8c959f,color:#1f2328",
)
SAFE = frozenset(string.ascii_letters + string.digits + " _-/.,()")


def render(model: ModelResult) -> str:
    """The diagram, "" where no restore path is broken by a change of one thing into another."""
    findings = [finding for _, finding in wording.ranked([model]) if _shows(finding)]
    if not findings:
        return ""
    broken = [path for path in model.restores.values() if path.outcome != "restores" or path.misplaced]
    lost = {name for path in broken for name in path.unused}
    initial = {name for path in broken for name in (*path.initial, *path.misplaced)}
    saved = _Side("s", [finding.old for finding in findings], lost, "lost")
    now = _Side("n", [finding.new for finding in findings], initial, "initial")
    lines = ["flowchart LR"]
    for side, title in ((saved, "in old checkpoints"), (now, "in the model now")):
        if side.leaves:
            lines += [f"  subgraph {side.key} [{_quoted(title)}]", "    direction LR", *side.lines(), "  end"]
    edges: dict[str, None] = {}
    for finding in findings:
        ends = [side.leaves.get(name or "") for side, name in ((saved, finding.old), (now, finding.new))]
        if all(ends):
            edges[f"  {ends[0]} -. {_quoted(finding.rule)} .-> {ends[1]}"] = None
    lines += edges
    return "\n".join([*lines, *(f"  {style}" for style in STYLES)]) + "\n"


def _shows(finding: Finding) -> bool:
    return bool(finding.restores) and finding.status == "new" and (finding.old or finding.new) is not None


class _Side:
    """The names of one side as a tree of their parts; what differs in a number alone is one node, with its count.

    Attributes:
        leaves: {name as a finding or an outcome has it: its node}.
    """

    def __init__(self, key: str, named: Iterable[str | None], others: Iterable[str], style: str) -> None:
        self.key = key
        self.leaves: dict[str, str] = {}
        self.nodes: dict[tuple[str, ...], str] = {}
        self.labels: dict[tuple[str, ...], str] = {}
        self.styles: dict[str, str] = {}
        told = {}
        for name in filter(None, named):
            # A finding puts the shape, type or dtype behind the name.
            path, _, detail = name.partition(" ")
            told[name] = path, detail
        known = {path for path, _ in told.values()}
        told |= {name: (name, "") for name in sorted({*others} - known)}
        parts = _collapsed([path for path, _ in told.values()])
        for (name, (_, detail)), its in zip(told.items(), parts, strict=True):
            self._add(name, its, detail, style)
        self.more = len(told) - len(self.leaves)

    def _add(self, name: str, parts: tuple[str, ...], detail: str, style: str) -> None:
        ends = [parts[:end] for end in range(1, len(parts) + 1)]
        new = [end for end in ends if end not in self.nodes]
        if len(self.nodes) + len(new) > NODES:
            return
        for end in new:
            self.nodes[end] = f"{self.key}{len(self.nodes)}"
            self.labels[end] = end[-1]
        if detail:
            self.labels[parts] = f"{parts[-1]} {detail}"
        self.leaves[name] = self.nodes[parts]
        self.styles[self.nodes[parts]] = style

    def lines(self) -> Iterator[str]:
        for parts, node in self.nodes.items():
            yield f"    {node}[{_quoted(self.labels[parts])}]:::{self.styles.get(node, 'other')}"
        for parts, node in self.nodes.items():
            if len(parts) > 1:
                yield f"    {self.nodes[parts[:-1]]} --- {node}"
        if self.more:
            more = f"and {counted(self.more, 'more variable')}"
            yield f"    {self.key}more[{_quoted(more)}]:::other"


def _collapsed(paths: Sequence[str]) -> list[tuple[str, ...]]:
    """The parts of each path; a number in which several paths differ alone stands as `*`, with their count."""
    split = [tuple(path.split("/", DEEPEST - 1)) for path in paths]
    like: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for parts in split:
        like.setdefault(tuple(map(unnumbered, parts)), set()).add(parts)
    return [_counted(parts, like[tuple(map(unnumbered, parts))]) for parts in split]


def _counted(parts: tuple[str, ...], alike: set[tuple[str, ...]]) -> tuple[str, ...]:
    seen = [{other[position] for other in alike} for position in range(len(parts))]
    return tuple(
        part if len(values) == 1 else f"{unnumbered(part)} ×{len(values)}"
        for part, values in zip(parts, seen, strict=True)
    )


def _quoted(text: str) -> str:
    """A label: whatever could mean something to Mermaid, or to the HTML it becomes, by its number."""
    shown = plain(text, LONGEST) or "(no name)"
    return '"' + "".join(char if char in SAFE else f"#{ord(char)};" for char in shown) + '"'
