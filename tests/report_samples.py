"""Results written by hand, and results as hostile as a name under review can make them."""

from hypothesis import strategies as st

from restore_guard.result import Behaviour, Finding, ModelResult, PathResult, Result

RENAMED = Finding(
    rule="variable-renamed",
    level="error",
    file="models.py",
    line=14,
    message="Attribute dense_1 is now denselayer1: no saved checkpoint has its 2 variables under that name.",
    restores=("tf-checkpoint", "keras-weights"),
    old="dense_1",
    new="denselayer1",
    effects=(
        "tf-checkpoint: 2 variables keep their initial value, silently.",
        "keras-weights: raises ValueError.",
    ),
    fix="Name the attribute dense_1 again.",
    accept='restore-guard update subclassed --accept-break "REASON"',
)
SUBCLASSED = ModelResult(
    name="subclassed",
    verdict="breaks",
    variables=4,
    restores={
        "tf-checkpoint": PathResult(
            "partial",
            restored=2,
            variables=4,
            initial=("denselayer1/kernel", "denselayer1/bias"),
            unused=("dense_1/kernel", "dense_1/bias"),
        ),
        "keras-weights": PathResult(
            "raises", restored=0, variables=4, error="ValueError: Layer 'dense' expected 2 variables."
        ),
    },
    findings=(RENAMED,),
)
RANKER = ModelResult(
    name="ranker",
    verdict="restores",
    variables=24,
    restores={"tf-checkpoint": PathResult("restores", restored=24, variables=24, evidence="witnessed", outputs="same")},
    behaviour=Behaviour(same_output=True, max_difference=0.0),
)
TOWER = ModelResult(
    name="tower",
    verdict="unchecked",
    findings=(
        Finding(
            rule="build-failed",
            level="error",
            file="tower/model.py",
            line=3,
            message="tower.model:build cannot be built: ModuleNotFoundError: No module named 'faiss'.",
            fix="Install faiss in the environment that builds.",
        ),
    ),
    notes=("The base builds: 12 variables.",),
)
RETIRED = ModelResult(
    name="retired",
    verdict="restores",
    variables=6,
    restores={
        "tf-checkpoint": PathResult("partial", restored=6, variables=6, unused=("aux_head/kernel",)),
    },
    findings=(
        Finding(
            rule="variable-missing",
            level="error",
            file="retired.py",
            line=0,
            message="aux_head/kernel is gone.",
            restores=("tf-checkpoint",),
            old="aux_head/kernel",
            status="accepted",
        ),
    ),
)
UNAFFECTED = ModelResult(name="untouched", verdict="unaffected", variables=9)
SAMPLE = Result(
    base="3f2a1c0d9e8b7a6f5c4d3e2b1a0f9e8d7c6b5a49",
    head="index",
    models=(SUBCLASSED, RANKER, TOWER, RETIRED, UNAFFECTED),
    notes=("The release v1 has no manifest.",),
)


def many(count: int, level: str = "error", **fields) -> Result:
    """One model with so many findings, on lines 1, 2, 3 ..."""
    findings = tuple(
        Finding("shape-changed", level, "wide.py", line, f"Layer {line} is wider.", **fields)
        for line in range(1, count + 1)
    )
    return Result("0" * 40, "worktree", (ModelResult("wide", "breaks", count, findings=findings),))


PIECES = (
    *("::", "##[", "::error::x", "##[error]x", "%", "%0A", "\n", "\r", "\r\n", "\t", "|", "`", "```", "\\"),
    *("<script>", "</code>", "<!--", "\x1b[31m", "\x9b2J", "\u2028", "\u202e", "\udcff", "*", "_", "__x__"),
    *("[a](b)", "![a](b)", "# ", "- ", "1. ", "> ", "~~", "@team", "&amp;", "&#124;", "---", " ", "a", "ü"),
)
hostile = st.lists(st.sampled_from(PIECES), max_size=5).map("".join) | st.text(st.characters(), max_size=5)
names = st.lists(hostile, max_size=2).map(tuple)
numbers = st.integers(0, 9999)
findings = st.builds(
    Finding,
    rule=hostile,
    level=st.sampled_from(["error", "warning", "off"]),
    file=hostile,
    line=st.integers(0, 99),
    message=hostile,
    restores=names,
    old=st.none() | hostile,
    new=st.none() | hostile,
    status=st.sampled_from(["new", "pre-existing", "accepted", "ignored"]),
    effects=names,
    fix=hostile,
    accept=hostile,
)
paths = st.builds(
    PathResult,
    outcome=st.sampled_from(["restores", "partial", "raises", "unsupported"]),
    restored=numbers,
    variables=numbers,
    initial=names,
    unused=names,
    misplaced=names,
    error=st.none() | hostile,
    evidence=st.sampled_from(["simulated", "witnessed"]),
    outputs=st.sampled_from([None, "same", "differ"]),
    uncompared=st.none() | hostile,
)
models = st.builds(
    ModelResult,
    name=hostile,
    verdict=st.sampled_from(["restores", "breaks", "unchecked", "unaffected"]),
    variables=numbers,
    manifest=st.sampled_from(["current", "stale", "missing"]),
    restores=st.dictionaries(hostile, paths, max_size=2),
    behaviour=st.none() | st.builds(Behaviour, st.booleans(), st.floats()),
    findings=st.lists(findings, max_size=2).map(tuple),
    notes=names,
)
results = st.builds(
    Result,
    base=st.none() | hostile,
    head=hostile,
    models=st.lists(models, max_size=2).map(tuple),
    notes=names,
)


def is_command(line: str) -> bool:
    """Whether GitHub's runner may take a line for a command: `::` at its start or `##[` anywhere."""
    return line.lstrip().startswith("::") or "##[" in line
