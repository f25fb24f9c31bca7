"""The checkpoint of a training loop, with another learning rate."""

import tensorflow as tf
from tensorflow import keras


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(16, activation="relu")
        self.logits = keras.layers.Dense(2)

    def call(self, inputs):
        return self.logits(self.hidden(inputs))


def build():
    model = Classifier()
    model(tf.zeros((1, 8)))
    optimizer = keras.optimizers.Adam(3e-4)
    optimizer.build(model.trainable_variables)
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    return tf.train.Checkpoint(model=model, optimizer=optimizer, step=step)
