"""What is in a checkpoint file, read without the model."""
