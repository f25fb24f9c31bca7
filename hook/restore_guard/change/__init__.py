"""What changed: git and text alone."""
