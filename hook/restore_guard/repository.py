"""git: resolve refs, list changes, read the files of a commit, of the index or of the disk.

Reading is all it does to a repository: no ref, index, worktree entry or file of the user is ever written.
Hooks inherit GIT_DIR and GIT_INDEX_FILE from git, so no command here relies on what it inherits: the
repository, the work tree and the index are named each time.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from posixpath import join, normpath
from types import TracebackType
from typing import Literal, Protocol

from .config import OWN_FILE, SHARED_FILE
from .errors import UncheckedError, UsageError

try:
    import git
except ImportError as error:  # GitPython looks for the git command when it is imported
    raise UncheckedError(f"git does not start: {error}") from error

QUIET = [
    # a git command that writes even a private index runs the user's post-index-change hook
    *("-c", f"core.hooksPath={os.devnull}"),
    # a split index would put its shared half into the user's git directory
    *("-c", "core.splitIndex=false"),
    # a file-system monitor answers for the user's work tree, whatever work tree the command is about
    *("-c", "core.fsmonitor=false"),
]
"""Options of the commands that work on a private index."""

KEPT = re.compile(r"GIT_(CONFIG|SSH|SSL|ASKPASS|HTTP|PROXY|ALLOW_PROTOCOL|TERMINAL_PROMPT|EXEC_PATH)")
"""GIT_ variables that say how to reach a remote or whom to trust, not which repository is meant."""


@dataclass(frozen=True)
class Side:
    """One state of the files; `tree` is the sha of its git tree, None for the work tree."""

    kind: Literal["commit", "index", "worktree"]
    tree: str | None
    label: str


@dataclass(frozen=True)
class Change:
    """One file that differs; `old_path` is set where it was renamed. Paths are relative to the git root."""

    status: Literal["A", "M", "D", "R", "T"]
    path: str
    old_path: str | None = None


class Reader(Protocol):
    """Gives the content of a file of the project, or None where there is none."""

    def __call__(self, path: str) -> bytes | None: ...


def hook_refs(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """What pre-commit says is being pushed, as (from, to); None in other stages and on a root push."""
    refs = environ.get("PRE_COMMIT_FROM_REF"), environ.get("PRE_COMMIT_TO_REF")
    return refs if all(refs) else None


class Repository:
    """A git repository with a work tree, and the folder in it that configures restore-guard.

    Raises UsageError where `path` is in no repository, or in one that git refuses to trust.
    """

    def __init__(self, path: str | Path = "."):
        folder = Path(path).resolve()
        if not folder.is_dir():
            raise UsageError(f"{path}: no such folder; name a folder inside a git repository")
        self.root, self._git_dir = _discover(folder)
        self.project = _project(folder, self.root)
        self._git = git.Git(self.root)
        self._git.update_environment(
            GIT_DIR=str(self._git_dir),
            GIT_WORK_TREE=str(self.root),
            GIT_INDEX_FILE=str(self._git_dir / "index"),
            GIT_OPTIONAL_LOCKS="0",  # git diff runs git status in submodules, which refreshes their indexes
        )
        self._content = cache(lambda blob: self._git.get_object_data(blob)[3])  # sides share most blobs
        self._trees: dict[str, dict[str, str]] = {}

    def __enter__(self) -> "Repository":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._git.clear_cache()  # ends the cat-file processes

    def commit(self, ref: str) -> Side:
        """The commit that `ref` names. Raises UncheckedError if this clone has none."""
        sha = self._resolve(f"{ref}^{{commit}}")
        if sha is None:
            advice = f"Check its spelling, or bring it here: git fetch origin {ref}"
            if self.is_shallow():
                advice = (
                    "This clone is shallow, so the commit may only be missing here: "
                    "git fetch --unshallow, or git fetch --depth=1 origin SHA for one commit"
                )
            raise UncheckedError(f"{ref}: no such commit in {self.root}. {advice}")
        return Side("commit", self._resolve(f"{sha}^{{tree}}"), sha)

    def is_shallow(self) -> bool:
        """Whether commits and tags may be missing here that the remote has."""
        return self._output("rev-parse", "--is-shallow-repository") == b"true\n"

    def parent(self, side: Side) -> Side | None:
        """The first parent of a commit; None where it has none. Raises UncheckedError if this clone lacks it."""
        named = re.search(rb"^parent (\w+)$", self._output("cat-file", "-p", side.label).partition(b"\n\n")[0], re.M)
        return self.commit(os.fsdecode(named[1])) if named else None

    def head(self) -> Side | None:
        """The commit that is checked out; None before the first commit of a branch."""
        if self._resolve("HEAD^{commit}"):
            return self.commit("HEAD")
        status, branch, _ = self._run("symbolic-ref", "--quiet", "HEAD")  # fails if the branch is broken
        if status == 0:
            ref = os.fsdecode(branch).strip()
            if not self._output("for-each-ref", "--format=%(refname)", ref):
                return None
        raise UncheckedError(f"HEAD of {self.root} names no commit that can be read; run git fsck")

    def index(self) -> Side:
        """What is staged for the commit under way. Raises UncheckedError while a merge is unresolved.

        `git commit -a` and `git commit FILE` stage into an index of their own that GIT_INDEX_FILE names.
        """
        staged = self.root / (os.environ.get("GIT_INDEX_FILE") or self._git_dir / "index")
        with _copy(staged) as copy:  # write-tree saves its cache in the index that it reads
            status, tree, problem = self._run(*QUIET, "write-tree", env={"GIT_INDEX_FILE": copy})
        if status:
            if "unmerged" in problem:
                raise UncheckedError(f"The index has unresolved conflicts: resolve and git add them.\n{problem}")
            raise UncheckedError(f"git cannot write the staged tree of {self.root}: {problem}")
        return Side("index", tree.decode().strip(), "index")

    def worktree(self) -> Side:
        """The files on disk."""
        return Side("worktree", None, "worktree")

    def changes(self, base: Side | None, head: Side) -> tuple[Change, ...]:
        """What differs from `base`, a commit or index, to `head`; without a base every file is added."""
        if base is None:
            return tuple(Change("A", path) for path in self.files(head))
        if head.tree is not None:
            return _changes(self._output("diff-tree", "-r", "-M", "--name-status", "-z", base.tree, head.tree))

        with _copy(self._git_dir / "index") as copy:  # git diff refreshes the index that it reads
            tracked = self._output(
                # autoRefreshIndex drops files of which only the time stamp differs; diff-index lists them
                *(*QUIET, "-c", "diff.autoRefreshIndex=true", "diff", "--no-ext-diff", "-M"),
                *("--name-status", "-z", base.tree, "--"),
                env={"GIT_INDEX_FILE": copy},
            )
        changes = {change.path: change for change in _changes(tracked)}
        for path in self._untracked():
            # removed from the index alone, a file of the base is still there
            changes[path] = Change("M" if path in changes else "A", path)
        return tuple(changes.values())

    def files(self, side: Side, under: str = "") -> list[str]:
        """The paths of all files of a side, or of those below the folder `under`; ignored files are none."""
        if side.tree is None:
            tracked = _split(self._output("ls-files", "-z", "--cached"))
            paths = sorted({path for path in [*tracked, *self._untracked()] if (self.root / path).is_file()})
        else:
            paths = list(self._blobs(side.tree))
        folder = under.rstrip("/") + "/"
        return [path for path in paths if not under or path.startswith(folder)]

    def read(self, side: Side, path: str) -> bytes | None:
        """The content of a file, or None where the side has none."""
        if side.tree is None:
            try:
                return (self.root / path).read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return None
            except OSError as error:
                raise UncheckedError(f"{path}: cannot be read: {error.strerror}") from error
        blob = self._blobs(side.tree).get(path)
        if blob is None:
            return None
        try:
            return self._content(blob)
        except ValueError as error:
            raise UncheckedError(f"{path}: its content is missing in {self.root}; run git fsck") from error

    def reader(self, side: Side) -> Reader:
        """`read` for paths relative to the project."""
        return lambda path: self.read(side, normpath(join(self.project, path)))

    def tags(self, patterns: Sequence[str]) -> list[tuple[str, Side]]:
        """The commits of all tags whose name matches a pattern, older version numbers first."""
        listed = self._output("for-each-ref", "--format=%(refname:strip=2)", "--sort=version:refname", "refs/tags")
        tags = []
        for tag in os.fsdecode(listed).splitlines():
            if any(fnmatchcase(tag, pattern) for pattern in patterns):
                try:
                    commit, tree = (
                        os.fsdecode(self._git.get_object_header(f"refs/tags/{tag}^{{{kind}}}")[0])
                        for kind in ("commit", "tree")
                    )
                except ValueError:  # a tag of a single file or tree
                    continue
                tags.append((tag, Side("commit", tree, commit)))
        return tags

    def materialise(self, side: Side, folder: str | Path) -> None:
        """Write all files of a commit or of the index into an empty folder, which git does not learn of.

        Unlike `worktree add` it runs no hook and registers nothing; unlike `archive` it leaves nothing out
        and fetches from a partial clone's remote at once. Submodules come out empty, LFS files as pointers.
        Raises UncheckedError where git cannot.
        """
        with tempfile.TemporaryDirectory(prefix="restore-guard-") as private:
            result = subprocess.run(
                [
                    *(git.Git.GIT_PYTHON_GIT_EXECUTABLE, *QUIET, "read-tree"),
                    *("--no-sparse-checkout", "--no-recurse-submodules", "-m", "-u", side.tree),
                ],
                cwd=folder,
                env=_environment(
                    GIT_DIR=str(self._git_dir),
                    GIT_WORK_TREE=str(Path(folder).resolve()),
                    GIT_INDEX_FILE=str(Path(private, "index")),
                    GIT_LFS_SKIP_SMUDGE="1",
                ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
            )
        if result.returncode:
            problem = os.fsdecode(result.stderr).strip()
            raise UncheckedError(f"git cannot write the files of {side.label} into {folder}: {problem}")

    def _blobs(self, tree: str) -> dict[str, str]:
        """Path -> sha of all files of a tree: one process however many are asked for; no submodules."""
        if tree not in self._trees:
            entries = _split(self._output("ls-tree", "-r", "-z", "--full-tree", tree))
            parted = (entry.partition("\t") for entry in entries)
            self._trees[tree] = {path: meta.split()[2] for meta, _, path in parted if meta.split()[1] == "blob"}
        return self._trees[tree]

    def _untracked(self) -> list[str]:
        listed = _split(self._output("ls-files", "-z", "--others", "--exclude-standard"))
        return [path for path in listed if not path.endswith("/")]  # a repository of its own

    def _resolve(self, revision: str) -> str | None:
        status, sha, _ = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", revision)
        return None if status else sha.decode().strip()

    def _output(self, *arguments: str, env: Mapping[str, str] | None = None) -> bytes:
        status, output, problem = self._run(*arguments, env=env)
        if status:
            raise UncheckedError(f"git {' '.join(arguments)} failed in {self.root}: {problem}")
        return output

    def _run(self, *arguments: str, env: Mapping[str, str] | None = None) -> tuple[int, bytes, str]:
        return self._git.execute(
            [git.Git.GIT_PYTHON_GIT_EXECUTABLE, *arguments],
            env=env,
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
        )


@contextmanager
def _copy(index: Path) -> Iterator[str]:
    """A copy of an index for a command that would write it, for as long as the command runs."""
    with tempfile.TemporaryDirectory(prefix="restore-guard-") as folder:
        copy = Path(folder, "index")
        if index.exists():  # not before the first git add
            shutil.copy2(index, copy)  # with its time: git looks into files that are no older than it
        yield str(copy)


def _environment(**variables: str) -> dict[str, str]:
    """The environment without the GIT_ variables of a hook's repository (GitPython can add, not remove)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or KEPT.match(name)}
    return {**kept, "LC_ALL": "C", **variables}


def _discover(folder: Path) -> tuple[Path, Path]:
    """Root of the work tree and git directory, of the disk rather than of the inherited GIT_DIR.

    With GIT_DIR set, git takes the current folder for the root and trusts every owner.
    """
    result = subprocess.run(
        [git.Git.GIT_PYTHON_GIT_EXECUTABLE, "rev-parse", "--show-toplevel", "--absolute-git-dir"],
        cwd=folder,
        env=_environment(),
        capture_output=True,
    )
    if result.returncode:
        problem = os.fsdecode(result.stderr).strip()
        advice = "" if "safe.directory" in problem else "\nRun restore-guard inside the work tree of a repository."
        raise UsageError(f"{folder}: git finds no repository to work with here: {problem}{advice}")
    root, git_dir = os.fsdecode(result.stdout).splitlines()
    return Path(root), Path(git_dir)


def _project(folder: Path, root: Path) -> str:
    """The nearest folder from `folder` up to the root that configures restore-guard, else the root."""
    for candidate in [folder, *folder.parents]:
        if candidate == root:
            break
        shared = candidate / SHARED_FILE
        if (candidate / OWN_FILE).is_file() or (
            shared.is_file() and re.search(rb"^\s*\[\[?tool\.restore-guard", shared.read_bytes(), re.MULTILINE)
        ):
            return candidate.relative_to(root).as_posix()
    return ""


def _split(output: bytes) -> list[str]:
    return os.fsdecode(output).split("\0")[:-1]


def _changes(output: bytes) -> tuple[Change, ...]:
    """Parse `--name-status -z`: NULs part statuses from paths, as a path may hold any other byte."""
    fields = iter(_split(output))
    changes = []
    for status in fields:
        if status[0] == "R":
            old_path, path = next(fields), next(fields)
            changes.append(Change("R", path, old_path))
        else:  # U, an unresolved conflict on disk, is a modification
            changes.append(Change("M" if status == "U" else status, next(fields)))
    return tuple(changes)
