import tensorflow as tf

v1 = tf.compat.v1


def build():
    graph = tf.Graph()
    with graph.as_default():
        inputs = v1.placeholder(tf.float32, [None, 4])
        with v1.variable_scope("encoder"):
            kernel = v1.get_variable("kernel", [4, 5])  # finding: shape-changed
            bias = v1.get_variable("bias", [5])
        v1.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_sum(tf.matmul(inputs, kernel) + bias))
    return graph
