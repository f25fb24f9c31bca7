"""JSON schemas of the files that people edit and programs read, made of the types that read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from restore_guard import config, rehearsal, result_json
from restore_guard.promise import manifest, migrations

KINDS: dict[str, tuple[str, Callable[[], Any]]] = {
    "config": ("restore-guard.toml, or [tool.restore-guard] of pyproject.toml", lambda: config.Config),
    "manifest": ("restore-manifest/<model>.json", lambda: manifest.Document),
    "migrations": ("restore-manifest/<model>.migrations.toml", lambda: migrations.Document),
    "report": ("what check --format json writes", lambda: result_json.Document),
    "upgrade": ("what upgrade --format json writes", lambda: rehearsal.Document),
}


def render(kind: str) -> str:
    """The schema of a kind, in JSON Schema 2020-12."""
    title, of = KINDS[kind]
    schema = msgspec.json.schema(of())
    for entry in schema["$defs"].values():
        entry.pop("description", None)  # what the types say to a developer
        entry.pop("title", None)
        for name, field in entry.get("properties", {}).items():
            if kind == "config" and name in config.EXPECTED:
                field["description"] = config.EXPECTED[name]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n"
