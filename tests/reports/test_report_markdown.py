"""The Markdown report, as written and as a Markdown reader sees it."""

import re

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from report_samples import SAMPLE, many, results
from test_report_diagram import DIAGRAM

from restore_guard.reports.markdown_report import render
from restore_guard.reports.shared_causes import grouped
from restore_guard.reports.wording import change, plain, told
from restore_guard.result import Behaviour, Finding, ModelResult, PathResult, Result

EXPECTED = """\
## ❌ Checkpoints saved before this change no longer restore

5 models, 34 variables, 4 restore paths: 2 restore, 1 breaks, 1 unchecked, 1 unaffected

| Model | Verdict | <code>tf-checkpoint</code> | <code>keras-weights</code> | Outputs |
| --- | --- | --- | --- | --- |
| <code>subclassed</code> | ❌ **breaks** \
| ❌ **partial**: SILENT: 2 of 4 restored, 2 keep their initial value \
| ❌ **raises**: ValueError: Layer 'dense' expected 2 variables. |  |
| <code>ranker</code> | ✅ **restores** | ✅ **restores**: 24 of 24 restored (witnessed) |  \
| ✅ **same**: base and head compute the same |
| <code>tower</code> | ⚠️ **unchecked** |  |  |  |
| <code>retired</code> | ✅ **restores**, 1 accepted \
| ❌ **partial**: SILENT: 6 of 6 restored, 1 saved value dropped \
|  |  |

- The release v1 has no manifest.
- <code>tower</code>: The base builds: 12 variables.

What changed in <code>subclassed</code>:

```mermaid
{diagram}```

### ❌ error: <code>variable-renamed</code> in <code>subclassed</code>

| Saved | Now |
| --- | --- |
| <code>dense_1</code> | <code>denselayer1</code> |

- Attribute dense_1 is now denselayer1: no saved checkpoint has its 2 variables under that name.
- tf-checkpoint: 2 variables keep their initial value, silently.
- keras-weights: raises ValueError.
- **Where:** <code>models.py:14</code>
- **Fix:** Name the attribute dense_1 again.

To accept it on purpose:

```sh
restore-guard update subclassed --accept-break "REASON"
```

### ❌ error: <code>build-failed</code> in <code>tower</code>

- tower.model:build cannot be built: ModuleNotFoundError: No module named 'faiss'.
- **Where:** <code>tower/model.py:3</code>
- **Fix:** Install faiss in the environment that builds.

### ℹ️ error: <code>variable-missing</code> in <code>retired</code> (accepted)

| Saved | Now |
| --- | --- |
| <code>aux_head/kernel</code> | (nothing) |

- aux_head/kernel is gone.
- **Where:** <code>retired.py</code>
"""
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def one(**fields) -> str:
    return render(Result(None, "index", (ModelResult("m", "breaks", **fields),)))


def test_sample():
    assert render(SAMPLE) == EXPECTED.replace("{diagram}", DIAGRAM)


@pytest.mark.parametrize(
    ("models", "headline"),
    [
        ((ModelResult("m", "restores"),), "## ✅ Every checkpoint that was promised still restores"),
        ((ModelResult("m", "unchecked"),), "## ⚠️ Not everything could be checked"),
        ((), "## ⚠️ Not everything could be checked"),
    ],
)
def test_headline(models, headline):
    assert render(Result(None, "index", models)).splitlines()[0] == headline


def test_outputs_differ():
    path = PathResult("restores", 8, 8, outputs="differ")
    assert "| ⚠️ **differ**: by up to 0.25, by h5 |" in one(restores={"h5": path}, behaviour=Behaviour(False, 0.25))


def test_outputs_that_were_not_compared():
    path = PathResult("restores", 8, 8, uncompared="it cannot be called")
    assert "| ➖ **not compared**: it cannot be called |" in one(restores={"h5": path})


def test_names_are_escaped():
    name = "a|b`c`<script>alert(1)</script>\n# _x_ \\|"
    report = one(restores={name: PathResult("raises", 0, 1, error="@keras.saving says <b>no</b>")})
    assert (
        "| Model | Verdict | <code>a&#124;b&#96;c&#96;&#60;script&#62;alert(1)&#60;/script&#62; "
        "&#35; &#95;x&#95; &#92;&#124;</code> |"
    ) in report
    assert "❌ **raises**: &#64;&#8203;keras.saving says &#60;b&#62;no&#60;/b&#62; |" in report


def test_a_command_with_a_fence_of_its_own():
    finding = Finding("r", "error", "", 0, "", accept="update '```' --accept-break")
    assert "````sh\nupdate '```' --accept-break\n````\n" in one(findings=(finding,))


def test_findings_are_dropped_from_the_end_and_counted():
    result = many(900, effects=("x" * 1900,))
    report = render(result)
    assert 890 * 1024 < len(report.encode()) < 901 * 1024
    shown = report.count("### ")
    assert "wide.py:1<" in report and f"wide.py:{shown}<" in report and f"wide.py:{shown + 1}<" not in report
    assert report.endswith(f"\n… and {900 - shown} more findings.\n")


def test_less_than_a_mebibyte_however_much_there_is():
    long = "<|/>" * 100_000
    models = tuple(
        ModelResult(
            f"{number}{long}",
            "breaks",
            restores={f"{number}{long}": PathResult("partial", 0, 1, (long,) * 9, (f"{long}x",) * 9, error=long)},
            findings=(
                Finding(long, "error", f"{number}{long}", 1, long, ("a",), long, long, "new", (long,) * 50, long, long),
            ),
            notes=(long,),
        )
        for number in range(60)
    )
    report = render(Result(None, "index", models, (long,) * 60))
    assert len(report.encode()) < 1024 * 1024
    assert "… and 60 more models." in report and "more notes." in report and "more findings." in report


def test_many_models():
    report = render(Result(None, "index", tuple(ModelResult(f"m{i}", "restores") for i in range(20_000))))
    assert len(report.encode()) < 1024 * 1024
    shown = report.count("✅ **restores**")
    assert f"<code>m{shown - 1}</code>" in report
    assert report.endswith(f"\n… and {20_000 - shown} more models.\n")


@given(results)
@settings(deadline=None)
def test_hostile_names_are_harmless(result):
    """A Markdown reader finds our headings, tables, lists and fences, and of HTML only our <code>."""
    report = render(result)
    assert report == render(result)
    assert len(report.encode()) < 1024 * 1024
    assert report.replace("\n", "").replace("\ufe0f", "").isprintable()
    tokens = READER.parse(report)
    causes = grouped(result.models)
    found = [(cause.model, cause.finding) for cause in causes]
    named = told(result.models)

    assert sum(token.type == "heading_open" for token in tokens) == 1 + len(found)
    assert [token.content for token in tokens if token.type == "fence" and token.info != "mermaid"] == [
        f"{plain(finding.accept)}\n" for _, finding in found if finding.accept
    ]
    changes = sum(bool(change(finding)) for _, finding in found)
    assert sum(token.type == "table_open" for token in tokens) == bool(named) + changes
    assert sum(token.type == "tr_open" for token in tokens) == bool(named) + len(named) + 2 * changes

    inline = [child for token in tokens for child in token.children or ()]
    assert {child.content for child in inline if child.type == "html_inline"} <= {"<code>", "</code>"}
    assert {child.type for child in inline} <= {"text", "html_inline", "strong_open", "strong_close"}
    blocks = [token.content for token in tokens if token.type == "html_block"]
    fold_out = re.compile(r"<details><summary>The same in \d+ other models?</summary>\n|</details>\n")
    assert all(fold_out.fullmatch(block) for block in blocks)
    assert len(blocks) == 2 * sum(bool(cause.others) for cause in causes)
