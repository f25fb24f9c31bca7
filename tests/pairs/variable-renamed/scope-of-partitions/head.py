import tensorflow as tf

v1 = tf.compat.v1


def build():
    graph = tf.Graph()
    with graph.as_default():
        inputs = v1.placeholder(tf.float32, [None, 4])
        with v1.variable_scope("encode", partitioner=v1.fixed_size_partitioner(2)):  # finding: variable-renamed
            kernel = v1.get_variable("kernel", [4, 3])
        tf.matmul(inputs, tf.convert_to_tensor(kernel))
    return graph
