"""Words of a ticket; each is a row of a table."""

from tensorflow import keras

WORDS = ["the", "pump", "valve", "fails", "leaks"]


def build():
    text = keras.Input((3,), dtype="string")
    ids = keras.layers.StringLookup(vocabulary=WORDS, name="ids")(text)
    vectors = keras.layers.Embedding(len(WORDS) + 1, 4, name="vectors")(ids)
    return keras.Model(text, keras.layers.Dense(1, name="urgent")(keras.layers.Flatten()(vectors)))


# outputs: tf-checkpoint, keras-weights, h5 differ; keras-archive same
