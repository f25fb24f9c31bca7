"""git: resolve refs, list changes, read the files of a commit, of the index or of the disk.

Reading is all it does to a repository: no ref, index, worktree entry or file of the user is ever written.
Hooks inherit GIT_DIR and GIT_INDEX_FILE from git, so no command here relies on what it inherits: the
repository, the work tree and the index are named each time.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from functools import cache, cached_property, partial
from pathlib import Path
from posixpath import dirname, join, normpath

from restore_guard.change import git_command, listings, moved, regular_files
from restore_guard.change.git_command import NO_LFS, QUIET, Done
from restore_guard.change.listings import split
from restore_guard.change.places import TABLE, discover, nearest_configured
from restore_guard.change.states import Change, Commit, Reader, Side, Tag
from restore_guard.config import OWN_FILE, SHARED_FILE
from restore_guard.errors import RestoreGuardError, UncheckedError, UsageError
from restore_guard.folders import temporary


class Repository:
    """A git repository with a work tree, and the folder in it that configures restore-guard.

    Raises UsageError where `path` is in no repository, or in one that git refuses to trust.
    """

    def __init__(self, path: str | Path = "."):
        try:
            folder = Path(path).resolve()
        except FileNotFoundError as error:
            raise UsageError("the folder that this runs in is gone; change into one that is there") from error
        if not folder.is_dir():
            raise UsageError(f"{path}: no such folder; name a folder inside a git repository")
        self.root, self._git_dir = discover(folder)
        self._git = git_command.objects(self.root)
        self._about = {
            "GIT_DIR": str(self._git_dir),
            "GIT_WORK_TREE": str(self.root),
            "GIT_INDEX_FILE": str(self._git_dir / "index"),
            "GIT_OPTIONAL_LOCKS": "0",  # git diff runs git status in submodules, which refreshes their indexes
        }
        self._git.update_environment(**self._about)
        self._content = cache(self._blob)  # sides share most blobs
        self._trees: dict[str, dict[str, str]] = {}
        self._folders: dict[Side, str] = {}
        self._folder = folder

    def __enter__(self) -> "Repository":
        return self

    def __exit__(self, *error: object) -> None:
        self.rest()

    def rest(self) -> None:
        """Ends the processes that read objects, which have the whole environment; the next question starts others."""
        self._git.clear_cache()

    def version(self) -> str:
        """The version of git."""
        return os.fsdecode(self._output("version")).strip()

    def hooks(self) -> Path:
        """The folder of the user's git hooks, wherever core.hooksPath says; linked work trees share it."""
        return self.root / os.fsdecode(self._output("rev-parse", "--git-path", "hooks")).strip()

    def objects(self) -> Path:
        """The folder of git's objects; linked work trees share it."""
        found = os.fsdecode(self._output("rev-parse", "--path-format=absolute", "--git-path", "objects"))
        return Path(found.removesuffix("\n"))

    def object_format(self) -> str:
        """How objects are named: sha1 or sha256."""
        return os.fsdecode(self._output("rev-parse", "--show-object-format")).strip()

    def commit(self, ref: str) -> Side:
        """The commit that `ref` names. Raises UncheckedError if this clone has none."""
        side = self._side(ref)
        if side is None:
            advice = f"Check its spelling, or bring it here: git fetch origin {ref}"
            if self.is_shallow():
                advice = (
                    "This clone is shallow, so the commit may only be missing here: "
                    "git fetch --unshallow, or git fetch --depth=1 origin SHA for one commit"
                )
            raise UncheckedError(f"{ref}: no such commit in {self.root}. {advice}")
        return side

    def is_shallow(self) -> bool:
        """Whether commits and tags may be missing here that the remote has."""
        return self._output("rev-parse", "--is-shallow-repository") == b"true\n"

    def parent(self, side: Side) -> Side | None:
        """The first parent of a commit; None where it has none. Raises UncheckedError if this clone lacks it."""
        named = re.search(rb"^parent (\w+)$", self._output("cat-file", "-p", side.label).partition(b"\n\n")[0], re.M)
        return self.commit(os.fsdecode(named[1])) if named else None

    def head(self) -> Side | None:
        """The commit that is checked out; None before the first commit of a branch."""
        side = self._side("HEAD")
        if side is not None:
            return side
        status, branch, _ = self.ask("symbolic-ref", "--quiet", "HEAD")  # fails if the branch is broken
        if status == 0:
            ref = os.fsdecode(branch).strip()
            if not self._output("for-each-ref", "--format=%(refname)", ref):
                return None
        raise UncheckedError(f"HEAD of {self.root} names no commit that can be read; run git fsck")

    def unpushed(self, pushed: Side, remote: str) -> list[str]:
        """The other branches with a commit that is neither in `pushed` nor, as far as known, in the remote."""
        known = os.fsdecode(self._output("for-each-ref", "--format=%(refname)", f"refs/remotes/{remote}/")).split()
        reached = (f"--no-merged={commit}" for commit in [pushed.label, *known])
        return os.fsdecode(self._output("for-each-ref", "--format=%(refname:short)", *reached, "refs/heads")).split()

    def index(self) -> Side:
        """What is staged for the commit under way. Raises UncheckedError while a merge is unresolved.

        `git commit -a` and `git commit FILE` stage into an index of their own that GIT_INDEX_FILE names.
        """
        staged = self.root / (os.environ.get("GIT_INDEX_FILE") or self._git_dir / "index")
        with _copy(staged) as copy:  # write-tree saves its cache in the index that it reads
            status, tree, problem = self.ask(*QUIET, "write-tree", env={"GIT_INDEX_FILE": copy})
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
            options = ("-r", "-M", "--ignore-submodules=none", "--raw", "-z")
            return listings.changes(self._output("diff-tree", *options, base.written, head.tree))

        with _copy(self._git_dir / "index") as copy:  # git diff refreshes the index that it reads
            private = {"GIT_INDEX_FILE": copy}
            self._look_at_all(private)
            tracked = self._output(
                # autoRefreshIndex drops files of which only the time stamp differs; diff-index lists them
                *(*QUIET, "-c", "diff.autoRefreshIndex=true", "diff", "--no-ext-diff", "--ignore-submodules=none"),
                *("-M", "--raw", "-z", base.written, "--"),
                env=private,
            )
        changes = {change.path: change for change in listings.changes(tracked)}
        for path in self.untracked():
            # removed from the index alone, a file of the base is still there
            changes[path] = Change("M" if path in changes else "A", path)
        return tuple(changes.values())

    def files(self, side: Side, under: str = "") -> list[str]:
        """The paths of all files of a side, or of those below the folder `under`; ignored files are none."""
        if side.tree is None:
            tracked = split(self._output("ls-files", "-z", "--cached"))
            paths = sorted({path for path in [*tracked, *self.untracked()] if (self.root / path).is_file()})
        else:
            paths = list(self._blobs(side.tree))
        folder = under.rstrip("/") + "/"
        return [path for path in paths if not under or path.startswith(folder)]

    def read(self, side: Side, path: str) -> bytes | None:
        """The content of a file, or None where the side has none; what lies outside the repository is no file of it."""
        if path.startswith(("/", "../")):
            return None
        if side.tree is None:
            try:
                return regular_files.read(self.root / path)
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

    def project_files(self, side: Side) -> list[str]:
        """The project's files on a side, relative to its folder."""
        prefix = f"{self.project}/" if self.project else ""
        return [path.removeprefix(prefix) for path in self.files(side, self.project)]

    def reader(self, side: Side) -> Reader:
        """`read` for paths relative to the project's folder on that side."""
        return lambda path: self.read(side, normpath(join(self.folder(side), path)))

    def folder(self, side: Side) -> str:
        """The project's folder on a side, where it may have been another. Raises UncheckedError if that is unclear."""
        if side not in self._folders:
            reads = (partial(self.read, each) for each in (side, self.worktree()))
            same = side.tree is None
            self._folders[side] = (
                self.project if same else moved.folder(self.project, partial(self.files, side), *reads)
            )
        return self._folders[side]

    def tags(self, patterns: Sequence[str]) -> list[tuple[str, Side | None]]:
        """The commits of all tags whose name matches a pattern, older version numbers first.

        None for a tag whose commit cannot be read here.
        """
        listed = self._output("for-each-ref", "--format=%(refname:strip=2)", "--sort=version:refname", "refs/tags")
        names = [
            tag
            for tag in os.fsdecode(listed).split("\n")[:-1]
            if any(fnmatchcase(tag, pattern) for pattern in patterns)
        ]
        asked = "".join(f"refs/tags/{tag}{part}\n" for tag in names for part in ("^{}", "^{commit}", "^{tree}"))
        told = iter(os.fsdecode(self._output("cat-file", "--batch-check", stdin=os.fsencode(asked))).split("\n")[:-1])
        tags: list[tuple[str, Side | None]] = []
        for tag, target, commit, tree in zip(names, told, told, told, strict=True):
            if not target.endswith(" missing") and target.split()[1] != "commit":
                continue  # a tag of a single file or tree
            whole = not any(each.endswith(" missing") for each in (target, commit, tree))
            tags.append((tag, Side("commit", tree.split()[0], commit.split()[0]) if whole else None))
        return tags

    def dated_tags(self) -> list[Tag]:
        """All tags of commits with their dates, older version numbers first."""
        listed = self._output("for-each-ref", "--format=%(refname:strip=2) %(creatordate:short)", "refs/tags")
        dates = dict(line.rsplit(" ", 1) for line in os.fsdecode(listed).splitlines())
        return [Tag(name, dates[name], side) for name, side in self.tags(["*"]) if side is not None]

    def versions(self, path: str, *, everywhere: bool = False) -> Iterator[tuple[Commit, bytes | None]]:
        """The commits up to HEAD that changed a file of the project, the newest first; None where it was removed.

        Args:
            everywhere: those of all branches and tags too.
        """
        if self.head() is None:
            return
        inside = normpath(join(self.project, path))
        # Unlike log it heeds no configuration of what to show.
        of = ["HEAD", *(["--all"] if everywhere else [])]
        listed = self._output("rev-list", "--format=%H %cs", *of, "--", f":(top,literal){inside}")
        for line in os.fsdecode(listed).splitlines():
            if not line.startswith("commit "):
                sha, date = line.split(" ")
                yield Commit(sha, date), self.read(self.commit(sha), inside)

    def materialise(self, side: Side, folder: str | Path) -> None:
        """Write all files of a commit or of the index into an empty folder, which git does not learn of.

        Unlike `worktree add` it runs no hook and registers nothing; unlike `archive` it leaves nothing out
        and fetches from a partial clone's remote at once. Files of Git LFS come out as pointers, and submodules
        as empty folders where they are not checked out. Raises UncheckedError where git cannot.
        """
        with temporary() as private:
            done = git_command.run(
                *(
                    *QUIET,
                    *NO_LFS,
                    "read-tree",
                    "--no-sparse-checkout",
                    "--no-recurse-submodules",
                    "-m",
                    "-u",
                    side.written,
                ),
                folder=Path(folder),
                GIT_DIR=str(self._git_dir),
                GIT_WORK_TREE=str(Path(folder).resolve()),
                GIT_INDEX_FILE=str(private / "index"),
            )
        if done.status:
            raise UncheckedError(f"git cannot write the files of {side.label} into {folder}: {done.problem}")
        for path, commit in self._submodules(side) if Path(folder, ".gitmodules").exists() else ():
            if (self.root / path / ".git").exists():
                # A submodule that is broken, or whose commit is not fetched yet, is as one that is not checked out.
                with suppress(RestoreGuardError), Repository(self.root / path) as submodule:
                    submodule.materialise(submodule.commit(commit), Path(folder, path))

    def _submodules(self, side: Side) -> list[tuple[str, str]]:
        """The submodules of a tree, each with its commit."""
        entries = split(self._output("ls-tree", "-r", "-z", "--full-tree", side.written))
        parted = (entry.partition("\t") for entry in entries)
        return [(path, meta.split()[2]) for meta, _, path in parted if meta.split()[1] == "commit"]

    def _blobs(self, tree: str) -> dict[str, str]:
        """Path -> sha of all files of a tree: one process however many are asked for; no submodules."""
        if tree not in self._trees:
            entries = split(self._output("ls-tree", "-r", "-z", "--full-tree", tree))
            parted = (entry.partition("\t") for entry in entries)
            self._trees[tree] = {path: meta.split()[2] for meta, _, path in parted if meta.split()[1] == "blob"}
        return self._trees[tree]

    def _blob(self, name: str) -> bytes:
        """Raises ValueError where the object is missing or damaged."""
        # GitPython's reader knows no other names than those of SHA-1, and returns a part where git ends in the middle.
        if len(name) == 40:
            with suppress(ValueError, OSError):
                content = self._git.get_object_data(name)[3]
                if hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == name:
                    return content
            self._git.clear_cache()
        status, content, problem = self.ask("cat-file", "blob", name)
        if status:
            raise ValueError(problem)
        return content

    def _look_at_all(self, private: Mapping[str, str]) -> None:
        """Makes git look at the files on disk that the user's index says not to look at; sparse ones are not there."""
        listed = split(self._output("ls-files", "-v", "-z"))
        hidden = [line[2:] for line in listed if line[0].islower() or line[0] == "S"]
        there = "".join(f"{path}\0" for path in hidden if os.path.lexists(self.root / path))
        if there:
            flags = ("--no-assume-unchanged", "--no-skip-worktree")
            for flag in flags:
                self._output(*QUIET, "update-index", flag, "-z", "--stdin", env=private, stdin=os.fsencode(there))

    def untracked(self) -> list[str]:
        """The files on disk that git neither knows nor ignores."""
        listed = split(self._output("ls-files", "-z", "--others", "--exclude-standard"))
        return [path for path in listed if not path.endswith("/")]  # a repository of its own

    def ignored(self, patterns: Sequence[str]) -> list[str]:
        """The files on disk that git ignores and that match a glob pattern; both relative to the root."""
        # A path that leaves the repository would be an error, and no pattern at all would match everything.
        specs = [f":(glob){pattern}" for pattern in patterns if not pattern.startswith(("/", "../"))]
        if not specs:
            return []
        listed = self._output("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", *specs)
        return [path for path in split(listed) if not path.endswith("/")]

    def project_of(self, folder: Path) -> str:
        """The nearest folder from `folder` up to the root that configures restore-guard, else `folder` itself."""
        folder = folder.resolve()
        found = nearest_configured(folder, self.root) or folder
        return "" if found == self.root else found.relative_to(self.root).as_posix()

    @cached_property
    def project(self) -> str:
        """The nearest folder up to the root that configures restore-guard.

        A hook starts at the root, wherever the project is: without a configuration there, the only configured
        folder of the repository is it, else the root. Raises UsageError where there are several.
        """
        if nearest_configured(self._folder, self.root) is not None:
            return self.project_of(self._folder)
        files = ["--", f":(glob)**/{SHARED_FILE}"]
        _, found, _ = self.ask("grep", "--cached", "-l", "-z", "-E", TABLE.pattern.decode(), *files)
        own = self._output("ls-files", "-z", "--", f":(glob)**/{OWN_FILE}")
        projects = sorted({dirname(path) for path in [*split(found), *split(own)]})
        if len(projects) > 1:
            raise UsageError(
                f"{self.root}: restore-guard is configured in {', '.join(projects)}: run it in one of them, or give "
                f"a hook its own, in .pre-commit-config.yaml: args: [--project, {projects[0]}]"
            )
        return projects[0] if projects else ""

    def _side(self, ref: str) -> Side | None:
        """The commit that `ref` names, if any. Raises UncheckedError where its files are not there."""
        if "\n" in ref:
            return None
        asked = f"{ref}^{{commit}}\n{ref}^{{tree}}\n"
        _, told, _ = self.ask("cat-file", "--batch-check=%(objecttype) %(objectname)", stdin=os.fsencode(asked))
        found = re.fullmatch(rb"commit (\w+)\n(?:tree (\w+)\n)?.*", told, re.DOTALL)
        if found is None:
            return None
        if found[2] is None:
            raise UncheckedError(f"{ref}: the files of this commit are missing or damaged in {self.root}; run git fsck")
        return Side("commit", os.fsdecode(found[2]), os.fsdecode(found[1]))

    def _output(self, *arguments: str, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> bytes:
        status, output, problem = self.ask(*arguments, env=env, stdin=stdin)
        if status:
            raise UncheckedError(f"git {git_command.shown(arguments)} failed in {self.root}: {problem}")
        return output

    def ask(self, *arguments: str, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> Done:
        """Runs a git command that only reads."""
        return git_command.run(*arguments, folder=self.root, stdin=stdin, **{**self._about, **(env or {})})


@contextmanager
def _copy(index: Path) -> Iterator[str]:
    """A copy of an index for a command that would write it, for as long as the command runs."""
    with temporary() as folder:
        copy = folder / "index"
        if index.is_file():
            shutil.copy2(index, copy)  # with its time: git looks into files that are no older than it
        elif index.exists():  # not before the first git add
            raise UncheckedError(f"{index} is no file, so git cannot read its index: remove it, and run git reset")
        yield str(copy)
