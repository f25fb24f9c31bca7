"""`update` with a real TensorFlow: a break is never absorbed without a reason that the review shows."""

import json

import pytest
from conftest import SMALL, rename, settings

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

REASON = "the first ranker is retired"


def _manifests(project):
    return {path.name: path.read_bytes() for path in (project.root / "restore-manifest").iterdir()}


def test_break_is_refused_then_accepted_with_a_reason(make_repository, library):
    project = make_repository(copy_of=library)
    rename(project)
    project.edit("small/raising.py", "    return", '    raise ValueError("no such width: 7")\n    return')
    project.write({"small/healed.py": SMALL, "restore-manifest/healed.json": "{"})
    before, untouched = _manifests(project), (project.root / "restore-manifest/activated.json").stat()
    staged = project.git("write-tree")

    run = project.run("update", "subclassed", "raising", "healed", "activated")
    assert run.code == 1
    lines = run.stdout.splitlines()
    for said in ("subclassed", "dense_1", "denselayer1", "--accept-break", "no such width: 7"):
        assert any(said in line for line in lines), (said, run.stdout)
    written = _manifests(project)
    # What is not broken is written, a file that cannot be read is made anew, nothing else is touched.
    assert {name for name in before if before[name] != written[name]} == {"healed.json"}
    assert written["healed.json"] == (library / "restore-manifest/healed.json").read_bytes()
    after = (project.root / "restore-manifest/activated.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (untouched.st_ino, untouched.st_mtime_ns), "written without a change"
    assert project.git("write-tree") == staged
    assert list(project.temporary.iterdir()) == []

    run = project.run("update", "subclassed", "raising", "--accept-break", f" {REASON}\n ")
    assert run.code == 3  # one was written, the other cannot be built
    assert "accepted" in run.stdout
    manifest = json.loads(_manifests(project)["subclassed.json"])
    assert manifest["epoch"] == 2
    (entry,) = manifest["history"]
    assert (entry["epoch"], entry["reason"]) == (2, REASON)
    assert entry["broken"]["tf-checkpoint"]["outcome"] == "partial"
    assert sorted(entry["broken"]["tf-checkpoint"]["initial"]) == ["denselayer1/bias", "denselayer1/kernel"]
    assert sorted(entry["broken"]["tf-checkpoint"]["unused"]) == ["dense_1/bias", "dense_1/kernel"]
    assert entry["broken"]["keras-weights"]["outcome"] == "raises"

    project.git("checkout", "--quiet", "--", "small")
    project.commit(message="accepted")
    run = project.check("--base", "HEAD~", "--head", "HEAD")
    assert run.code == 0
    model = run.model("subclassed")
    assert (model["verdict"], model["manifest"]) == ("restores", "current")
    # The truth is still told; it is no longer a failure.
    assert model["restores"]["tf-checkpoint"]["outcome"] == "partial"
    findings = {finding["rule"]: finding for finding in model["findings"]}
    assert findings.keys() == {"variable-renamed", "break-accepted"}
    assert {finding["status"] for finding in findings.values()} == {"accepted"}
    assert REASON in findings["break-accepted"]["message"]


def test_manifest_is_made_for_review(library):
    text = (library / "restore-manifest/kept.json").read_text()
    manifest = json.loads(text)
    assert (manifest["model"], manifest["epoch"], manifest["history"]) == ("kept", 1, [])
    assert manifest["sources"] == ["small/kept.py"]
    assert manifest["restores"] == ["tf-checkpoint", "keras-weights"]
    assert [variable["path"] for variable in manifest["variables"]] == ["dense/kernel", "dense/bias"]
    assert text.endswith("}\n") and "\r" not in text
    for here in (library, library.parent, library.resolve()):
        assert str(here) not in text
    names = sorted(path.name for path in library.iterdir())
    assert names == [".git", ".gitignore", "README.md", "page.py", "pyproject.toml", "restore-manifest", "small"]


def test_a_manifest_that_was_never_committed_is_the_promise(make_repository, keras3):
    """Also of what its configuration becomes: the code is asked about that, and not only about its own."""
    models = {"small": 'builder = "small:build"\nrestores = ["keras-archive"]'}
    project = make_repository(files={"small.py": SMALL, "pyproject.toml": settings(keras3, models)})
    assert project.run("update").code == 0
    written = json.loads(_manifests(project)["small.json"])
    project.edit("small.py", "layers.Dense(3)", "layers.Dense(4)")
    run = project.run("update")
    # A .keras file makes the model of its own configuration, whatever the builder makes now.
    assert run.code == 0, run.stdout + run.stderr
    again = json.loads(_manifests(project)["small.json"])
    assert (again["epoch"], again["archive"] == written["archive"]) == (1, False)
