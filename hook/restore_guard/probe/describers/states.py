"""Objects that hold a value in a checkpoint and are no variables: hash tables, iterators, Python state."""

import tensorflow as tf

from .. import private_names


def of(value):
    """The kind of an object that holds a value; of a hash table the types and rows of its keys and values, as a text.

    True where it is of no known kind.
    """
    if isinstance(value, tf.data.Iterator):
        return "iterator"
    if isinstance(value, tf.train.experimental.PythonState):
        return "python"
    kinds = [getattr(value, name, None) for name in ("key_dtype", "value_dtype")]
    if None in kinds:
        return True
    rows = private_names.rows_of_table(value) or ()
    return " ".join([*(tf.as_dtype(kind).name for kind in kinds), *(str([*row]).replace(" ", "") for row in rows)])
