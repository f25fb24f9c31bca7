"""What Hydra composes for a program's main function (https://hydra.cc/docs/advanced/compose_api/)."""

from __future__ import annotations

import ast
import posixpath

from restore_guard.discovery.modules import Function, Module, Project

NAME = "cfg"


def composed(project: Project, module: Module, function: Function) -> list[str]:
    """The statements that compose the configuration of a function under the name `NAME`; none where Hydra gives none.

    They import `hydra` and `os` from outside.
    """
    for decorator in function.decorator_list:
        if not isinstance(decorator, ast.Call) or project.resolve(module, decorator.func) != "hydra.main":
            continue
        given = {item.arg: item.value.value for item in decorator.keywords if isinstance(item.value, ast.Constant)}
        folder = str(given.get("config_path") or ".")
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(module.file), folder))
        name = str(given.get("config_name") or "config").removesuffix(".yaml")
        return [
            f"with hydra.initialize_config_dir(os.path.abspath({beside!r}), version_base=None):",
            f"    {NAME} = hydra.compose({name!r})",
        ]
    return []
