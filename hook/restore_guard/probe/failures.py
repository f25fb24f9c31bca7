"""What went wrong, as an exception of the probe's own and as a sentence."""


class BuildError(Exception):
    """The builder cannot be used; the message says what to change."""


def sentence(error):
    """An exception in a sentence: its type, and its message if it has one."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
