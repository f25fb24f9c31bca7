import tensorflow as tf

v1 = tf.compat.v1


def build():
    graph = tf.Graph()
    with graph.as_default():
        rows = v1.placeholder(tf.float16, [None, 7])
        with v1.variable_scope("scaling", partitioner=v1.fixed_size_partitioner(3)):
            scale = v1.get_variable("scale", [7], tf.float16, v1.ones_initializer())
        tf.reduce_sum(rows * tf.convert_to_tensor(scale))
    return graph
