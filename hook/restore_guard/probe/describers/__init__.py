"""What decides a restore, read off a model that was built."""
