"""Vectors of words are averaged."""

from tensorflow import keras


def build():
    words = keras.Input((7,), dtype="int32")
    vectors = keras.layers.Embedding(20, 4, mask_zero=True, name="vectors")(words)  # finding[keras3]: variable-renamed
    mean = keras.layers.GlobalAveragePooling1D(name="mean")(vectors)
    return keras.Model(words, keras.layers.Dense(2, name="topic")(mean))


# outputs[keras2]: tf-checkpoint, keras-weights, h5 differ
# outputs[keras3]: tf-checkpoint not compared; keras-weights, h5 differ
