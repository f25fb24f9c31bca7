"""The page as a person uses it, in a real headless Chromium: mouse, keyboard, screen reader, many variables."""

import re

import msgspec
import pytest
from browser import Browser
from report_pages import result, transformer

from restore_guard.reports.html_report import render
from restore_guard.result import ModelResult, PathResult, Result, Row, Seen

SHOWN = """
[...document.querySelectorAll('[data-at]')].map((row) => [...row.children].map((cell) => cell.textContent.trim()))
"""
ACTIVE = "document.querySelector('.row.active').children[1].textContent"
OPENED = """
[...document.querySelectorAll('[aria-level="1"][aria-expanded]')].every((row) => row.ariaExpanded === 'true')
"""
CONTRAST = """
(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const found = rgb(getComputedStyle(node).backgroundColor);
      if (found.length < 4 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const isText = (node) => node.nodeType === 3 && node.data.trim();
  const isShown = (node) => node.offsetParent && [...node.childNodes].some(isText);
  return [...document.querySelectorAll("body *")].filter(isShown).map((node) => {
    const [dark, bright] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => x - y);
    return [(bright + 0.05) / (dark + 0.05), node.className + ": " + node.textContent.slice(0, 40)];
  }).reduce((worst, each) => (each[0] < worst[0] ? each : worst));
})()
"""
TIMES = """
(() => {
  const took = [], box = document.getElementById('text');
  const timed = (act) => {
    const start = performance.now();
    act();
    document.body.offsetHeight;
    took.push(performance.now() - start);
  };
  for (const text of ['kernel', 'blocks/777', 'zzz', '']) {
    timed(() => { box.value = text; box.dispatchEvent(new Event('input')); });
  }
  timed(() => document.getElementById('fold').click());
  return took;
})()
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def page(chromium, tmp_path):
    """`page(result)` opens its report; a page that asks for anything or logs an error fails."""

    def opened(shown, **options):
        file = tmp_path / "report.html"
        file.write_text(render(shown), encoding="utf-8")
        chromium.open(file, **options)
        return chromium

    yield opened
    assert chromium.errors == []
    assert [url for url in chromium.requests if not url.startswith("file:")] == [] and len(chromium.requests) == 1


def choose(browser, name, value):
    browser.run(
        f"(() => {{ const it = document.getElementById({name!r}); it.value = {value!r};"
        " it.dispatchEvent(new Event(it.tagName === 'SELECT' ? 'change' : 'input')); })()"
    )


def lines(browser):
    """The rows without their twisties: (saved, now, ...outcomes)."""
    return [[re.sub("^[▾▸]", "", cell) for cell in row] for row in browser.run(SHOWN)]


def test_only_what_changed_is_open_and_repeats_are_one(page):
    shown = lines(page(result(12)))
    assert shown[0] == ["embeddingEmbedding", "embeddingEmbedding", "raises", "not loaded"]
    assert shown[1] == ["embeddings(1000, 64)", "embeddings(1200, 64)", "raises", "not loaded"]
    assert shown[2][:3] == ["blocks", "blocks", "72 of 96 initial value"]
    assert shown[3][:3] == ["*×12", "*×12", "6 of 8 initial value"]
    assert shown[4][:3] == ["attn", "attention", "initial value"]
    names = [row[0] for row in shown]
    assert names.count("attn") == 1 and names.count("normLayerNormalization") == 1 and "gamma(64,)" not in names
    assert ["–not there", "gate(64, 2)", "initial value", "raises"] in shown
    assert ["kernel(64, 2)", "–not there", "dropped", "not loaded"] in shown


def test_repeats_can_be_seen_one_by_one(page):
    browser = page(result(3))
    browser.run("document.getElementById('fold').click()")
    assert [row[1] for row in lines(browser)].count("attention") == 3


def test_filters(page):
    browser = page(result(12))
    choose(browser, "text", "BLOCKS/7/ bias")
    shown = lines(browser)
    assert [row[:2] for row in shown[:3]] == [["blocks", "blocks"], ["7", "7"], ["attn", "attention"]]
    assert sum(row[0].startswith("bias") for row in shown) == 3
    assert browser.run("document.getElementById('count').textContent").startswith("3 of 100 variables")
    choose(browser, "text", "no such name")
    assert lines(browser) == [] and "No variable is like that" in browser.run("document.body.innerText")
    choose(browser, "text", "ranker/model.py:33")
    assert [row[1] for row in lines(browser)] == ["headHead", "gate(64, 2)"]
    choose(browser, "text", "")
    choose(browser, "path", "1")
    shown = lines(browser)
    assert {len(row) for row in shown} == {3} and ["–not there", "gate(64, 2)", "raises"] in shown
    browser.run("document.getElementById('only').click()")
    assert not any(row[0].startswith("norm") for row in lines(browser))


def test_another_model(page):
    browser = page(result(2))
    choose(browser, "model", "1")
    assert lines(browser) == [["blocks", "blocks", "restores"]]
    assert browser.run("document.getElementById('count').textContent") == "24 variables, 0 changed or not restored"


def test_the_keyboard_is_enough(page):
    browser = page(result(2))
    seen = []
    for _ in range(20):
        browser.press("Tab")
        seen.append(browser.run("document.activeElement.id || document.activeElement.textContent.slice(0, 9)"))
        if seen[-1] == "grid":
            break
    assert seen[-6:] == ["model", "path", "text", "only", "fold", "grid"] and "Variables" in seen
    assert browser.run(ACTIVE) == "embeddings(1200, 64)"
    browser.press("ArrowLeft")
    assert browser.run(ACTIVE) == "▾embeddingEmbedding"
    browser.press("ArrowLeft")
    assert browser.run(ACTIVE) == "▸embeddingEmbedding"
    assert lines(browser)[1][0] == "blocks"
    browser.press("ArrowRight")
    browser.press("ArrowRight")
    assert lines(browser)[1][0] == "embeddings(1000, 64)"
    browser.press("Enter")
    assert browser.run("document.activeElement.id") == "details"
    browser.press("Escape")
    assert browser.run("document.activeElement.id") == "grid"
    browser.press("End")
    assert "kernel" in browser.run("document.querySelector('.row.active').textContent")
    browser.press("Home")
    assert browser.run("document.querySelector('.row.active').dataset.at") == "0"
    browser.press("ArrowLeft")
    browser.press("*", text="*")
    assert browser.run(OPENED)


def test_details_say_all_of_a_variable(page):
    browser = page(result(12))
    text = browser.run("document.getElementById('details').innerText")
    for said in ("embedding/embeddings", "(1000, 64)", "(1200, 64)", "float32", "Embedding", "ranker/model.py:12"):
        assert said in text
    assert "tf-checkpoint" in text and "the load call raises over it" in text
    choose(browser, "text", "head/gate")
    browser.run("document.querySelectorAll('[data-at]')[1].click()")
    assert "Near: aux_head/kernel" in browser.run("document.getElementById('details').innerText")
    choose(browser, "text", "query kernel")
    browser.run("[...document.querySelectorAll('[data-at]')].at(-1).click()")
    text = browser.run("document.getElementById('details').innerText")
    assert "blocks/*/attn/query/kernel → blocks/*/attention/query/kernel" in text and "×12" in text


def test_a_screen_reader_is_told_what_is_shown(page):
    nodes = page(result(12)).accessible()
    roles = {role for role, _, _ in nodes}
    assert {
        "main",
        "navigation",
        "treegrid",
        "row",
        "columnheader",
        "rowheader",
        "gridcell",
        "search",
        "status",
    } <= roles
    names = {(role, name) for role, name, _ in nodes}
    for label in (
        *(("treegrid", "Variables"), ("searchbox", "Filter"), ("combobox", "Restore path"), ("combobox", "Model")),
        *(("checkbox", "Only what changed"), ("checkbox", "Fold repeats"), ("columnheader", "In old checkpoints")),
        *(("region", "Details of the row"), ("heading", "Variables"), ("heading", "Findings")),
    ):
        assert label in names
    unnamed = [role for role, name, _ in nodes if role in ("searchbox", "combobox", "checkbox", "link") and not name]
    assert unnamed == []
    rows = [(name, about) for role, name, about in nodes if role == "row" and "level" in about]
    assert rows[0][1]["level"] == 1 and rows[0][1]["expanded"] is True and rows[1][1]["level"] == 2
    assert "not there" in " ".join(name for name, _ in rows)


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read(page, dark):
    """At least 4.5 : 1 between every text and what is behind it (WCAG 2.2, AA)."""
    browser = page(result(2), dark=dark)
    worst = browser.run(CONTRAST)
    assert worst[0] >= 4.5, worst


@pytest.mark.parametrize("width", [320, 390, 900, 1600])
def test_nothing_is_wider_than_the_window(page, width):
    browser = page(result(2), width=width)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("document.getElementById('grid').scrollWidth <= document.getElementById('grid').clientWidth + 1")


def test_ten_thousand_variables_stay_responsive(page):
    browser = page(result(1250))
    assert browser.run("document.getElementById('count').textContent").startswith("10004 variables")
    assert browser.run("document.querySelectorAll('*').length") < 1500
    took = browser.run(TIMES)
    # Below a tenth of a second on a machine with nothing else to do.
    assert max(took) < 1500, took
    browser.run("document.getElementById('grid').focus()")
    browser.press("End")
    assert "kernel" in browser.run("document.querySelector('.row.active').textContent")
    assert browser.run("document.querySelectorAll('[data-at]').length") < 80


def test_names_are_text_whatever_they_are(page):
    name = "</script><img src=x onerror=alert(1)>/\u202e\u2028'\"&amp;\udcff"
    row = Row(Seen(name, (2,), name, name, name, 3), None, {"h5": "dropped"}, {"h5": name}, (name,))
    paths = {"h5": PathResult("partial", 0, 0)}
    browser = page(Result(None, "index", (ModelResult(name, "breaks", restores=paths, table=(row,)),)))
    assert browser.run("document.images.length") == 0
    assert "script><img src=x onerror=alert(1)>" in browser.run("document.getElementById('grid').textContent")


def test_a_model_without_older_checkpoints_is_shown(page):
    rows = tuple(msgspec.structs.replace(row, saved=None, fates={}, got={}) for row in transformer(1) if row.now)
    model = ModelResult("new", "restores", restores=result(1).models[0].restores, table=rows)
    browser = page(Result(None, "index", (model,)))
    assert browser.run("document.getElementById('count').textContent") == "11 variables, 0 changed or not restored"
