"""Input and output embedding come apart."""

import tensorflow as tf


class LanguageModel(tf.Module):
    def __init__(self):
        super().__init__()
        self.embedding = tf.Variable(tf.random.normal([20, 8]))
        self.output_embedding = tf.Variable(tf.random.normal([20, 8]))  # finding: sharing-changed
        self.bias = tf.Variable(tf.zeros([20]))

    def __call__(self, tokens):
        hidden = tf.gather(self.embedding, tokens)
        return tf.matmul(hidden, self.output_embedding, transpose_b=True) + self.bias


def build():
    return LanguageModel()
