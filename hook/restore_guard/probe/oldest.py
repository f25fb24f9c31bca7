"""The oldest Python and TensorFlow that are judged: an older one is told in a sentence, and nothing is guessed.

It has to run with those older ones itself.
"""

import sys

PYTHON, TENSORFLOW = (3, 9), (2, 12)


def python():
    """Why this Python will not do; None where it will."""
    if sys.version_info[:2] >= PYTHON:
        return None
    return _sentence("Python", _dotted(sys.version_info[:2]), PYTHON)


def tensorflow(version):
    """Why a TensorFlow of this version will not do; None where it will, or where nobody knows the version."""
    parts = str(version).split(".")[:2]
    if not all(part.isdigit() for part in parts) or tuple(map(int, parts)) >= TENSORFLOW:
        return None
    return _sentence("TensorFlow", version, TENSORFLOW)


def _sentence(what, version, oldest):
    return f"it has {what} {version}, and {_dotted(oldest)} is the oldest that restore-guard judges"


def _dotted(version):
    return ".".join(map(str, version))
