"""The workflow that `init` proposes: it checks pull requests with the Python and the installer of the project."""

from __future__ import annotations

import ast
import configparser
import json
import posixpath
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from restore_guard import requirement_files, toml_text
from restore_guard.commands.origin import OWNER, PLACEHOLDER, Origin
from restore_guard.commands.setup_files import File, Proposed
from restore_guard.environments import conda_file

WORKFLOW = ".github/workflows/restore-guard.yml"
TENSORFLOW = ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-macos", "tf-nightly", "intel-tensorflow")
DEFAULT_PYTHON = "3.12"

STEPS = """\
name: Checkpoints
on: pull_request
permissions:
  contents: read
jobs:
  restore-guard:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
        with:
          persist-credentials: false
      - uses: actions/setup-python@v6
        with:
          python-version: "{version}"
{remark}      - run: {install}
"""


class Environment(NamedTuple):
    """The Python that builds here: its version, and its TensorFlow as a requirement; None for what is not known."""

    version: str | None = None
    tensorflow: str | None = None


class Install(NamedTuple):
    """What a workflow runs to install the project.

    Attributes:
        makes_environment: whether that makes one, which is found by its lock file.
        remark: what is left to do by hand.
    """

    line: str
    makes_environment: bool = False
    remark: str = ""


def workflow(root: Path, folder: str, source: Origin, environment: Environment) -> Proposed:
    """A workflow that checks pull requests, where there is none of its name."""
    if (root / WORKFLOW).exists():
        return None, None
    install = installer(root / folder, environment)
    remark = f"      # {install.remark}\n" if install.remark else ""
    content = STEPS.format(install=install.line, version=environment.version or DEFAULT_PYTHON, remark=remark)
    if folder:
        content += f"        working-directory: {json.dumps(folder)}\n"
    content += f"      - uses: {source.action or f'{PLACEHOLDER}@{source.revision}'}\n"
    inputs = {"working-directory": json.dumps(folder)} if folder else {}
    if not install.makes_environment:
        inputs["python"] = "python"
    if inputs:
        content += "        with:\n" + "".join(f"          {name}: {value}\n" for name, value in inputs.items())
    advice = None if source.action else f"Replace {OWNER} in {WORKFLOW}: an action is fetched from GitHub."
    return File(WORKFLOW, None, content, content), advice


def installer(project: Path, environment: Environment) -> Install:
    """The line that installs a project so that TensorFlow is there too, by the files that it has."""
    where = _where_in_pyproject(project)
    for lock, line in _MANAGERS.items():
        if (project / lock).is_file():
            return Install(line(project, where), True)
    named = next(_requirements(project), None)
    if named is not None:
        return Install(f"pip install -r {named}")
    if where is not None and _is_poetrys(project) and (where.kind == "group" or _lacks_package(project)):
        return Install(_by_poetry(project, where), True)
    where = where or (_where_in_setup(project) if _is_installable(project) else None)
    if where is not None:
        return Install(_by_pip(project, where))
    first = "-r requirements.txt " if (project / "requirements.txt").is_file() else _itself(project)
    conda = next((file for name in _CONDA if (file := project / name).is_file()), None)
    if conda is not None:
        return _by_conda(conda, first, environment)
    tensorflow = f'"{environment.tensorflow}"' if environment.tensorflow else "tensorflow"
    return Install(f"{_pip(first)} {first}{tensorflow}")


_CONDA = ("environment.yml", "environment.yaml")


def _by_conda(file: Path, first: str, environment: Environment) -> Install:
    """The pip part of an environment of conda, and TensorFlow as conda pins it; the rest is named."""
    listed = conda_file.listed(file.read_bytes())
    wanted: list[str] = []
    left: list[str] = []
    for item in listed.by_pip:
        is_plain = re.fullmatch(r"[\w.\[\],<>=!~*-]+|-r [\w./-]+", item.replace(" ", "") if item[:1] != "-" else item)
        (wanted if is_plain else left).append(item)
    if not any(map(_names_tensorflow, wanted)):
        pins = [conda_file.as_pip(item) for item in listed.frameworks]
        found = [environment.tensorflow] if environment.tensorflow else [pin for pin in pins if _names_tensorflow(pin)]
        wanted += found or ["tensorflow"]
    left += [item for item in listed.by_conda if item not in listed.frameworks and not _is_python(item)]
    named = ", ".join(re.sub(r"[^\w.=<>!~*:/@+-]", " ", item) for item in left)
    remark = f"Of {file.name} this installs no more; add what the models import of: {named}" if named else ""
    line = " ".join(item if item.startswith("-r ") else shlex.quote(item.replace(" ", "")) for item in wanted)
    return Install(f"{_pip(first)} {first}{line}", remark=remark)


def _is_python(item: str) -> bool:
    return conda_file.name_of(item) in ("python", "pip")


class _Where(NamedTuple):
    """The part of pyproject.toml that asks for TensorFlow: "" for what is always installed, extra or group."""

    kind: str
    name: str = ""


def _by_uv(project: Path, where: _Where | None) -> str:
    return "pip install uv && uv sync --locked" + (f" --{where.kind} {where.name}" if where and where.kind else "")


def _by_poetry(project: Path, where: _Where | None) -> str:
    line = "pip install poetry && poetry install" + " --no-root" * _lacks_package(project)
    if where is None or not where.kind:
        return line
    return f"{line} --{'extras' if where.kind == 'extra' else 'with'} {where.name}"


def _by_pdm(project: Path, where: _Where | None) -> str:
    # What pdm was tested with: 2.29 by itself takes a hishel that it cannot run with.
    line = 'pip install "pdm[locked]" && pdm sync' + " --no-self" * _is_only_a_list(project)
    return line + (f" --group {where.name}" if where and where.kind else "")


def _by_pipenv(project: Path, where: _Where | None) -> str:
    try:
        locked = _table(json.loads((project / "Pipfile.lock").read_bytes()))
    except ValueError:
        locked = {}
    is_dev = _asks(locked.get("develop")) and not _asks(locked.get("default"))
    return "pip install pipenv && pipenv sync" + " --dev" * is_dev


_MANAGERS: dict[str, Callable[[Path, _Where | None], str]] = {
    "uv.lock": _by_uv,
    "poetry.lock": _by_poetry,
    "pdm.lock": _by_pdm,
    "Pipfile.lock": _by_pipenv,
}


def _is_poetrys(project: Path) -> bool:
    return "poetry" in _table((_pyproject(project) or {}).get("tool"))


def _lacks_package(project: Path) -> bool:
    """Whether poetry refuses to install the project itself: it looks for a package of the project's name."""
    document = _pyproject(project) or {}
    poetry = _table(_table(document.get("tool")).get("poetry"))
    if poetry.get("package-mode") is False or "packages" in poetry:
        return False
    name = str(poetry.get("name") or _table(document.get("project")).get("name"))
    name = re.sub(r"[-_.]+", "_", name)
    found = (project / folder / f"{name}{end}" for folder in (".", "src") for end in ("", ".py"))
    return not any(path.exists() for path in found)


def _is_only_a_list(project: Path) -> bool:
    """Whether a pyproject.toml names what a project needs, and nothing says how to build it.

    setuptools, in whose hands pip then gives it, refuses what has several folders.
    """
    document = _pyproject(project) or {}
    return "project" in document and "build-system" not in document and not (project / "setup.py").is_file()


_PIP, _UV = "pip install", "pip install uv && uv pip install --python python"  # pip installs no list without building


def _itself(project: Path) -> str:
    """The project as something to be installed, "" where it is none."""
    if _is_only_a_list(project):
        return "-r pyproject.toml "
    return ". " * _is_installable(project)


def _pip(first: str) -> str:
    return _UV if first == "-r pyproject.toml " else _PIP


def _by_pip(project: Path, where: _Where) -> str:
    if _is_only_a_list(project):
        return f"{_UV} -r pyproject.toml" + (f" --{where.kind} {where.name}" if where.kind else "")
    if where.kind == "":
        return f"{_PIP} ."
    if where.kind == "extra":
        return f'{_PIP} ".[{where.name}]"'
    return f'{_PIP} "pip>=25.1" && {_PIP} --group {where.name} .'  # the first pip that knows groups


def _where_in_pyproject(project: Path) -> _Where | None:
    document = _pyproject(project) or {}
    tables = _table(document.get("project"))
    poetry = _table(_table(document.get("tool")).get("poetry"))
    always = {name: asked for name, asked in _table(poetry.get("dependencies")).items() if not _is_optional(asked)}
    if _asks(tables.get("dependencies")) or _asks(always):
        return _Where("")
    for name, listed in {**_table(tables.get("optional-dependencies")), **_table(poetry.get("extras"))}.items():
        if _asks(listed):
            return _Where("extra", name)
    groups = {**_table(document.get("dependency-groups")), **_table(poetry.get("group"))}
    for name, listed in groups.items():
        if _asks(_table(listed).get("dependencies", listed)):
            return _Where("group", name)
    return None


def _is_optional(asked: Any) -> bool:
    return _table(asked).get("optional") is True


def _where_in_setup(project: Path) -> _Where | None:
    """The part of setup.py or setup.cfg that asks for TensorFlow, where it is written out."""
    required, extras = _setup_cfg(project)
    for call in ast.walk(_setup_py(project)):
        for word in call.keywords if isinstance(call, ast.Call) else ():
            if word.arg == "install_requires":
                required += ast.unparse(word.value)
            elif word.arg == "extras_require" and isinstance(word.value, ast.Dict):
                pairs = zip(word.value.keys, word.value.values, strict=True)
                extras |= {str(key.value): ast.unparse(value) for key, value in pairs if isinstance(key, ast.Constant)}
    if _names_tensorflow(required):
        return _Where("")
    named = next((name for name, listed in extras.items() if _names_tensorflow(listed)), None)
    if named is not None:
        return _Where("extra", named)
    # What is no constant there may be anywhere in the file.
    return _Where("") if _names_tensorflow(ast.unparse(_setup_py(project))) else None


def _setup_py(project: Path) -> ast.Module:
    try:
        return ast.parse((project / "setup.py").read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])


def _setup_cfg(project: Path) -> tuple[str, dict[str, str]]:
    """What setup.cfg requires always, and {extra: what it requires}."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(project / "setup.cfg", encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return "", {}
    extras = dict(parser["options.extras_require"]) if "options.extras_require" in parser else {}
    return parser.get("options", "install_requires", fallback=""), extras


def _asks(listed: Any) -> bool:
    return any(_names_tensorflow(str(item)) for item in listed) if isinstance(listed, list | dict) else False


def _names_tensorflow(text: str) -> bool:
    return re.search(rf"(?<![\w.-])({'|'.join(TENSORFLOW)})(?![\w-])", text) is not None


def _requirements(project: Path) -> Iterator[str]:
    """Requirements files that install TensorFlow, the plainest name first."""
    found = [*project.glob("requirements*.txt"), *project.glob("requirements/*.txt")]
    for path in sorted(found, key=lambda path: (path.name != "requirements.txt", len(path.name), path.name)):
        if _installs(path, project, 4):
            yield path.relative_to(project).as_posix()


def _installs(path: Path, project: Path, depth: int) -> bool:
    if not path.is_file() or depth == 0:
        return False
    for entry in requirement_files.entries(path.read_text(encoding="utf-8", errors="replace")):
        if entry.kind == "requirement" and _names_tensorflow(entry.text):
            return True
        if entry.kind == "install" and not requirement_files.is_address(entry.text):
            beside = posixpath.normpath(posixpath.join(path.parent.as_posix(), entry.text))
            if _installs(Path(beside), project, depth - 1):
                return True
    return False


def _is_installable(project: Path) -> bool:
    document = _pyproject(project)
    if document is None:
        return False
    return "project" in document or "build-system" in document or (project / "setup.py").is_file()


def _pyproject(project: Path) -> dict[str, Any] | None:
    """What pyproject.toml says; None where it cannot be read."""
    file = project / "pyproject.toml"
    try:
        return toml_text.decode(file.read_bytes()) if file.is_file() else {}
    except ValueError:
        return None


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
