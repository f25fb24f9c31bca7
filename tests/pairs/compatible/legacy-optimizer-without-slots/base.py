import tensorflow as tf


def build():
    first, second = tf.Variable([0.0, 0.0]), tf.Variable([0.0, 0.0])
    optimizer = tf.compat.v1.train.MomentumOptimizer(0.01, 0.9)
    optimizer.apply_gradients([(tf.zeros(2), first), (tf.zeros(2), second)])
    return {"first": first, "second": second, "optimizer": optimizer}
