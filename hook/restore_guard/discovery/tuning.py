"""Builders that Keras Tuner calls with hyperparameters (https://keras.io/keras_tuner/api/hypermodels/)."""

from __future__ import annotations

import ast

from restore_guard.discovery.modules import Project

_PACKAGES = ("keras_tuner", "kerastuner")
_NAMES = ("hp", "hps", "hyperparameters")


def package(project: Project, parameter: ast.arg, annotation: str) -> str | None:
    """The package whose hyperparameters a parameter takes; None where it takes something else.

    Args:
        annotation: the full name of its annotation, "" where it has none.
    """
    before, _, last = annotation.rpartition(".")
    if last == "HyperParameters" and before.partition(".")[0] in _PACKAGES:
        return before.partition(".")[0]
    if annotation or parameter.arg not in _NAMES:
        return None
    imported = {full.partition(".")[0] for module in project.modules for full in module.names.values()}
    return next((name for name in _PACKAGES if name in imported), None)
