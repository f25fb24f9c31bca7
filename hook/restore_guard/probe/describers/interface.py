"""The inputs and outputs of a Keras model, where they are known without calling it."""

from .. import frameworks


def read(root):
    """Returns {"inputs": [{"name", "shape", "dtype"}], "outputs": [...]}; empty lists where unknown."""
    return {side: _tensors(root, side) for side in ("inputs", "outputs")}


def _tensors(root, side):
    if not frameworks.is_model(root):
        return []
    return [
        {
            "name": getattr(tensor, "name", "").split(":")[0],
            "shape": list(tensor.shape),
            "dtype": getattr(tensor.dtype, "name", tensor.dtype),
        }
        for tensor in frameworks.attribute(root, side) or []
    ]
