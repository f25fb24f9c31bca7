import tensorflow as tf


class Lazy(tf.Module):
    """Makes its variables when it is first called."""

    def __call__(self, x):
        if not hasattr(self, "made"):
            self.make(x.shape[-1])
            self.made = True
        return self.forward(x)


class Affine(Lazy):
    def __init__(self, size, bias=True, name=None):
        super().__init__(name=name)
        self.size, self.bias = size, bias

    def make(self, width):
        self.w = tf.Variable(tf.ones((width, self.size)))
        if self.bias:
            self.b = tf.Variable(tf.zeros((self.size,)))

    def forward(self, x):
        y = tf.matmul(x, self.w)
        return y + self.b if self.bias else y
