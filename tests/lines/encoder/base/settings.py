"""Sizes."""

__version__ = "1.0"
WIDTH = 8
DEPTH = 2
HIDDEN = 16
