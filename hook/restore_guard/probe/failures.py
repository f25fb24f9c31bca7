"""What went wrong, as an exception of the probe's own and as a sentence."""


class BuildError(Exception):
    """The builder cannot be used; the message says what to change."""


class FlagsSetError(Exception):
    """The user's code sets environment variables that TensorFlow and Keras read when they are imported.

    Attributes:
        flags: {name: value}, with which a fresh process must import them.
    """

    def __init__(self, flags):
        super().__init__(f"{', '.join(sorted(flags))} is set by the code")
        self.flags = flags


def sentence(error):
    """An exception in a sentence: its type, and its message if it has one."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
