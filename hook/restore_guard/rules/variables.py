"""Variables that a restore no longer finds, or finds elsewhere."""

from restore_guard.rules.rule import Rule

RULES = (
    Rule(
        "variable-renamed",
        meaning="A variable of the model is still there, but under another address than the one old checkpoints use.",
        why="tf.train.Checkpoint looks objects up by the name of the attribute that holds them. What it does not "
        "find keeps its initial value, and nothing is said.",
        before="self.dense_1 = Dense(64)",
        after="self.encoder = Dense(64)",
        effects="tf-checkpoint: silent, the layer keeps its initial values. keras-weights: raises under Keras 3; "
        "restores under Keras 2 where the order of the attributes stays.",
        fix="Keep the old name for the attribute, or keep the old name as a second attribute beside the new one "
        "(self.old = self.new).",
    ),
    Rule(
        "variable-missing",
        meaning="Old checkpoints hold a variable that the model no longer has: its value is dropped.",
        why="Nothing is said when a saved value is not used. If it was not on purpose, trained weights are gone.",
        before="self.hidden = Dense(64); self.head = Dense(10)",
        after="self.head = Dense(10)",
        effects="tf-checkpoint: silent, the saved value is dropped. keras-weights: silent or raises, by position.",
        fix="Keep the layer until checkpoints that hold it are out of service, or accept the break.",
    ),
    Rule(
        "variable-added",
        meaning="The model has a variable that old checkpoints do not hold: it keeps its initial value.",
        why="A restored model that is partly untrained serves without an error.",
        before="self.head = Dense(10)",
        after="self.adapter = Dense(10); self.head = Dense(10)",
        effects="tf-checkpoint: silent, the new variable keeps its initial value. keras-weights: raises under Keras 3.",
        fix="Accept the break if the new variable is to be trained from its initial value; "
        'set variable-added = "warning" where that is the normal case.',
    ),
    Rule(
        "variable-misplaced",
        meaning="A saved value restores without an error into a variable that it does not belong to.",
        why="Shapes agree, so nothing raises and every value is used: only the outputs are wrong.",
        before="layers = [self.query, self.key]",
        after="layers = [self.key, self.query]",
        effects="Every path that goes by position (keras-weights, h5, lists in tf-checkpoint) swaps them in silence.",
        fix="Keep the names of the layers and the order in which they are created, or accept the break and retrain.",
    ),
    Rule(
        "sharing-changed",
        meaning="Variables that were one are now two, or two are now one.",
        why="A checkpoint keeps a shared variable once. After a split only one of the two finds it; after a merge one "
        "of two saved values is dropped.",
        before="self.decoder = self.encoder",
        after="self.decoder = Dense(64)",
        effects="tf-checkpoint: silent, one of the two keeps its initial value. keras-weights: raises under Keras 3.",
        fix="Keep the sharing, or accept the break.",
    ),
)
