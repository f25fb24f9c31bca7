"""`explain`: all that a rule's declaration says, for a terminal."""

from __future__ import annotations

import textwrap

from restore_guard.rules import Rule


def render(rule: Rule) -> str:
    """Returns the explanation as text, 80 columns wide."""
    return "\n".join(
        [
            f"{rule.name} ({rule.level} by default)",
            "",
            _wrap(rule.meaning),
            "",
            _wrap(rule.why),
            "",
            "The smallest change that causes it:",
            f"    - {rule.before}",
            f"    + {rule.after}",
            "",
            "What each restore path does:",
            _wrap(rule.effects, "    "),
            "",
            "How to fix it:",
            _wrap(rule.fix, "    "),
            "",
            "How to accept it:",
            '    restore-guard update NAME --accept-break "why old checkpoints need not restore"',
            f'    or, in the configuration: rules = {{ {rule.name} = "warning" }}',
            "",
        ]
    )


def _wrap(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 80, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
