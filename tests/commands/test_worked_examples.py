"""The README's page "Guard a model that needs arguments, ...": its files, as they stand there, in a real repository."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from conftest import Project, warm_python

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import update
from restore_guard.commands.check import check

pytestmark = pytest.mark.tensorflow

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
PAGE = README.partition("### Guard a model that needs arguments, a configuration, a data file\n")[2].split("\n### ")[0]
BLOCK = re.compile(r"^`([\w/.-]+)`:\n\n((?:    .*\n|\n(?=    |\n    ))+)", re.MULTILINE)
EXAMPLES = {"ranker": 4, "tagger": 6, "search": 1, "trained": 3, "encoder": 2}
"""{model: how many variables it has}."""


def files():
    """{path: what the page shows of it}: what several examples say of one file goes into it one after the other."""
    found = defaultdict(list)
    for path, block in BLOCK.findall(PAGE):
        found[path].append(re.sub("^    ", "", block, flags=re.MULTILINE))
    # A table may stand in a file once, and last the one that others follow: as a person would put them together.
    found["pyproject.toml"].sort(key=lambda block: not block.startswith("[tool.restore-guard]"))
    return {path: "\n\n".join(blocks) for path, blocks in found.items()}


@pytest.fixture(scope="module")
def guarded(keras3, tmp_path_factory):
    """The repository with the page's files, guarded, and how to check it."""
    folder = tmp_path_factory.mktemp("examples")
    project = Project(folder / "project", folder / "home")
    project.environ |= {"RESTORE_GUARD_PYTHON": str(keras3)}
    project.commit(files(), "the page")
    with warm_python(keras3):
        with Repository(project.root) as repository:
            made = update.update(Run(repository, project.environ), names=[], reason=None)
        assert {done.state for done in made} == {"written"}, made
        project.commit(message="manifests")

        def checked():
            with Repository(project.root) as repository:
                sides = Sides(repository.head(), repository.worktree())
                return check(Run(repository, project.environ), sides, witness="never")

        yield project, checked


def test_page_has_five_examples():
    assert PAGE.count("\n**") == len(EXAMPLES)
    assert set(re.findall(r"models\.(\w+)\]", files()["pyproject.toml"])) == set(EXAMPLES)


def test_each_is_guarded_and_each_break_is_refused(guarded):
    project, checked = guarded
    assert "data/words.txt" not in project.git("ls-files")
    project.edit("pyproject.toml", "width = 64", "width = 32")
    project.edit("configs/tagger.json", '"units": 32', '"units": 16')
    project.edit("search/model.py", "len(vocabulary), 8", "len(vocabulary), 9")
    project.edit("train.py", "model=self.model", "net=self.model")
    project.edit("encoder/model.py", "Dense(4", "Dense(5")
    result = checked()
    assert {model.name: model.verdict for model in result.models} == dict.fromkeys(EXAMPLES, "breaks")
    assert {model.name: model.variables for model in result.models} == EXAMPLES
    rules = {model.name: {finding.rule for finding in model.findings if finding.restores} for model in result.models}
    assert rules == dict.fromkeys(EXAMPLES, {"shape-changed"}) | {"trained": {"variable-renamed"}}, result
    lines = {finding.file for model in result.models for finding in model.findings if finding.restores}
    assert {"configs/tagger.json", "search/model.py", "train.py", "encoder/model.py"} & lines, lines
