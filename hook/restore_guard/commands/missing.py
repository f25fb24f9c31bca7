"""The line that installs what a build lacks, by the installer that the project itself uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable

DISTRIBUTIONS = {
    **{"cv2": "opencv-python", "yaml": "pyyaml", "PIL": "pillow", "sklearn": "scikit-learn", "skimage": "scikit-image"},
    **{"gin": "gin-config", "hydra": "hydra-core", "absl": "absl-py", "tensorflow_addons": "tensorflow-addons"},
    **{"tensorflow_hub": "tensorflow-hub", "tensorflow_datasets": "tensorflow-datasets", "tf_keras": "tf-keras"},
    **{"tensorflow_probability": "tensorflow-probability", "tensorflow_text": "tensorflow-text"},
    **{"sonnet": "dm-sonnet", "tree": "dm-tree", "tf_slim": "tf-slim", "tf_agents": "tf-agents", "Bio": "biopython"},
    **{"official": "tf-models-official", "object_detection": "tf-models-official", "dotenv": "python-dotenv"},
    **{"attr": "attrs", "dateutil": "python-dateutil", "google.protobuf": "protobuf", "git": "gitpython"},
    **{"keras_hub": "keras-hub", "keras_cv": "keras-cv", "keras_nlp": "keras-nlp", "keras_tuner": "keras-tuner"},
    **{"segmentation_models": "segmentation-models", "efficientnet": "efficientnet", "imblearn": "imbalanced-learn"},
}
"""What is installed under another name than it is imported by."""

ADDS = {
    **{
        "uv.lock": "uv add {}",
        "poetry.lock": "poetry add {}",
        "pdm.lock": "pdm add {}",
        "Pipfile": "pipenv install {}",
    },
    **{"environment.yml": "conda install -c conda-forge {}", "environment.yaml": "conda install -c conda-forge {}"},
}


def line(packages: Iterable[str], has: Callable[[str], bool], python: str) -> str:
    """The command that installs packages, which are given by what is imported.

    Args:
        has: whether the project has a file of this name.
        python: the Python that builds.
    """
    names = " ".join(sorted({DISTRIBUTIONS.get(package, package.replace("_", "-")) for package in packages}))
    manager = next((command for file, command in ADDS.items() if has(file)), f"{python} -m pip install {{}}")
    return manager.format(names)
