"""A text classifier with a convolutional encoder."""

import tensorflow as tf
from tensorflow import keras


class Encoder(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.embedding = keras.layers.Embedding(50, 8)
        self.conv_1 = keras.layers.Conv1D(8, 3, padding="same", activation="relu")
        self.norm_1 = keras.layers.BatchNormalization()
        self.conv_2 = keras.layers.Conv1D(8, 3, padding="same", activation="relu")
        self.norm_2 = keras.layers.BatchNormalization()
        self.pool = keras.layers.GlobalAveragePooling1D()

    def call(self, tokens, training=False):
        hidden = self.embedding(tokens)
        hidden = self.norm_1(self.conv_1(hidden), training=training)
        hidden = self.norm_2(self.conv_2(hidden), training=training)
        return self.pool(hidden)


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.backbone = Encoder()  # finding: variable-renamed
        self.hidden = keras.layers.Dense(16, activation="relu")
        self.dropout = keras.layers.Dropout(0.2)
        self.intent = keras.layers.Dense(5)
        self.language = keras.layers.Dense(3)

    def call(self, tokens, training=False):
        hidden = self.hidden(self.backbone(tokens, training=training))
        hidden = self.dropout(hidden, training=training)
        return self.intent(hidden), self.language(hidden)


def build():
    model = Classifier()
    model(tf.zeros((1, 7), dtype=tf.int32))
    return model
