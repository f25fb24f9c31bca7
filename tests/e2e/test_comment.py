"""The comment on a pull request, against a GitHub that answers over HTTP; and the label of a reviewer."""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import payloads
import pytest
from action_job import Job
from report_samples import RANKER, RENAMED, SUBCLASSED, TOWER
from test_action_reports import WARNED

from restore_guard.actions import comment
from restore_guard.actions.approval import withheld
from restore_guard.reports import load
from restore_guard.reports.markdown_report import HEADLINES
from restore_guard.result import Finding, ModelResult, Result

HEAD, BASE, MERGE = "c" * 40, "a" * 40, "b" * 40
TOKEN = "token-of-this-job"
BOT, PERSON = {"login": "github-actions[bot]", "type": "Bot"}, {"login": "octocat", "type": "User"}


class GitHub:
    """What GitHub keeps of one pull request, and every request that it got.

    Attributes:
        refuses: (status, message) for everything that writes; `unreadable` for all.
    """

    def __init__(self):
        self.comments, self.requests, self.head, self.refuses, self.unreadable = [], [], HEAD, None, None
        self.number = 0

    def add(self, body, user=BOT):
        self.number += 1
        self.comments.append({"id": self.number, "body": body, "user": user})

    def bodies(self):
        return [kept["body"] for kept in self.comments]

    def answer(self, method, path, body, headers):
        """(status, document), as the documentation of issue comments says."""
        self.requests.append((method, path))
        assert headers["Authorization"] == f"Bearer {TOKEN}" and headers["Accept"] == "application/vnd.github+json"
        refusal = self.unreadable or (method != "GET" and self.refuses)
        if refusal:
            return refusal[0], {"message": refusal[1]}
        if (method, path) == ("GET", "/repos/octo-org/models/pulls/1"):
            return 200, {"number": 1, "head": {"sha": self.head}}
        listing = re.fullmatch(r"/repos/octo-org/models/issues/1/comments(?:\?per_page=(\d+)&page=(\d+))?", path)
        if listing and method == "GET":
            size, page = map(int, listing.groups())
            return 200, self.comments[(page - 1) * size : page * size]
        if listing and method == "POST":
            assert len(body["body"]) <= 65536
            self.add(body["body"])
            return 201, self.comments[-1]
        number = int(re.fullmatch(r"/repos/octo-org/models/issues/comments/(\d+)", path)[1])
        (kept,) = [kept for kept in self.comments if kept["id"] == number]
        if method == "DELETE":
            self.comments.remove(kept)
            return 204, None
        assert method == "PATCH"
        kept["body"] = body["body"]
        return 200, kept


@contextmanager
def served(github):
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, document = github.answer(self.command, self.path, json.loads(body or b"null"), self.headers)
            self.send_response(status)
            if status in (301, 307):
                self.send_header("Location", f"http://{self.headers['Host']}/repos/elsewhere")
            self.end_headers()
            if document is not None:
                self.wfile.write(json.dumps(document).encode())

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def github():
    return GitHub()


@pytest.fixture
def steps(make_repository, tmp_path, github, capsys):
    """The action's second and third step, of a pull request: joins reports of these models, then comments."""
    job = Job(make_repository(files={"README.md": ""}), tmp_path)
    results = tmp_path / "results"

    def steps(*models, event="pull_request", payload=None, text=None, summary="true", project=".", **environ):
        results.mkdir(exist_ok=True)
        report = load("json").render(Result(BASE, MERGE, models)) if text is None else text
        (results / "report.json").write_text(report)
        payload = payload or payloads.pull_request(HEAD, BASE)
        given = {"RESTORE_GUARD_COMMENT": "true", "RESTORE_GUARD_SUMMARY": summary, "GITHUB_SHA": MERGE}
        code = job.run(event, payload, RESTORE_GUARD_RESULTS=str(results), **(given | environ))
        with served(github) as url:
            commented = comment.main(
                {
                    "GITHUB_EVENT_NAME": event,
                    "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
                    "GITHUB_STEP_SUMMARY": str(job.summary),
                    "GITHUB_REPOSITORY": "octo-org/models",
                    "GITHUB_API_URL": url,
                    "GITHUB_WORKFLOW": "Checkpoints",
                    "GITHUB_JOB": "restore-guard",
                    "RESTORE_GUARD_COMMENT_FILE": job.outputs.get("comment", ""),
                    "RESTORE_GUARD_SUMMARY": summary,
                    "RESTORE_GUARD_WORKING_DIRECTORY": project,
                    "RESTORE_GUARD_TOKEN": TOKEN,
                }
            )
        assert commented == 0, "it changes no verdict"
        job.said = capsys.readouterr().out
        return code

    steps.job = job
    return steps


def test_comment_is_made_updated_and_taken_away(steps, github):
    github.add("a word of a reviewer", PERSON)
    assert steps(SUBCLASSED) == 1
    first, second = github.bodies()
    assert first == "a word of a reviewer"
    assert HEADLINES["breaks"] in second and "<code>denselayer1</code>" in second and HEAD in second
    assert 'restore-guard update subclassed --accept-break "REASON"' in second

    assert steps(TOWER) == 3
    assert len(github.comments) == 2 and "tower" in github.bodies()[1] and "denselayer1" not in github.bodies()[1]
    assert steps(RANKER) == 0
    assert github.bodies() == ["a word of a reviewer"]
    assert steps(RANKER) == 0
    assert {method for method, _ in github.requests[-2:]} == {"GET"}, "nothing is written where nothing is to be said"


def test_comment_that_says_the_same_is_left_alone(steps, github):
    steps(SUBCLASSED)
    before = len(github.requests)
    steps(SUBCLASSED)
    assert {method for method, _ in github.requests[before:]} == {"GET"}


def test_run_without_a_result_says_so(steps, github):
    steps(SUBCLASSED)
    assert steps(text="{") == 3
    (body,) = github.bodies()
    assert HEADLINES["unchecked"] in body and "not a JSON report" in body


def test_warning_that_fails_the_step_is_told(steps, github):
    assert steps(WARNED) == 0 and github.bodies() == []
    assert steps(WARNED, RESTORE_GUARD_FAIL_ON="warning") == 1 and len(github.bodies()) == 1
    github.comments.clear()
    assert steps(SUBCLASSED, RESTORE_GUARD_FAIL_ON="never") == 0 and len(github.bodies()) == 1


@pytest.mark.parametrize("summary", ["true", "false"])
@pytest.mark.parametrize("refusal", [(403, "Resource not accessible by integration"), (404, "Not Found"), (502, "x")])
def test_where_nothing_may_be_written_the_summary_has_it(steps, github, refusal, summary):
    """As on a fork, whose token may only read."""
    github.refuses = refusal
    assert steps(SUBCLASSED, summary=summary) == 1
    assert "::notice title=restore-guard::The comment could not be written" in steps.job.said
    assert f"POST issues/1/comments: {refusal[0]} {refusal[1]}" in steps.job.said
    assert steps.job.summary.read_text().count(HEADLINES["breaks"]) == 1


def test_token_follows_no_redirect(steps, github):
    github.unreadable = (301, "Moved Permanently")
    steps(SUBCLASSED)
    assert "301 Moved Permanently" in steps.job.said and len(github.requests) == 1


def test_comment_of_a_person_who_quotes_it_is_his(steps, github):
    steps(SUBCLASSED)
    (body,) = github.bodies()
    github.comments.clear()
    github.add(body, PERSON)
    github.add(body, None)
    github.add(f"> {body}")
    steps(RANKER)
    assert len(github.comments) == 3
    steps(TOWER)
    assert len(github.comments) == 4 and github.bodies()[0] == body


def test_it_is_found_among_hundreds_and_only_one_stays(steps, github):
    for number in range(250):
        github.add(f"comment {number}", PERSON)
    steps(SUBCLASSED)
    github.add(github.bodies()[-1])  # of a run at the same time
    steps(TOWER)
    assert len(github.comments) == 251 and "tower" in github.bodies()[-1]


def test_each_project_has_its_own(steps, github):
    steps(SUBCLASSED, project="one")
    steps(SUBCLASSED, project="two")
    assert len(github.comments) == 2
    steps(RANKER, project="one")
    assert len(github.comments) == 1


def test_run_of_an_older_commit_writes_nothing(steps, github):
    github.head = "d" * 40
    steps(SUBCLASSED)
    assert github.comments == [] and "newer commit" in steps.job.said


def test_other_events_have_no_comments(steps, github):
    assert steps(SUBCLASSED, event="push", payload=payloads.push(BASE, MERGE)) == 1
    assert github.requests == []


def test_step_that_was_ended_before_it_knew_takes_nothing_away(steps, github):
    steps(SUBCLASSED)
    steps(SUBCLASSED, RESTORE_GUARD_COMMENT="false")
    assert len(github.comments) == 1


def test_hundreds_of_findings_fit(steps, github):
    many = tuple(
        ModelResult(f"m{number}", "breaks", findings=(Finding("shape-changed", "error", "m.py", number, "é@x " * 900),))
        for number in range(200)
    )
    steps(*many)
    (body,) = github.bodies()
    assert len(body.encode()) < 65536 and "more findings" in body


# --- the label -----------------------------------------------------------------------------------------------

LABEL = "accept-checkpoint-break"
ACCEPTED = ModelResult(
    "ranker",
    "restores",
    findings=(
        Finding("break-accepted", "warning", "m.json", 0, "A break was accepted (epoch 2): old.", status="accepted"),
        Finding("shape-changed", "error", "m.py", 3, "narrower", status="accepted"),
    ),
)
SILENCED = ModelResult("ranker", "restores", findings=ACCEPTED.findings[1:])


def labelled(action="labeled", given=LABEL, labels=(LABEL,), head=HEAD):
    payload = payloads.pull_request(head, BASE, action=action)
    payload["pull_request"]["labels"] = [{"id": 1, "name": name} for name in labels]
    return payload | ({"label": {"id": 1, "name": given}} if action in ("labeled", "unlabeled") else {})


@pytest.mark.parametrize("accepted", [ACCEPTED, SILENCED])
@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (labelled(), None),
        (labelled("synchronize"), "was not given for this commit"),
        (labelled("labeled", "other", (LABEL, "other")), "was not given for this commit"),
        (labelled("unlabeled", LABEL, ()), "no reviewer has given"),
        (labelled("opened", labels=()), "no reviewer has given"),
        (payloads.pull_request(HEAD, BASE), "no reviewer has given"),
        (labelled(head="e" * 40), None),
    ],
)
def test_reason_needs_the_label_for_this_commit(payload, said, accepted):
    result = Result(BASE, MERGE, (accepted,))
    judged = withheld(result, "pull_request", payload, LABEL, MERGE)
    if said is None:
        assert judged == result
    else:
        first, *rest = judged.models[0].findings
        assert (judged.verdict, first.rule, first.level, first.status) == ("breaks", "break-accepted", "error", "new")
        assert said in first.message and LABEL in first.message and accepted.findings[0].message in first.message
        assert rest == [accepted.findings[-1]]


def test_label_speaks_for_no_other_commit():
    for head in (HEAD, MERGE):
        assert withheld(Result(BASE, head, (ACCEPTED,)), "pull_request", labelled(), LABEL, MERGE).verdict == "restores"
    other = withheld(Result(BASE, "f" * 40, (ACCEPTED,)), "pull_request", labelled(), LABEL, MERGE)
    assert other.verdict == "breaks" and "that is not what was checked" in other.models[0].findings[0].message


def test_label_is_never_enough_without_a_reason():
    result = Result(BASE, MERGE, (SUBCLASSED, RANKER))
    assert withheld(result, "pull_request", labelled(), LABEL, MERGE) == result
    assert RENAMED.fails and result.verdict == "breaks"


@pytest.mark.parametrize(("event", "label"), [("push", LABEL), ("merge_group", LABEL), ("pull_request", "")])
def test_where_no_label_is_asked_for_the_reason_counts(event, label):
    result = Result(BASE, MERGE, (ACCEPTED,))
    assert withheld(result, event, labelled("synchronize", labels=()), label, MERGE) == result


def test_step_fails_until_the_label_is_given(steps, github):
    asked = {"RESTORE_GUARD_ACCEPT_LABEL": LABEL}
    assert steps(ACCEPTED, payload=labelled("opened", labels=()), **asked) == 1
    assert steps.job.outputs["verdict"] == "breaks" and steps.job.outputs["breaks"] == "1"
    assert "::error file=m.json,title=restore-guard%3A break-accepted in ranker::" in steps.job.log
    assert "no reviewer has given the label" in github.bodies()[0]
    assert steps(ACCEPTED, payload=labelled(), **asked) == 0
    assert github.bodies() == [] and "::notice file=m.json,title=restore-guard%3A break-accepted" in steps.job.log
