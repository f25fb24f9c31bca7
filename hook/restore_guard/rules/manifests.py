"""The manifest itself."""

from restore_guard.rules.rule import Rule

RULES = (
    Rule(
        "manifest-stale",
        meaning="The manifest does not describe the model that the code builds.",
        why="The next change would be judged against a promise that nobody made.",
        before="a model and its manifest",
        after="another model and the same manifest",
        effects="None by itself: old checkpoints restore, or another finding says that they do not.",
        fix="Run `restore-guard update` and commit the manifest with the code.",
    ),
    Rule(
        "manifest-missing",
        meaning="A configured model has no manifest.",
        why="Without it nothing says what must stay restorable.",
        before="a model entry in the configuration",
        after="no restore-manifest/<model>.json",
        effects="None by itself.",
        fix="Run `restore-guard update` and commit the manifest.",
    ),
    Rule(
        "manifest-invalid",
        meaning="A manifest cannot be read: half-merged, edited by hand, or of another version.",
        why="A promise that cannot be read cannot be kept.",
        before="a manifest",
        after="<<<<<<< HEAD",
        effects="None by itself.",
        fix="Restore the committed file and run `restore-guard update`.",
    ),
    Rule(
        "break-accepted",
        meaning="Old checkpoints no longer restore, on purpose: the manifest's history gives the reason.",
        why="The reviewer is to see it.",
        before="epoch 1",
        after="epoch 2, with a reason",
        effects="As the accepted findings say.",
        fix="Nothing, if the reason holds.",
        level="warning",
    ),
)
