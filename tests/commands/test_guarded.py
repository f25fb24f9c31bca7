"""What a configured model builds behind an import by name is not proposed again."""

from msgspec.structs import replace
from signatures import module

from restore_guard import config
from restore_guard.build import Build
from restore_guard.building.apart import Apart
from restore_guard.change.repository import Repository
from restore_guard.commands.guarded import guarded
from restore_guard.commands.survey import Model
from restore_guard.discovery.candidate import Candidate
from restore_guard.plain_data import Site
from restore_guard.promise.manifest import Manifest, dump


class Built:
    """In place of a Python that builds."""

    def __init__(self, **builds):
        self.builds, self.asked = builds, []

    def run(self, jobs, _):
        self.asked += [job.id for job in jobs]
        return {job.id: self.builds[job.id] for job in jobs}


def _build(*lines):
    signature = module(**{f"kernel{line}": (2, line) for line in lines})
    sites = {f"kernel{line}": Site("nets/small.py", line, 0) for line in lines}
    made = tuple(replace(each, site=sites.get(each.path)) for each in signature.variables)
    return Build(replace(signature, variables=made, sources=("nets/small.py",)))


def _told(project, probe, *models):
    with Repository(project.root) as repository:
        settings = config.load(repository.reader(repository.worktree()))[1]
        apart = Apart(repository, lambda: project.root, list)
        return guarded(repository, settings, project.root, models, probe, apart)


def _model(name, build):
    return Model(Candidate(name, f"nets.{name}:create", f"nets/{name}.py", 1), build)


def test_what_a_configured_model_makes_is_guarded(make_repository):
    project = make_repository(
        files={"restore-guard.toml": "[models.tiny]\nbuilder = 'hand:tiny'\n[models.other]\nbuilder = 'hand:other'\n"}
    )
    probe = Built(tiny=_build(5, 6), other=Build(failure="no"))
    models = [_model("small", _build(5)), _model("same", _build(5, 6)), _model("large", _build(6, 7))]
    assert _told(project, probe, *models, _model("unbuilt", Build(failure="no"))) == {"small", "same"}
    assert probe.asked == ["tiny", "other"]
    far = Manifest("other", ("tf-checkpoint",), replace(module(kernel=(2, 3)), sources=("far.py",)))
    near = Manifest("tiny", ("tf-checkpoint",), replace(module(kernel=(2, 3)), sources=("nets/small.py",)))
    project.write(
        {"restore-manifest/other.json": dump(far).decode(), "restore-manifest/tiny.json": dump(near).decode()}
    )
    probe.asked.clear()
    assert _told(project, probe, *models) == {"small", "same"}
    assert probe.asked == ["tiny"], "a manifest says which files are read"


def test_nothing_is_built_where_nothing_is_configured(make_repository):
    assert _told(make_repository(files={"restore-guard.toml": ""}), Built(), _model("small", _build(5))) == set()
