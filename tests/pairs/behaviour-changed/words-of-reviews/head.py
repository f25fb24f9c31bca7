"""Reviews are split into words by a layer that knows its vocabulary."""

from tensorflow import keras

WORDS = ["bad", "fair", "good", "poor"]


def build():
    text = keras.Input((1,), dtype="string")
    ids = keras.layers.TextVectorization(vocabulary=WORDS, output_sequence_length=6, name="split")(text)
    vectors = keras.layers.Embedding(len(WORDS) + 2, 4, name="vectors")(ids)
    return keras.Model(text, keras.layers.Dense(1, name="stars")(keras.layers.Flatten()(vectors)))


# outputs: tf-checkpoint, keras-weights, h5 differ; keras-archive same
