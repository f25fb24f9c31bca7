"""Rehearsed moves written by hand."""

from restore_guard.rehearsal import Moved, Rehearsal, Upgrade
from restore_guard.result import Behaviour, Finding, Migrated, ModelResult, PathResult

LOST = Finding(
    rule="variable-renamed",
    level="error",
    file="",
    line=0,
    message="dense/kernel moved within the checkpoint.",
    restores=("tf-checkpoint",),
    old="dense/kernel",
    new="dense/_kernel",
    fix="Before the move, save by keras-weights, which restores.",
)
WHOLE = PathResult("restores", 4, 4, evidence="witnessed", outputs="same")
SILENT = PathResult(
    "partial",
    *(2, 4, ("dense/kernel",), ("dense/kernel",)),
    evidence="witnessed",
    migration=Migrated("restores", "witnessed"),
)
BREAKS = ModelResult(
    "ranker",
    "breaks",
    4,
    restores={"tf-checkpoint": SILENT, "keras-weights": WHOLE},
    behaviour=Behaviour(True, 0.0),
    findings=(LOST,),
)
RESTORES = ModelResult(
    "ranker",
    "restores",
    4,
    restores={"tf-checkpoint": PathResult("restores", 4, 4), "keras-weights": WHOLE},
    behaviour=Behaviour(True, 0.0),
)
UNBUILT = ModelResult(
    "ranker",
    "unchecked",
    findings=(Finding("build-failed", "error", "ranker.py", 3, "ranker:build cannot be built: no keras.engine."),),
)
UPGRADE = Upgrade(
    {"tensorflow": "2.15.1", "keras": "2.15.0"},
    (
        Rehearsal(("tensorflow==2.15.0",), "restores", {"tensorflow": "2.15.0"}, models=(RESTORES,)),
        Rehearsal(
            ("tensorflow==2.21.0", "keras==3.15.1"),
            "breaks",
            {"tensorflow": "2.21.0", "keras": "3.15.1"},
            (Moved("keras", "2.15.0", "3.15.1"), Moved("numpy", "1.26.4", "2.4.0"), Moved("optree", None, "0.18")),
            (BREAKS,),
        ),
        Rehearsal(("tensorflow==2.18.1",), "unchecked", {"tensorflow": "2.18.1"}, models=(UNBUILT,)),
        Rehearsal(("tensorflow==9",), failure="uv pip compile\nNo solution found | <b>"),
    ),
    ("tensorflow==2.15.0",),
)
