"""Ages fall into bins, each a row of a table."""

from tensorflow import keras

BOUNDARIES = [18.0, 35.0, 60.0]


def build():
    ages = keras.Input((1,))
    bins = keras.layers.Discretization(bin_boundaries=BOUNDARIES, name="bins")(ages)
    vectors = keras.layers.Embedding(len(BOUNDARIES) + 1, 4, name="vectors")(bins)
    return keras.Model(ages, keras.layers.Dense(1, name="risk")(keras.layers.Flatten()(vectors)))
