"""The environment variables that go into what is started: those that are known to be needed, and no others.

What is started runs code of the change under review: builds, the build scripts of its requirements, an interpreter
that lies in the repository. A list of bad names would have to know every secret; this one knows what is harmless.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMES = frozenset(
    [
        # the system: where programs, libraries, temporary files and the user's folders are
        *("PATH", "HOME", "USER", "LOGNAME", "USERNAME", "SHELL", "PWD", "OLDPWD", "TMPDIR", "TEMP", "TMP", "TERM"),
        *("LANG", "LANGUAGE", "TZ", "COLUMNS", "LINES", "NO_COLOR", "HOSTNAME"),
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "MALLOC_ARENA_MAX"),
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "HOMEDRIVE", "HOMEPATH"),
        *("APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432"),
        *("NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "PROCESSOR_IDENTIFIER", "OS"),
        # how the network is reached, and whom to trust there
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"),
        # Python environments
        *("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYENV_ROOT", "PYENV_VERSION"),
        # what builders ask for: where they run, and where data that was downloaded before is
        *("CI", "GITHUB_ACTIONS", "GITHUB_WORKSPACE", "GITHUB_SHA", "GITHUB_REF", "GITHUB_REPOSITORY"),
        *("GITHUB_EVENT_NAME", "RUNNER_OS", "RUNNER_ARCH", "RUNNER_TEMP", "RUNNER_TOOL_CACHE"),
        *("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_CACHE"),
        *("TRANSFORMERS_OFFLINE", "TOKENIZERS_PARALLELISM", "NLTK_DATA", "MPLBACKEND", "MPLCONFIGDIR"),
        *("KAGGLEHUB_CACHE", "TORCH_HOME", "SENTENCE_TRANSFORMERS_HOME"),
    ]
)
_FAMILIES = (
    *("LC_", "XDG_", "PYTHON"),
    *("TF_", "TF2_", "TFHUB_", "TFDS_", "KERAS_", "XLA_", "JAX_", "CUDA_", "CUDNN_", "NVIDIA_", "ROCM_", "HIP_"),
    *("OMP_", "KMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "VECLIB_", "ONEDNN_", "DNNL_", "NUMBA_"),
)
# Terraform shares the first two letters with TensorFlow, and keeps logins there.
_OTHERS = ("TF_VAR_", "TF_TOKEN_", "TF_CLI_", "TF_HTTP_", "TF_WORKSPACE", "TF_CLOUD_", "PYTHONHOME", "PYTHON_KEYRING")
# A family may hold a secret all the same: a word alone, or at the end of one.
_SECRET = re.compile(
    r"(TOKEN|SECRETS?|PASSWORDS?|PASSWD|PASSPHRASE|CREDENTIALS?|CREDS|APIKEY)(_|$)"
    r"|(^|_)(KEYS?|PASS|PAT|AUTH|COOKIES?|PWD)(_|$)",
    re.IGNORECASE,
)
_LOGIN_IN_URL = re.compile(r"://[^/@\s]*@")

_UV = ("UV_",)
# uv tells these from one lock file to the next; they are not the user's to decide here.
_UV_PROJECT = (
    *("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH"),
    *("UV_PROJECT_ENVIRONMENT", "UV_PROJECT", "UV_SYSTEM_PYTHON"),
    *("UV_WORKING_DIR", "UV_WORKING_DIRECTORY", "UV_TARGET"),
)
_POETRY = ("POETRY_",)


def harmless(environ: Mapping[str, str], families: tuple[str, ...] = ()) -> dict[str, str]:
    """What anything may see that is started.

    Args:
        families: further beginnings of names, of the settings of a program; secrets among them are left out.
    """
    known = (*_FAMILIES, *families)
    return {
        name: value
        for name, value in environ.items()
        if (name.upper() in _NAMES or (name.startswith(known) and not _is_secret(name)))
        and not _LOGIN_IN_URL.search(value)
    }


def for_uv(environ: Mapping[str, str], *, logins: bool) -> dict[str, str]:
    """What uv may see; `logins` only where it runs no code of what it installs."""
    seen = harmless(environ, _UV)
    if logins:
        seen |= {name: value for name, value in environ.items() if is_login_of_uv(name, value)}
    return {name: value for name, value in seen.items() if name not in _UV_PROJECT}


def is_login_of_uv(name: str, value: str) -> bool:
    """Whether a variable holds a login for an index or for the way there."""
    if name.startswith(_UV):
        return _is_secret(name) or _LOGIN_IN_URL.search(value) is not None
    return name.upper() in _NAMES and _LOGIN_IN_URL.search(value) is not None


def for_poetry(environ: Mapping[str, str]) -> dict[str, str]:
    """What poetry needs to find an environment that it has made."""
    return harmless(environ, _POETRY)


def _is_secret(name: str) -> bool:
    return name.startswith(_OTHERS) or _SECRET.search(name) is not None
