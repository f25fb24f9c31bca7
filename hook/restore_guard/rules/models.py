"""A model as a whole: its configuration, interface, framework and behaviour."""

from restore_guard.rules.rule import Rule

RULES = (
    Rule(
        "config-incompatible",
        meaning="An old .keras file can no longer be turned into a model by the new code.",
        why=".keras restores the saved configuration: constructor arguments and registered names are part of the file.",
        before="def __init__(self, units): ...",
        after="def __init__(self, width): ...",
        effects="keras-archive: raises. Other paths: no effect.",
        fix="Accept the old arguments in __init__ or from_config, and keep the registered name.",
    ),
    Rule(
        "inputs-changed",
        meaning="The model takes other inputs than before.",
        why="Every value may restore and the callers still break.",
        before="keras.Input((16,))",
        after="keras.Input((16, 1))",
        effects="No effect on restoring by itself.",
        fix="Change the callers with it.",
        level="warning",
    ),
    Rule(
        "framework-changed",
        meaning="Base and head are built by other versions of TensorFlow or Keras.",
        why="The same code restores differently: Keras 3 renamed the edges of most layers' kernels.",
        before="tensorflow==2.15.1",
        after="tensorflow==2.21.0",
        effects="tf-checkpoint: mostly silent and partial from Keras 2 to Keras 3. keras-weights, h5: mostly restore.",
        fix="Convert the checkpoints with the old version, or accept the break.",
        level="warning",
    ),
    Rule(
        "behaviour-changed",
        meaning="Everything restores, and the model computes something else from the same inputs.",
        why="Old weights were trained for the old computation.",
        before="return tf.nn.elu(x)",
        after="return 2.0 * tf.nn.elu(x)",
        effects="All paths restore. Only a witness run shows it.",
        fix="Retrain, or keep the old computation.",
        level="warning",
    ),
    Rule(
        "model-removed",
        meaning="A model with a manifest is no longer configured, so nobody checks its checkpoints.",
        why="A renamed entry is a removed model and a new one; the promise to old checkpoints ends in silence.",
        before="[tool.restore-guard.models.ranker]",
        after="[tool.restore-guard.models.ranking]",
        effects="Nothing is checked for it any more.",
        fix="Keep the entry. To retire a model, remove its manifest together with its entry.",
    ),
)
