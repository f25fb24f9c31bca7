"""A witness: a real checkpoint, really saved by one build and really restored by another.

`trial` has the two tasks of it. Both need eager builds with real values.
"""
