"""Candidates are tried one way after the other; builds are played, nothing here starts a Python."""

from pathlib import Path

import pytest
from signatures import module

from restore_guard.build import Build
from restore_guard.commands.survey import Model
from restore_guard.commands.trials import Trials
from restore_guard.config import Input
from restore_guard.discovery.attempts import Attempt
from restore_guard.discovery.candidate import Candidate
from restore_guard.discovery.inputs import Tensor

GOOD = Build(module(kernel=(2, 3)))
EMPTY = Build(module())
NOT_BUILT = Build(failure="ValueError: Net is not built: its variables do not exist before its first call.")


class Played:
    """A probe that answers by a function of the job, and remembers what it was asked."""

    def __init__(self, answer):
        self.answer, self.jobs, self.texts = answer, [], []

    def run(self, jobs, purpose):
        for job in jobs:
            self.jobs.append(job)
            name = job.builder.partition(":")[0]
            text = Path(job.pythonpath[-1], f"{name}.py")
            self.texts.append(text.read_text() if text.is_file() else "")
        return {job.id: self.answer(job) for job in jobs}


def _model(name="net", attempts=None, kind="function"):
    return Model(Candidate(name, f"{name}:build", f"{name}.py", 1, kind=kind), attempts=tuple(attempts or [Attempt()]))


def _try(answer, *models, files=(), seconds=100.0):
    probe = Played(answer)
    trials = Trials(Path("/project"), files, [], probe, seconds=seconds)
    return trials.run(models), probe, trials


def test_the_first_that_builds_is_taken():
    attempts = [Attempt(kwargs={"width": 1}), Attempt(kwargs={"width": 2}), Attempt(kwargs={"width": 3})]
    (found,), probe, _ = _try(
        lambda job: GOOD if job.kwargs["width"] > 1 else Build(failure="no"), _model("net", attempts)
    )
    assert found.attempt.kwargs == {"width": 2} and found.build is GOOD
    assert [job.kwargs["width"] for job in probe.jobs] == [1, 2]


def test_the_first_failure_is_told():
    attempts = [Attempt(kwargs={"width": 1}), Attempt(kwargs={"width": 2})]
    (found,), _, _ = _try(lambda job: Build(failure=f"no {job.kwargs['width']}"), _model("net", attempts))
    assert found.build.failure == "no 1"


def test_a_function_around_a_call_is_written_for_the_trial_only():
    attempt = Attempt(imports={"Gan": "gan.Gan"}, body=("return Gan().critic",))
    (found,), probe, _ = _try(lambda job: GOOD, _model("gan", [attempt]))
    assert "return Gan().critic" in probe.texts[0]
    assert found.configured().builder == "restore_guard_models:build_gan"
    assert not Path(probe.jobs[0].pythonpath[-1]).exists()


def test_folders_are_found_by_trying():
    def answer(job):
        if "lib/nets" in job.pythonpath:
            return GOOD
        return Build(failure=f"ModuleNotFoundError: No module named '{'blocks' if job.id == 'a' else 'blocks.conv'}'")

    files = ["a.py", "lib/nets/blocks/__init__.py", "lib/nets/blocks/conv.py", "other/nets.py"]
    found, _, trials = _try(answer, _model("a"), _model("b"), files=files)
    assert [model.build for model in found] == [GOOD, GOOD]
    assert trials.pythonpath == ["lib/nets"]


@pytest.mark.parametrize(
    ("failure", "files", "package"),
    [
        ("ModuleNotFoundError: No module named 'cv2'", [], "cv2"),
        ("ModuleNotFoundError: No module named 'official.nlp'", ["official.md"], "official"),
        ("AttributeError: module 'gin' has no attribute 'configurable'", ["gin/base.gin"], "gin"),
        ("AttributeError: module 'gin' has no attribute 'configurable'", ["gin/base.py"], None),
        ("AttributeError: module 'numpy' has no attribute 'float'", [], None),
        ("KeyError: 'x'", [], None),
    ],
)
def test_missing_packages(failure, files, package):
    (found,), _, _ = _try(lambda job: Build(failure=failure), _model(), files=files)
    assert found.lacks == package


def test_what_has_no_variables_is_called():
    tensors = ((Tensor((3,)),), (Tensor((4,), "int32"),))

    def answer(job):
        return GOOD if job.inputs and job.inputs[0]["dtype"] == "int32" else NOT_BUILT

    (found,), probe, _ = _try(answer, _model("net", [Attempt(inputs=tensors)]))
    assert found.inputs == (Input((4,), "int32"),) and len(probe.jobs) == 3
    (found,), probe, _ = _try(lambda job: GOOD, _model("net", [Attempt(inputs=tensors)], kind="class"))
    assert found.inputs == (Input((3,)),) and len(probe.jobs) == 1
    (found,), _, _ = _try(lambda job: EMPTY, _model())
    assert found.build.signature is None and found.lacks_inputs


def test_time_is_limited():
    models = [_model(f"net{number}") for number in range(20)]
    found, probe, _ = _try(lambda job: GOOD, *models, seconds=-1)
    assert not probe.jobs
    assert {model.build.failure for model in found} == {"was not tried: the time for trying was over"}
    late = Build(failure="the build took longer than 60 seconds and was stopped")
    (found,), probe, _ = _try(lambda job: late, _model("net", [Attempt(kwargs={"a": 1}), Attempt(kwargs={"a": 2})]))
    assert len(probe.jobs) == 1 and found.build is late
    assert {job.timeout for job in probe.jobs} == {60}


SHAPED = (Tensor((3,)),)


def test_what_is_not_called_that_way_is_tried_without():
    asked = Attempt(inputs=(SHAPED,))
    (found,), probe, _ = _try(
        lambda job: Build(failure="TypeError: 'Net' object is not callable") if job.inputs else GOOD,
        _model("net", [asked], kind="class"),
    )
    assert found.build is GOOD and found.inputs == ()
    assert [bool(job.inputs) for job in probe.jobs] == [True, False]


def test_a_first_call_of_its_own_is_the_last_way():
    """Where no inputs are known, or none of them suffice."""
    call = Attempt(body=("model = Net()", "model(1, 2)", "return model"), calls=True)
    for plain in (Attempt(), Attempt(inputs=(SHAPED,))):
        (found,), probe, _ = _try(
            lambda job: GOOD if job.builder.startswith("restore_guard_trial") else NOT_BUILT,
            _model("net", [plain, call]),
        )
        assert found.build is GOOD and found.attempt == call and found.inputs == ()
        assert "model(1, 2)" in probe.texts[-1]


def test_where_even_that_fails_inputs_are_asked_for():
    call = Attempt(body=("return Net()",), calls=True)
    (found,), _, _ = _try(
        lambda job: Build(failure="no") if job.builder.startswith("restore_guard_trial") else NOT_BUILT,
        _model("net", [Attempt(), call]),
    )
    assert found.lacks_inputs and found.attempt == Attempt()
