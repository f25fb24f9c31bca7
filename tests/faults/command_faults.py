"""Faults of what commands are given: reports, set-ups, sources, names of files and of revisions."""

import os

from fault_tables import CONFIG, HOSTILE, NO_TENSORFLOW, ONE_COMMIT, settings
from git_faults import MODELS


def _write(name, content):
    """A file on disk that is not committed."""

    def write(project):
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).write_bytes(content)

    return write


REPORTS = {
    f"a report that is {word}": (_write("r.json", content), ("report", "r.json", "--format", "github"), 3, "r.json: ")
    for word, content in HOSTILE.items()
} | {
    "a report that is not there": (lambda _: None, ("report", "gone.json"), 3, "gone.json: "),
    "a report that is a folder": (lambda project: (project.root / "r.json").mkdir(), ("report", "r.json"), 3, "r.json"),
}
TOML = {
    "half a table": (b"[", "not valid TOML"),
    "no text": (b"\xff", "not valid TOML"),
    "3000 levels": (b"x = " + b"[" * 3000, "not valid TOML"),
    "5000 digits": (b"x = " + b"9" * 5000, "not valid TOML"),
    "the same table twice": (b"\n[tool.restore-guard]\n", "not valid TOML"),
    "an unknown rule": (b"\n[tool.restore-guard.rules]\nx = 'off'\n", "unknown rule"),
}
SETUPS = {
    f"{command[0]} of a configuration that is {word}": (
        _write("pyproject.toml", CONFIG.encode() + content),
        command,
        2,
        said,
    )
    for command in (("update",), ("audit", "x.keras"), ("migrate", "x.keras", "y.keras"), ("plan", "--shards", "2"))
    for word, (content, said) in TOML.items()
}
SOURCES = {
    f"a source that is {word}": (_write("m.py", content), ("check",), 3, NO_TENSORFLOW)
    for word, content in {
        "no Python": b"def (",
        "with a zero": b"a = \0",
        "2000 levels": b"x = " + b"(" * 2000 + b")" * 2000,
        "of an unknown encoding": b"# -*- coding: x -*-\n\xff",
        "one long line": b"x = [" + b"1," * 200_000 + b"]",
    }.items()
}


def _named(name):
    """A commit that removes a file of an odd name, and changes the model."""

    def commit(project):
        path = os.path.join(os.fsencode(project.root), name)
        with open(path, "w"):
            pass
        project.commit()
        os.unlink(path)
        project.commit({"m.py": "c = 3\n"})

    return commit


NAMES = {
    f"a file named {name!r}": (_named(name), command, 3, NO_TENSORFLOW)
    for name in (
        *(
            b"a\nb.py",
            "a\u2028b.py".encode(),
            b"-x.py",
            b"--output=x",
            b'"q".py',
            b"\\b.py",
            b"%25.py",
            b"::error::x.py",
        ),
        *(
            b"\xff.py",
            "\u202e.py".encode(),
            b"a" * 200 + b".py",
            b"*.py",
            b"[a].py",
            b":(glob)x.py",
            b"$(x).py",
            b" .py",
        ),
    )
    for command in (ONE_COMMIT, ("check", "--worktree", "--base", "HEAD~"))
}
REVISIONS = {
    f"{option} {revision[:20]!r}": (lambda _: None, ("check", option, revision), 3, "no such commit")
    for revision in (
        *("", " ", "\n", "HEAD:m.py", "HEAD^{tree}", "a..b", "--all", "-", "@{u}", ":/nothing", "^HEAD", "x" * 500),
        *("refs/heads/*", "HEAD~99", "\u2028", "x\n::error::y", "##[error]x", "stash@{0}"),
    )
    for option in ("--base", "--head")
}
EVIL = "\\n::error::x ##[error]y \\u001b[31m"
"""What starts a line with a command of GitHub's, hides one in a line, and colours the rest, as TOML writes it."""

LOGGED = {
    f"{command[0]} with a command for a {what}": (_write("pyproject.toml", text.encode()), command, 2, r"\::error::x")
    for command in (("check",), ("update",), ("plan", "--shards", "2"))
    for what, text in {
        "key": f'{CONFIG}"{EVIL}" = 1\n',
        "model": settings("python", {f'"{EVIL}"': 'builder = "m:build"'}),
        "rule": f'{CONFIG}[tool.restore-guard.rules]\n"{EVIL}" = "off"\n',
    }.items()
} | {
    "a command for a Python": (
        _write("pyproject.toml", settings("python", MODELS).replace("python = ", f'python = "{EVIL}"\n#').encode()),
        *(("check", "--all"), 2, r"\::error::x"),
    ),
    "a command for a name": (lambda _: None, ("check", "x\n::error::x"), 2, r"\::error::x"),
}
SHARES = {
    f"{number} shares": (lambda _: None, ("plan", "--shards", number), 2, "--shards")
    for number in ("0", "-1", "257", "9" * 30, "x")
}

COMMANDS = REPORTS | SETUPS | SOURCES | NAMES | REVISIONS | LOGGED | SHARES
