"""What a restore path cannot do even without a change."""

from restore_guard.rules.rule import Rule

RULES = (
    Rule(
        "not-saved",
        meaning="A promised restore path never writes this variable, so it keeps its initial value in every restore.",
        why="Saving and restoring raise nothing, and assert_consumed() passes: what was never saved is never missed.",
        before="self.block = Dense(64)",
        after="self.blocks = [Dense(64)]",
        effects="tf-checkpoint: Keras 3 does not track layers in lists and dicts of a subclassed model. "
        "keras-weights: raw tf.Variable attributes are not written.",
        fix="Hold the layers in attributes or in a tuple, create weights with add_weight, or do not promise this path.",
        level="warning",
    ),
)
