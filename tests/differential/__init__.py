"""The proof: what the simulation says of a pair of models, held against what TensorFlow really does with it."""
