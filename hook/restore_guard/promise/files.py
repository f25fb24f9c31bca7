"""Files of a promise are written at once or not at all."""

from __future__ import annotations

from pathlib import Path

from restore_guard import folders


def write(path: Path, content: bytes) -> bool:
    """Returns whether the file's content changed; line ends that git made on checking out are no change."""
    if path.is_file() and path.read_bytes().replace(b"\r\n", b"\n") == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    folders.write(path, content, path.stat().st_mode & 0o777 if path.is_file() else 0o644)
    return True
