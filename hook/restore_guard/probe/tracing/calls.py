"""With what a module is called first: nothing else tells the inputs of a tf.Module."""

import tensorflow as tf

from .. import frameworks
from .sites import hear_new


class Calls:
    """Hears the first call of each tf.Module that is made from `listen` on."""

    def __init__(self):
        self.first, self.alive, self.heard = {}, [], set()

    def of(self, module):
        """[{"name", "shape", "dtype"}] with an open batch; empty where it was not called, or not with tensors alone."""
        return self.first.get(id(module), [])

    def listen(self):
        hear_new(tf.Module, self._made)

    def _made(self, module):
        if frameworks.keras_of(module) is not None:
            return
        for base in type(module).__mro__:
            if "__call__" in vars(base) and base not in self.heard:
                self.heard.add(base)
                base.__call__ = self._hearing(vars(base)["__call__"])

    def _hearing(self, call):
        def __call__(module, *args, **kwargs):
            if id(module) not in self.first:
                self.alive.append(module)  # a dead one's id would be given to another
                plain = args and all(hasattr(value, "shape") and hasattr(value, "dtype") for value in args)
                self.first[id(module)] = [_tensor(value) for value in args] if plain and not kwargs else []
            return call.__get__(module, type(module))(*args, **kwargs)

        return __call__


def _tensor(value):
    sizes = tf.TensorShape(value.shape).as_list()
    return {"name": "", "shape": [None, *sizes[1:]] if sizes else [], "dtype": tf.as_dtype(value.dtype).name}
