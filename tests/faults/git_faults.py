"""Faults of git's own files, of the user's settings of it, and of what it is told not to look at."""

import shutil
import sys

from conftest import settings

NO_TENSORFLOW = "cannot import TensorFlow"
MODELS = {"m": 'builder = "m:build"'}
CONFIG = settings(sys.executable, MODELS, environment="shared")
ONE_COMMIT = ("check", "--base", "HEAD~", "--head", "HEAD")


def _damaged(revision, damage):
    """An object of git's, with its file removed or written anew."""

    def change(project):
        name = project.git("rev-parse", revision)
        file = project.root / ".git/objects" / name[:2] / name[2:]
        content = damage(file.read_bytes())
        file.unlink()
        if content is not None:
            file.write_bytes(content)

    return change


DAMAGES = {
    "lost": lambda content: None,
    "empty": lambda content: b"",
    "junk": lambda content: b"junk",
    "cut": lambda content: content[: len(content) // 2],
    "flipped": lambda content: (
        content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 255]) + content[len(content) // 2 + 1 :]
    ),
}
OBJECTS = {
    f"{revision} is {word}": (_damaged(revision, damage), ONE_COMMIT, 3, said)
    for revision, said in {
        "HEAD": "no such commit",
        "HEAD~": "no such commit",
        "HEAD^{tree}": "missing or damaged",
        "HEAD~^{tree}": "missing or damaged",
        "HEAD:m.py": "run git fsck",
        "HEAD~:m.py": "run git fsck",
        "HEAD:pyproject.toml": "run git fsck",
    }.items()
    for word, damage in DAMAGES.items()
}


def _git_file(name, content):
    def write(project):
        (project.root / ".git" / name).write_bytes(content)

    return write


STAGED = ("check", "--base", "HEAD~", "--staged")
GIT_FILES = {
    f"{name} is {word}": (_git_file(name, content), STAGED, code, said)
    for name, word, content, code, said in [
        ("HEAD", "empty", b"", 2, "git finds no repository"),
        ("HEAD", "junk", b"junk", 2, "git finds no repository"),
        ("index", "junk", b"junk", 3, "cannot write the staged tree"),
        ("index", "zeros", b"\0" * 50, 3, "cannot write the staged tree"),
        ("config", "junk", b"[[junk", 2, "bad config"),
        ("config", "of another format", b"[core]\n\trepositoryformatversion = 99\n", 3, "does not know the format"),
        (
            "config",
            "of an unknown extension",
            b"[core]\n\trepositoryformatversion = 1\n[extensions]\n\tunknown = true\n",
            3,
            "does not know the format",
        ),
        (
            "config",
            "of a bare repository",
            b"[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
            2,
            "has no work tree",
        ),
        ("packed-refs", "junk", b"junk", 3, "no such commit"),
        ("shallow", "junk", b"junk", 3, "shallow"),
    ]
}
SETTINGS = {
    f"{name} = {value}": (
        lambda project, name=name, value=value: project.git("config", name, value),
        command,
        3,
        NO_TENSORFLOW,
    )
    for name, value, command in [
        *((name, "always", ONE_COMMIT) for name in ("color.ui", "color.diff", "color.grep")),
        *((name, "true", ONE_COMMIT) for name in ("submodule.recurse", "log.showSignature", "feature.manyFiles")),
        *((name, "true", STAGED) for name in ("core.splitIndex", "core.fsmonitor", "core.untrackedCache")),
        *((name, "nowhere", ONE_COMMIT) for name in ("diff.orderFile", "core.pager", "core.attributesFile")),
        *((name, "!false", ONE_COMMIT) for name in ("alias.ls-tree", "alias.rev-parse")),
        *((name, "false", ("check", "--base", "HEAD~")) for name in ("diff.external", "diff.renames", "core.fileMode")),
        *(
            (name, "true", ("check", "--base", "HEAD~"))
            for name in ("diff.noprefix", "diff.relative", "core.ignoreCase")
        ),
        *((name, "all", ("check", "--base", "HEAD~")) for name in ("diff.ignoreSubmodules", "diff.wsErrorHighlight")),
        *((name, "1", ONE_COMMIT) for name in ("diff.renameLimit", "core.bigFileThreshold", "gc.auto")),
        ("diff.renames", "copies", ONE_COMMIT),
        ("i18n.logOutputEncoding", "utf-16", ONE_COMMIT),
        ("tag.sort", "-version:refname", ONE_COMMIT),
        ("core.abbrev", "4", ONE_COMMIT),
        ("status.showUntrackedFiles", "no", ("check", "--base", "HEAD~")),
        ("core.autocrlf", "true", ("check", "--base", "HEAD~")),
    ]
} | {
    f"core.worktree = {value}": (
        lambda project, value=value: project.git("config", "core.worktree", value),
        *(ONE_COMMIT, 2, "core.worktree"),
    )
    for value in ("/nowhere", "/usr")
}


def _hidden(flag):
    """A file of which the index says that nobody has to look at it, changed on disk."""

    def hide(project):
        project.git("update-index", flag, "m.py")
        project.write({"m.py": "hidden = 1\n"})

    return hide


def _sparse(project):
    project.commit({"other/data.txt": ""})
    project.git("sparse-checkout", "set", "--no-cone", "/*", "!/other")


def _sha256(project):
    shutil.rmtree(project.root / ".git")
    project.git("init", "--quiet", "--object-format=sha256")
    project.commit()
    project.commit({"m.py": "c = 3\n"})


DISK = {
    "an assumed file that changed": (_hidden("--assume-unchanged"), ("check", "--worktree"), 3, NO_TENSORFLOW),
    "a skipped file that changed": (_hidden("--skip-worktree"), ("check", "--worktree"), 3, NO_TENSORFLOW),
    "files that are not checked out": (_sparse, ("check", "--worktree"), 0, "1 unaffected"),
    "names by SHA-256": (_sha256, ONE_COMMIT, 3, NO_TENSORFLOW),
}
