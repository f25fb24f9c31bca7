"""A recommender of eight layers, two of them renamed."""

import tensorflow as tf
from tensorflow import keras


class Recommender(keras.Model):
    def __init__(self):
        super().__init__()
        self.user_embedding = keras.layers.Embedding(20, 8)
        self.item_embedding = keras.layers.Embedding(30, 8)
        self.user_tower = keras.layers.Dense(8, activation="relu")  # finding: variable-renamed
        self.item_tower = keras.layers.Dense(8, activation="relu")  # finding: variable-renamed
        self.cross = keras.layers.Dense(16, activation="relu")
        self.norm = keras.layers.BatchNormalization()
        self.dropout = keras.layers.Dropout(0.1)
        self.score = keras.layers.Dense(1)

    def call(self, ids, training=False):
        user = self.user_tower(self.user_embedding(ids[:, 0]))
        item = self.item_tower(self.item_embedding(ids[:, 1]))
        hidden = self.cross(tf.concat([user, item, user * item], axis=-1))
        hidden = self.dropout(self.norm(hidden, training=training), training=training)
        return self.score(hidden)


def build():
    model = Recommender()
    model(tf.zeros((1, 2), dtype=tf.int32))
    return model
