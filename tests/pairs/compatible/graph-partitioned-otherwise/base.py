import tensorflow as tf

v1 = tf.compat.v1


def build():
    graph = tf.Graph()
    with graph.as_default():
        words = v1.placeholder(tf.int32, [None])
        with v1.variable_scope("embedding", partitioner=v1.fixed_size_partitioner(3)):
            table = v1.get_variable("table", [7, 3])
            seen = v1.get_variable("seen", [7], tf.int64, v1.zeros_initializer(), trainable=False)
        rows = tf.nn.embedding_lookup(table, words)
        v1.train.AdagradOptimizer(0.1).minimize(tf.reduce_sum(rows))
        tf.reduce_sum(tf.convert_to_tensor(seen))
    return graph
