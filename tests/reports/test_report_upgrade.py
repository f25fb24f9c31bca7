"""The reports of a rehearsed move: the same matrix in each, and what it means to a program."""

import json

import msgspec
import pytest
from rehearsals import BREAKS, RESTORES, UPGRADE

from restore_guard.rehearsal import Document, Rehearsal, Upgrade
from restore_guard.reports import UPGRADE_REPORTS, load_upgrade, rehearsed
from restore_guard.result import Behaviour


def render(form, upgrade=UPGRADE):
    return load_upgrade(form).render(upgrade, **({"color": False, "width": 100} if form == "text" else {}))


def test_the_matrix_has_a_cell_for_each_path_and_move():
    words = {(row.path): [cell.words for cell in row.cells] for row in rehearsed.rows(UPGRADE)}
    assert words == {
        "tf-checkpoint": ["restores, simulated", "SILENT partial, migrates", "does not build", "not rehearsed"],
        "keras-weights": ["restores", "restores", "does not build", "not rehearsed"],
        "outputs": ["same", "same", "not compared", "not compared"],
    }


TEXT = """\
What checkpoints saved today (tensorflow 2.15.1, keras 2.15.0) would do after:

  1: tensorflow==2.15.0 brings tensorflow 2.15.0
  2: tensorflow==2.21.0 keras==3.15.1 brings tensorflow 2.21.0, keras 3.15.1, and 2 other packages
  3: tensorflow==2.18.1 brings tensorflow 2.18.1
  4: tensorflow==9 could not be rehearsed

  model   restore path   1                      2                           3                 4
  ranker  tf-checkpoint  ✓ restores, simulated  ! SILENT partial, migrates  ? does not build  ? not rehearsed
  ranker  keras-weights  ✓ restores             ✓ restores                  ? does not build  ? not rehearsed
  ranker  outputs        ✓ same                 ✓ same                      - not compared    - not compared

2: tensorflow==2.21.0 keras==3.15.1
"""


def test_text():
    text = render("text")
    assert text.startswith(TEXT)
    assert "ranker.py:3: error: build-failed" in text
    assert "4: tensorflow==9\n  uv pip compile\n  No solution found | <b>\n" in text
    assert text.splitlines()[-1] == (
        "4 moves from tensorflow 2.15.1, keras 2.15.0: 1 loses nothing that was promised, 1 breaks a promise, "
        "2 could not be checked; the furthest that loses nothing: tensorflow==2.15.0"
    )
    lossy = msgspec.structs.replace(UPGRADE, furthest=None)
    assert render("text", lossy).splitlines()[-1].endswith("; none of them loses nothing")


def test_json_is_what_the_types_say():
    document = json.loads(render("json"))
    assert (document["verdict"], document["furthest"]) == ("breaks", ["tensorflow==2.15.0"])
    read = msgspec.convert(document, Document)
    assert [move.verdict for move in read.moves] == ["restores", "breaks", "unchecked", "unchecked"]
    assert read.moves[1].models[0].restores == BREAKS.restores
    assert read.moves[1].moved == UPGRADE.moves[1].moved


def test_markdown_and_html_show_the_matrix_and_harm_nothing():
    markdown, page = render("markdown"), render("html")
    assert "| <code>ranker</code> | <code>tf-checkpoint</code> | ✅ restores, simulated | ❌ SILENT partial" in markdown
    assert '<b class="partial">SILENT partial, migrates</b>' in page
    for text in (markdown, page):
        assert "<b>\n" not in text and "No solution found" in text


def test_what_becomes_the_same_after_several_moves_is_told_once():
    closely = msgspec.structs.replace(BREAKS, behaviour=Behaviour(True, 1e-7))
    again = msgspec.structs.replace(UPGRADE.moves[1], requirements=("tensorflow==2.20.0",), models=(closely,))
    twice = msgspec.structs.replace(UPGRADE, moves=(*UPGRADE.moves, again))
    text = render("text", twice)
    assert text.count("variable-renamed") == 1 and "5: tensorflow==2.20.0\n  ranker: the same as after 2\n" in text
    assert "2 break a promise" in text
    for form in ("markdown", "html"):
        assert render(form, twice).count("moved within the checkpoint") == 1
        assert "ranker: the same as after 2" in render(form, twice)


@pytest.mark.parametrize("form", UPGRADE_REPORTS)
def test_a_move_without_models_is_shown(form):
    nothing = Upgrade({}, (Rehearsal(("keras==9",), failure="no such version"),))
    assert "keras==9" in render(form, nothing)


def test_what_counts_as_a_loss():
    def move(*models, verdict="restores"):
        return Rehearsal(("keras==3",), verdict, models=models)

    (lost,) = BREAKS.findings
    warned = msgspec.structs.replace(
        BREAKS, verdict="restores", findings=(msgspec.structs.replace(lost, level="warning"),)
    )
    known = msgspec.structs.replace(warned, findings=(msgspec.structs.replace(lost, status="pre-existing"),))
    assert [move(each).is_free for each in (RESTORES, warned, known)] == [True, False, True]
    assert not move(RESTORES, verdict="unchecked").is_free


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [(["restores"], 0), (["restores", "breaks", "unchecked"], 1), (["restores", "unchecked"], 3), (["unchecked"], 3)],
)
def test_exit_codes(verdicts, code):
    assert Upgrade({}, tuple(Rehearsal(("a",), verdict) for verdict in verdicts)).exit_code == code
