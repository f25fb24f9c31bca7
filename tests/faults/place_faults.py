"""Faults of places: submodules and links that nobody lists, projects that moved, pipes where files should be."""

import os
import shutil

import msgspec
from conftest import Project
from git_faults import NO_TENSORFLOW, ONE_COMMIT
from signatures import module

from restore_guard.promise import manifest
from restore_guard.promise.manifest import Manifest


def _promise(project, **reads):
    """A manifest of a build that depended on no more than these."""
    signature = msgspec.structs.replace(module(a=(2,)), sources=("m.py",), **reads)
    manifest.write(project.root / "restore-manifest/m.json", Manifest("m", ("tf-checkpoint",), signature))
    project.commit()


def _submodule(project):
    library = Project(project.root.with_name("library"), project.temporary.parent)
    library.commit({"x.py": "w = 1\n"})
    project.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(library.root), "lib")
    project.commit()
    return library


def _bumped(source="a = 1\n", added="y.py", **reads):
    """A submodule moves on, of whose files the manifest names none."""

    def bump(project):
        library = _submodule(project)
        project.write({"m.py": source})
        _promise(project, **reads)
        library.commit({added: "w = 2\n"})
        project.git("-C", "lib", "pull", "--quiet")
        project.commit()

    return bump


def _relinked(project):
    """A link to a folder leads elsewhere, of whose files the manifest names none."""
    project.write({"one/x.py": "w = 1\n", "two/x.py": "w = 2\n", "m.py": "import lib.x\n"})
    (project.root / "lib").symlink_to("one")
    _promise(project)
    (project.root / "lib").unlink()
    (project.root / "lib").symlink_to("two")
    project.commit()


def _broken(damage):
    """A submodule that git cannot open, and a change of the model."""

    def do(project):
        _submodule(project)
        project.commit({"m.py": "c = 3\n"})
        damage(project.root)

    return do


BROKEN = {
    "leads nowhere": lambda root: (root / "lib/.git").write_text("gitdir: /nowhere\n"),
    "has no repository any more": lambda root: shutil.rmtree(root / ".git/modules"),
    "is gone": lambda root: shutil.rmtree(root / "lib"),
    "is not described": lambda root: (root / ".gitmodules").write_bytes(b"[[junk"),
    "is a pipe": lambda root: ((root / "lib/.git").unlink(), os.mkfifo(root / "lib/.git")),
}
SUBMODULES = {
    "a submodule that a source imports": (_bumped("import lib.x\n", "x.py"), ONE_COMMIT, 3, NO_TENSORFLOW),
    "a submodule below which a file was looked for": (_bumped(looked_for=("lib/y.py",)), ONE_COMMIT, 3, NO_TENSORFLOW),
    "a submodule with a folder that was listed": (
        _bumped(added="conf/z", folders=("lib/conf",)),
        *(ONE_COMMIT, 3, NO_TENSORFLOW),
    ),
    "a submodule that nothing is about": (_bumped(), ONE_COMMIT, 0, "1 unaffected"),
    "a link to a folder that a source imports": (_relinked, ONE_COMMIT, 3, NO_TENSORFLOW),
} | {
    f"a submodule that {word}, {command[-1]}": (_broken(damage), command, 3, "not checked: ")
    for word, damage in BROKEN.items()
    for command in (ONE_COMMIT, ("check", "--base", "HEAD~"))
}


def _moved(project, into="new"):
    names = [path.name for path in project.root.iterdir() if path.name not in (".git", ".gitignore")]
    (project.root / into).mkdir()
    for name in names:
        (project.root / name).rename(project.root / into / name)
    project.commit()


def _split(project):
    """Two projects went in one change, and a third came."""
    _moved(project, "one")
    shutil.copytree(project.root / "one", project.root / "two")
    project.commit()
    shutil.copytree(project.root / "one", project.root / "three")
    shutil.rmtree(project.root / "one")
    shutil.rmtree(project.root / "two")
    project.commit()


MOVED = {
    "a project that moved into a folder": (_moved, ONE_COMMIT, 3, NO_TENSORFLOW),
    "a project that is one of two": (_split, ONE_COMMIT, 3, "which of them has become three cannot be told"),
}


def _pipe(name):
    def make(project):
        (project.root / name).unlink(missing_ok=True)
        os.mkfifo(project.root / name)

    return make


PIPES = {
    f"a pipe named {name}": (_pipe(name), ("check",), code, said)
    for name, code, said in [
        ("m.py", 3, "it is no regular file but a pipe"),
        ("pyproject.toml", 3, "it is no regular file but a pipe"),
        ("restore-guard.toml", 3, "it is no regular file but a pipe"),
        ("restore-manifest/m.json", 3, "it is no regular file but a pipe"),
        (".git/index", 3, "is no file, so git cannot read its index"),
        (".gitmodules", 0, "1 unaffected"),
        ("other", 0, "1 unaffected"),
    ]
}

CHECKPOINTS = {
    f"a pipe for a checkpoint, {name}": (_pipe(name), ("audit", asked), 2, "is no file but a pipe or a device")
    for name, asked in [("c.weights.h5", "c.weights.h5"), ("c.index", "c"), ("c.data-00000-of-00001", "c")]
} | {"a device for a checkpoint": (lambda _: None, ("audit", "/dev/zero"), 2, "is no file but a pipe or a device")}


def _hanging(kind):
    """A filter of the user's that never ends."""

    def configure(project):
        project.commit({".gitattributes": "m.py filter=slow\n", "m.py": "c = 3\n"})
        project.git("config", f"filter.slow.{kind}", "sleep 600")
        project.write({"m.py": "c = 4\n"})

    return configure


HANGS = {
    "a filter that hangs when a file is written": (_hanging("smudge"), ONE_COMMIT, 3, "git read-tree -"),
    "a filter that hangs when a file is read": (_hanging("clean"), ("check",), 3, "git diff "),
    "a pipe for git's attributes": (_pipe(".gitattributes"), ("check",), 3, "and was stopped"),
    "a pipe for what git ignores": (_pipe(".gitignore"), ("check",), 3, "one of its files is a pipe"),
}
PLACES = SUBMODULES | MOVED | PIPES | CHECKPOINTS
