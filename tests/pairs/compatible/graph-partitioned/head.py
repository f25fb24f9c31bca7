import tensorflow as tf

v1 = tf.compat.v1


def build():
    graph = tf.Graph()
    with graph.as_default():
        inputs = v1.placeholder(tf.float32, [None, 4])
        with v1.variable_scope("encoder", partitioner=v1.fixed_size_partitioner(2)):
            kernel = v1.get_variable("kernel", [4, 3])
            bias = v1.get_variable("bias", [3])
        v1.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_sum(tf.matmul(inputs, tf.identity(kernel)) + tf.identity(bias)))
    return graph
