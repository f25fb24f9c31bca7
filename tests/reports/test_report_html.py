"""The HTML report, as written and as a browser's parser sees it."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

from hypothesis import given
from report_pages import result
from report_samples import SAMPLE, results

from restore_guard.reports.html_report import render
from restore_guard.reports.shared_causes import grouped
from restore_guard.reports.wording import plain, told
from restore_guard.result import Behaviour, Finding, ModelResult, PathResult, Result

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "code", "b", "br", "table", "tr", "th"),
    *("td", "ul", "li", "article", "pre", "details", "summary", "header", "main", "nav", "section", "div", "a"),
}


class Page(HTMLParser):
    """Elements, their attributes and text; fails on what is not closed where it was opened."""

    def __init__(self, text):
        super().__init__()
        self.counts, self.attributes, self.open, self.texts = {}, set(), [], {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.attributes |= {(tag, key, value) for key, value in attrs}
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)

    def handle_comment(self, data):
        raise AssertionError(data)


def test_sample():
    page = Page(render(SAMPLE))
    assert page.texts["h1"] == ["Checkpoints saved before this change no longer restore"]
    assert "5 models, 34 variables, 4 restore paths: 2 restore, 1 breaks, 1 unchecked, 1 unaffected" in page.texts["p"]
    assert page.counts["article"] == 3 and page.counts["table"] == 3
    assert ("article", "class", "error") in page.attributes
    assert page.texts["pre"] == ['restore-guard update subclassed --accept-break "REASON"']
    for said in ("3f2a1c0d9e8b7a6f5c4d3e2b1a0f9e8d7c6b5a49", "models.py:14", "dense_1", "denselayer1", "ranker"):
        assert said in page.texts["code"]
    assert "tf-checkpoint: 2 variables keep their initial value, silently." in page.texts["li"]
    assert "The release v1 has no manifest." in page.texts["li"]


def test_self_contained():
    report = render(result(2))
    for reference in ("://", "src=", 'href="/', 'href="h', "url(", "@import", "<link", "fetch(", "XMLHttp", "import("):
        assert reference not in report
    assert report.count("http") == 1 and "http-equiv" in report


def test_a_browser_may_run_nothing_else():
    report = render(result(2))
    (policy,) = re.findall('<meta http-equiv="Content-Security-Policy" content="(.*?)">', report)
    for tag, kind in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", report, re.S)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")


def test_variables_are_data():
    report = render(result(12))
    (data,) = re.findall('<script type="application/json" id="data">(.*?)</script>', report)
    found = json.loads(data)
    assert found["sides"] == ["In old checkpoints", "In the model now"]
    assert [model["name"] for model in found["models"]] == ["subclassed", "ranker"]
    subclassed, ranker = found["models"]
    assert subclassed["paths"] == ["tf-checkpoint", "keras-weights"] and len(subclassed["rows"]) == 100
    assert subclassed["rows"][0][:2] == [
        ["embedding/embeddings", "(1000, 64)", "float32", "Embedding", "ranker/model.py:12"],
        ["embedding/embeddings", "(1200, 64)", "float32", "Embedding", "ranker/model.py:12"],
    ]
    words = [found["fates"][kind][0] for kind in subclassed["rows"][0][2]]
    assert words == ["raises", "not loaded"]
    assert all(row[1] == 1 for row in ranker["rows"])


def test_without_variables_there_is_no_script():
    assert "<script" not in render(SAMPLE)


def test_behaviour():
    paths = {"h5": PathResult("restores", 8, 8, outputs="differ")}
    model = ModelResult("m", "restores", restores=paths, behaviour=Behaviour(False, 0.25))
    page = Page(render(Result(None, "index", (model,))))
    assert "differ: by up to 0.25, by h5" in page.texts["td"]


def test_names_are_escaped():
    finding = Finding('<img src=x onerror="alert(1)">', "error", "</code><b>", 1, "&amp;", old="'\"", new=None)
    page = Page(render(Result(None, "index", (ModelResult("</title>", "breaks", findings=(finding,)),))))
    assert "img" not in page.counts
    assert '<img src=x onerror="alert(1)">' in page.texts["code"] and "&amp;" in page.texts["p"]


@given(results)
def test_hostile_names_are_harmless(result):
    report = render(result)
    assert report.encode() and report == render(result)
    page = Page(report)
    assert set(page.counts) <= TAGS
    assert {(tag, key) for tag, key, _ in page.attributes} <= {
        *(("html", "lang"), ("meta", "charset"), ("meta", "name"), ("meta", "content")),
        *(("meta", "http-equiv"), ("b", "class"), ("article", "class"), ("h1", "class"), ("p", "class")),
        *(("section", "aria-labelledby"), ("h2", "id"), ("a", "href"), ("nav", "aria-label"), ("th", "scope")),
        *(("div", "class"), ("div", "tabindex"), ("div", "role"), ("div", "aria-label")),
    }
    found = [(cause.model, cause.finding) for cause in grouped(result.models)]
    assert page.counts.get("article", 0) == len(found)
    changes = sum(finding.old is not None or finding.new is not None for _, finding in found)
    assert page.counts.get("table", 0) == bool(told(result.models)) + changes
    assert page.texts.get("pre", []) == [plain(finding.accept) for _, finding in found if plain(finding.accept)]
