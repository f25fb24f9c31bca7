"""Real checkpoints: saved, restored, and the model called."""
