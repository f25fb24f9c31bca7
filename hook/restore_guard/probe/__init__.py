"""Builds a model and reads its signature, in the user's own Python.

The only code of restore-guard that imports TensorFlow. Standard library and TensorFlow only, Python 3.9+:
it is started by its path and never installed where it runs.
"""
