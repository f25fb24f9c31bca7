import tensorflow as tf
v1 = tf.compat.v1

def build():
    graph = tf.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [None, 4])
        with v1.variable_scope("encoder"):
            w = v1.get_variable("w", [4, 3])
            b = v1.get_variable("b", [3])
        step = v1.train.get_or_create_global_step()
        v1.train.AdamOptimizer().minimize(tf.reduce_sum(tf.matmul(x, w) + b), global_step=step)
    return graph
