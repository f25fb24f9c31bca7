"""Builds of either side: made, kept, and asked for what only TensorFlow knows."""
