"""Variables and layers whose form changed in place."""

from restore_guard.rules.rule import Rule

RULES = (
    Rule(
        "shape-changed",
        meaning="A variable has another shape than the one that old checkpoints hold for it.",
        why="The load call raises, often after it has overwritten other variables.",
        before="self.dense = Dense(64)",
        after="self.dense = Dense(128)",
        effects="All restore paths raise.",
        fix="Keep the shape, or convert the checkpoint, or accept the break.",
    ),
    Rule(
        "dtype-changed",
        meaning="A variable has another dtype than the one that old checkpoints hold for it.",
        why="tf.train.Checkpoint refuses; weights files are cast in silence and may lose precision.",
        before="Dense(64)",
        after='Dense(64, dtype="float16")',
        effects="tf-checkpoint: raises. keras-weights, h5: restore, with the values cast.",
        fix='Keep the variable\'s dtype (dtype="mixed_float16" computes in float16 and keeps float32 variables).',
    ),
    Rule(
        "layer-type-changed",
        meaning="A layer is of another type than the one that old checkpoints were saved from.",
        why="Another type has other variables, or computes something else with the same ones.",
        before="self.rnn = LSTM(32)",
        after="self.rnn = GRU(32)",
        effects="Where variables no longer fit: as for the variables themselves (an error). Where every value still "
        "restores, it is a warning: a Dense that becomes a subclass of Dense is a refactoring.",
        fix="Keep the type, or accept the break.",
    ),
)
