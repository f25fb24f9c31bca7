"""The Mermaid diagram of what changed. Mermaid's own parser took all that is here; it is no Python package."""

import re

from hypothesis import given
from report_samples import RANKER, SUBCLASSED, models

from restore_guard.reports.diagram import NODES, render
from restore_guard.result import Finding, ModelResult, PathResult

DIAGRAM = """\
flowchart LR
  subgraph s ["in old checkpoints"]
    direction LR
    s0["dense_1"]:::lost
    s1["bias"]:::lost
    s2["kernel"]:::lost
    s0 --- s1
    s0 --- s2
  end
  subgraph n ["in the model now"]
    direction LR
    n0["denselayer1"]:::initial
    n1["bias"]:::initial
    n2["kernel"]:::initial
    n0 --- n1
    n0 --- n2
  end
  s0 -. "variable-renamed" .-> n0
  classDef lost fill:#ffd7d5,stroke:#cf222e,color:#1f2328
  classDef initial fill:#fff1c2,stroke:#9a6700,color:#1f2328
  classDef other fill:#f6f8fa,stroke:#8c959f,color:#1f2328
"""
LINE = re.compile(
    r"flowchart LR|  subgraph [sn] \[LABEL\]|    direction LR|  end|    [sn](\d+|more)\[LABEL\]:::\w+"
    r"|    [sn]\d+ --- [sn]\d+|  [sn]\d+ -\. LABEL \.-> [sn]\d+|  classDef \w+ [\w:#,]+".replace(
        "LABEL", r'"([A-Za-z0-9 _/.,()-]|#\d+;)+"'
    )
)


def one(*findings, **fields):
    return ModelResult(
        "m", "breaks", restores={"tf-checkpoint": PathResult("partial", 0, 9, **fields)}, findings=findings
    )


def finding(old=None, new=None, rule="variable-renamed", **fields):
    return Finding(rule, "error", "m.py", 1, "", ("tf-checkpoint",), old, new, **fields)


def test_sample():
    assert render(SUBCLASSED) == DIAGRAM


def test_nothing_broken_nothing_drawn():
    assert render(RANKER) == ""
    assert render(one(finding("a", "b", status="accepted"))) == ""
    assert render(one(Finding("manifest-stale", "error", "m.json", 0, "stale"))) == ""


def test_one_side_only():
    drawn = render(one(finding(new="head/kernel", rule="variable-added"), initial=("head/kernel",)))
    assert 'n1["kernel"]:::initial' in drawn and "subgraph s" not in drawn and "-." not in drawn


def test_shape_stands_with_its_variable_once():
    drawn = render(one(finding("d/kernel (3, 4)", "d/kernel (3, 5)"), initial=("d/kernel",), unused=("d/kernel",)))
    assert re.findall(r'"(kernel.*?)"', drawn) == ["kernel (3, 4)", "kernel (3, 5)"]


def test_small_however_much_there_is():
    letters = str.maketrans("0123456789", "abcdefghij")
    names = tuple(f"layer_{str(number).translate(letters)}" for number in range(900))
    drawn = render(one(finding("other", "first"), unused=names))
    assert f'smore["and {900 - (NODES - 1)} more variables"]:::other' in drawn
    assert len(drawn) < 4000
    deep = render(one(finding("<" * 9000 + "/<" * 9000, "x")))
    assert len(deep) < 4000


def test_blocks_with_one_renamed_attribute_are_one_changed_node():
    def variables(attribute):
        return tuple(f"blocks/{block}/{attribute}/{name}" for block in range(12) for name in ("bias", "kernel"))

    renamed = finding("blocks/0/attn/kernel", "blocks/0/attention/kernel", count=12)
    drawn = render(one(renamed, initial=variables("attention"), unused=variables("attn")))
    labels = re.findall(r'^    [sn]\w+\["(.*?)"\]', drawn, re.MULTILINE)
    twelve = "#42; #215;12"
    assert labels == [
        *("blocks", twelve, "attn", "kernel", "bias"),
        *("blocks", twelve, "attention", "kernel", "bias"),
    ]
    assert drawn.count("-. ") == 1


def test_a_transformer_of_forty_layers_stays_readable():
    names = [f"{part}/{kind}" for part in ("attn/q", "attn/k", "attn/v", "mlp/up", "mlp/down", "norm") for kind in "wb"]
    variables = tuple(f"encoder/layers/{layer}/{name}" for layer in range(40) for name in names)
    drawn = render(one(finding(variables[0], "x"), unused=variables, initial=variables))
    assert len(re.findall(r"^    [sn]\w+\[", drawn, re.MULTILINE)) <= 20
    assert "#215;40" in drawn


def test_names_cannot_leave_their_label():
    drawn = render(one(finding('"]; click s0 call x()', "```\n%%{init: {}}%% <b>#quot; 中")))
    assert '"#34;#93;#59; click s0 call x()"' in drawn
    assert '"#96;#96;#96; #37;#37;#123;init#58; #123;#125;#125;#37;#37; #60;b#62;' in drawn


@given(models)
def test_hostile_names_are_harmless(model):
    assert [line for line in render(model).splitlines() if not LINE.fullmatch(line)] == []
