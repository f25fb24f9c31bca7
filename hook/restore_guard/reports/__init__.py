"""Reports: one module an output format, all with the same one function `render(result) -> str`.

A new format is a new module and a line in `REPORTS`.
"""

from importlib import import_module
from types import ModuleType

REPORTS = {
    "text": "text_report",
    "json": "json_report",
    "github": "github_report",
    "markdown": "markdown_report",
    "sarif": "sarif_report",
    "html": "html_report",
    "junit": "junit_report",
    "gitlab": "gitlab_report",
}

UPGRADE_REPORTS = {
    "text": "upgrade_text",
    "json": "upgrade_json",
    "markdown": "upgrade_markdown",
    "html": "upgrade_html",
}
"""Those of a rehearsed move."""


def load(name: str) -> ModuleType:
    """The module of a format; only the one that is used is imported, for start-up counts."""
    return import_module(f"{__name__}.{REPORTS[name]}")


def load_upgrade(name: str) -> ModuleType:
    """The module of a format for rehearsed moves."""
    return import_module(f"{__name__}.{UPGRADE_REPORTS[name]}")
