"""Builds of the styles in which models are made are kept: a comment costs none, and no changed dependency is missed."""

import os
import shutil
import subprocess
import time

import msgspec
import pytest
from styles import STYLES

from restore_guard.build import Job
from restore_guard.building import cache, isolation, probing
from restore_guard.building.side_files import Tree
from restore_guard.change.repository import Repository
from restore_guard.environments import installed


class Corpus:
    """Every so many of the styles, built by one Python, and kept."""

    def __init__(self, folder, python, step):
        self.folder, self.step, self.environ = folder, step, isolation.environment(os.environ)
        self.installed = installed.ask(python, self.environ)
        self.styles = {
            name: style
            for name, style in list(STYLES.items())[::step]
            if style.needs is None or style.needs in self.installed.stems
        }
        for name in self.styles:
            self.write(name)
            subprocess.run(["git", "init", "--quiet", folder / name], check=True)
        self.repositories = {name: Repository(folder / name) for name in self.styles}
        time.sleep(0.1)
        kept = self.cache()
        with probing.Probe(python) as probe:
            self.builds = probe.run([self.job(name) for name in self.styles])
        for name, build in self.builds.items():
            kept.keep(self.job(name), self.tree(name), build)

    def write(self, name, changes=()):
        root = self.folder / name
        root.mkdir(exist_ok=True)
        for entry in root.iterdir():
            if entry.name != ".git":
                entry.unlink() if entry.is_file() or entry.is_symlink() else shutil.rmtree(entry)
        for path, content in {**self.styles[name].files, **dict(changes)}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            if content.startswith("-> "):
                (root / path).symlink_to(content[3:])
            else:
                (root / path).write_text(content)

    def job(self, name):
        return Job(name, self.folder / name, "model:build")

    def tree(self, name):
        repository = self.repositories[name]
        return Tree(repository, repository.worktree())

    def cache(self, **environ):
        return cache.Cache(self.folder / "cache", self.installed, self.environ | environ)

    def finds(self, name, **environ):
        return self.cache(**environ).find(self.job(name), self.tree(name)) is not None


@pytest.fixture(
    scope="module",
    params=[("keras3", 1), ("keras2", 6), pytest.param(("keras2", 1), marks=pytest.mark.long)],
    ids=["keras3", "some-keras2", "keras2"],
)
def corpus(request, tmp_path_factory):
    framework, step = request.param
    folder = tmp_path_factory.mktemp(framework)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(folder))  # whoever runs this may have settings of his own
        yield Corpus(folder, request.getfixturevalue(framework), step)


@pytest.mark.tensorflow
def test_builds_are_kept(corpus):
    failed = {name: build.failure for name, build in corpus.builds.items() if build.failure}
    assert not failed
    lost = {name for name, style in corpus.styles.items() if style.kept and not corpus.finds(name)}
    assert len(corpus.styles) >= 0.8 * len(STYLES) / corpus.step
    assert not lost, {name: corpus.builds[name].trace for name in lost}
    assert not {name for name, style in corpus.styles.items() if not style.kept and corpus.finds(name)}


@pytest.mark.tensorflow
def test_a_comment_costs_no_build(corpus):
    for name, style in corpus.styles.items():
        sources = {path: content for path, content in style.files.items() if path.endswith(".py")}
        corpus.write(name, {path: f'"""A text."""\n# a comment\n\n{content}' for path, content in sources.items()})
        assert corpus.finds(name) == style.kept, name
        corpus.write(name)
        assert corpus.finds(name) == style.kept, name


@pytest.mark.tensorflow
def test_no_change_of_a_style_is_missed(corpus):
    missed = []
    for name, style in corpus.styles.items():
        for change, files in style.changes.items():
            corpus.write(name, files)
            missed += [(name, change)] if corpus.finds(name) else []
        corpus.write(name)
        missed += [
            (name, variable) for variable, value in style.environ.items() if corpus.finds(name, **{variable: value})
        ]
    assert not missed


@pytest.mark.tensorflow
@pytest.mark.parametrize("step", [pytest.param(15, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)])
def test_each_thing_that_is_recorded_counts(corpus, step):
    """Changes what a trace names, one after the other; of what is missing, every so many."""
    missed = []
    for name, style in corpus.styles.items():
        if not style.kept:
            continue
        root, trace = corpus.folder / name, corpus.builds[name].trace
        for path in (*trace.modules, *trace.files):
            content = (root / path).read_bytes()
            (root / path).write_bytes(content + b"\nMORE = 2\n")
            missed += [(name, path)] if corpus.finds(name) else []
            (root / path).write_bytes(content)
        for path in trace.missing[::step]:
            new = [folder for folder in (root / path).parents if not folder.exists()]
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("")
            missed += [(name, path)] if corpus.finds(name) else []
            (root / path).unlink()
            for folder in new:
                folder.rmdir()
        for path in trace.folders:
            (root / path / "one more").write_text("")
            missed += [(name, path)] if corpus.finds(name) else []
            (root / path / "one more").unlink()
        for path in trace.links:
            target = os.readlink(root / path)
            (root / path).unlink()
            (root / path).symlink_to(f"./{target}")
            missed += [(name, path)] if corpus.finds(name) else []
            (root / path).unlink()
            (root / path).symlink_to(target)
        missed += [(name, variable) for variable in trace.environ if corpus.finds(name, **{variable: "another"})]
        assert corpus.finds(name), name
    assert not missed


@pytest.mark.tensorflow
def test_of_packages_versions_count(corpus):
    known = corpus.installed
    for name in ("tqdm", "yaml"):
        if name not in corpus.styles:
            continue
        for distribution in set().union(*(known.owners.get(top, ()) for top in corpus.builds[name].trace.packages)):
            corpus.installed = msgspec.structs.replace(known)
            corpus.installed.__dict__["versions"] = known.versions | {distribution: "0"}
            assert not corpus.finds(name), distribution
        corpus.installed = known
