"""Files of a promise: written at once, and only where there is something to write."""

import pytest

from restore_guard.promise import files


@pytest.mark.parametrize(
    ("there", "changed"),
    [(b"a\nb\n", False), (b"a\r\nb\r\n", False), (b"a\nc\n", True), (b"a\r\nb\r\nc\r\n", True), (None, True)],
)
def test_line_ends_that_git_made_are_no_change(tmp_path, there, changed):
    path = tmp_path / "restore-manifest/net.json"
    if there is not None:
        path.parent.mkdir()
        path.write_bytes(there)
    assert files.write(path, b"a\nb\n") is changed
    assert path.read_bytes() == (b"a\nb\n" if changed else there)
    assert list(path.parent.iterdir()) == [path]
