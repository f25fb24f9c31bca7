"""The faults: what is done to a sound repository, the command, its exit code, and words of what it says.

No row needs TensorFlow: the Python that is named has none, so a run that comes as far as building is unchecked.
"""

import sys

from conftest import settings
from git_faults import CONFIG, DISK, GIT_FILES, MODELS, NO_TENSORFLOW, OBJECTS, ONE_COMMIT, SETTINGS


def _config(text):
    return lambda project: project.commit({"pyproject.toml": text})


def _model(line):
    return _config(CONFIG + line + "\n")


def _file(name, text):
    return lambda project: project.commit({name: text})


def _index(project):
    (project.root / ".git/index").write_bytes(b"junk")


def _per_commit(project):
    project.commit({"pyproject.toml": settings(sys.executable, MODELS, environment="per-commit")})


def _includes(line):
    def include(project):
        _per_commit(project)
        project.commit({"requirements.txt": f"tensorflow==2.15.1\n{line}\n", "m.py": "c = 3\n"})

    return include


def _bytes(name, content):
    """Commits a file of any bytes, and a change of the model's source after it."""

    def write(project):
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).write_bytes(content)
        project.commit()
        project.commit({"m.py": "c = 3\n"})

    return write


def _project(lines):
    return CONFIG.replace("[tool.restore-guard]\n", f"[tool.restore-guard]\n{lines}\n", 1)


def _entry(lines, name="m"):
    return settings(sys.executable, {name: f'builder = "m:build"\n{lines}'})


NAMES = ("a/b", "../b", "", "a\\nb", "a\\u2028b", "::error::x", "a\\u0000b")
CONFIGURATIONS = {
    text: (_config(content), ONE_COMMIT, 2, said)
    for text, content, said in [
        ("a timeout of words", _project("timeout = 'x'"), "timeout: expected a number"),
        ("a timeout below 0", _project("timeout = -1"), "found -1.0"),
        ("a timeout longer than anything waits", _project("timeout = 1e308"), "found 1e+308"),
        ("a timeout without end", _project("timeout = inf"), "found inf"),
        ("a timeout that is no number", _project("timeout = nan"), "found nan"),
        ("a witness below 0", _project("witness = -1"), "witness: expected a number"),
        ("manifests in the root of the disk", _project("manifests = '/x'"), "manifests: expected a folder"),
        ("manifests nowhere", _project("manifests = ''"), "manifests: expected a folder"),
        ("a path out of the project", _project("pythonpath = ['../..']"), "pythonpath: expected a list of folders"),
        ("no list of releases", _project("releases = 3"), "releases: expected a list"),
        ("no environment", CONFIG.replace('"shared"', '"x"'), "environment: expected"),
        ("a Python with a zero", CONFIG.replace("python = ", 'python = "a\\u0000b"\n#'), "no such Python"),
        ("a folder for a Python", CONFIG.replace("python = ", 'python = "."\n#'), "no such Python"),
        ("a level that is none", f"{CONFIG}[tool.restore-guard.rules]\nvariable-missing = 3\n", "found 3"),
        ("a rule that is none", f"{CONFIG}[tool.restore-guard.rules]\nx = 'off'\n", "unknown rule x"),
        ("a table for a level", f"{CONFIG}[tool.restore-guard.rules.variable-missing]\na = 1\n", "expected"),
        ("an ignore of nothing", f"{CONFIG}[[tool.restore-guard.ignore]]\n", "is missing"),
        ("a list of models", "[tool.restore-guard]\nmodels = [1]\n", "models: expected a table"),
        ("a model of words", "[tool.restore-guard.models]\nm = 'x'\n", "m: expected a table"),
        ("a list for all", "[tool]\nrestore-guard = [1]\n", "expected a table"),
        ("a number for all", "tool = 3\n", "is not configured"),
        ("a table twice", f"{CONFIG}\n[tool.restore-guard]\n", "not valid TOML"),
        ("3000 tables", f"[tool.restore-guard.{'a.' * 3000}b]\n", "unknown key a"),
        ("a zero", f"{CONFIG}\0", "not valid TOML"),
        ("a mark of the order of bytes", f"\ufeff{CONFIG}", "not valid TOML"),
        *((f"a model named {name}", _entry("", f'"{name}"'), "a file name") for name in NAMES),
        ("half a character for a name", _entry("", '"a\\ud800b"'), "not valid TOML"),
        ("a builder with a zero", CONFIG.replace("m:build", "m\\u0000:build"), "m.builder: expected a function"),
        ("a builder above", CONFIG.replace("m:build", "..m:build"), "m.builder: expected a function"),
        ("a builder of nothing", CONFIG.replace("m:build", ":"), "m.builder: expected a function"),
        ("inputs that are none", _entry("inputs = 3"), "inputs: expected a list"),
        ("a shape of words", _entry('inputs = [{ shape = "x", dtype = "float32" }]'), "shape: expected a list"),
        ("a shape below 0", _entry('inputs = [{ shape = [-4], dtype = "float32" }]'), "shape: expected a list"),
        ("a path to restore by that is none", _entry('restores = ["x"]'), "restores: expected a list"),
        ("nothing to restore by", _entry("restores = []"), "restores: expected a list"),
        ("paths that are none", _entry("paths = [3]"), "paths: expected a list"),
        ("a path of nothing", _entry('paths = ["a", ""]'), "paths: expected a list"),
        ("a variable that is two", _entry('environ = { "A=B" = "c" }'), "environ: expected a table"),
        ("a variable without a name", _entry('environ = { "" = "c" }'), "environ: expected a table"),
        ("a variable with a zero", _entry('environ = { A = "b\\u0000" }'), "environ: expected a table"),
        ("a number for a variable", _entry("environ = { A = 1 }"), "environ: expected a table"),
    ]
} | {
    text: (_config(content), ONE_COMMIT, 3, NO_TENSORFLOW)
    for text, content in [
        ("what is not a number for the builder", _entry("kwargs = { a = nan, b = [inf, -inf] }")),
        ("a long number for the builder", _entry(f"kwargs = {{ a = {'9' * 4000} }}")),
        ("a long number for a shape", _entry(f'inputs = [{{ shape = [{"9" * 30}], dtype = "float32" }}]')),
        ("400 levels for the builder", _entry(f"kwargs = {{ a = {'[' * 400}{']' * 400} }}")),
        ("a builder of 5000 parts", CONFIG.replace("m:build", f"{'a.' * 5000}b:build")),
        ("a name of 5000 letters", _entry("", "a" * 5000)),
        ("a pattern that many paths match", _entry(f'paths = ["{"*a" * 200}b"]')),
    ]
}


def _many_folders(project):
    project.commit({"pyproject.toml": _entry(f'paths = ["{"**/a/" * 20}x.yaml"]')})
    project.commit({f"{'a/' * 40}y": ""})


def _moved(path, text):
    def move(project):
        project.commit({path: text.format("2.15.1")})
        project.commit({path: text.format("2.16.1")})

    return move


MOVES = {
    f"TensorFlow moves in {path}": (_moved(path, text), ONE_COMMIT, 3, NO_TENSORFLOW)
    for path, text in {
        "requirements.lock": "tensorflow=={}\n",
        "requirements.in": "tensorflow~={}\n",
        "base.in": "tensorflow-cpu>={}\n",
        "deps/prod.txt": "h5py\ntensorflow == {}\n",
        "pixi.lock": "- conda: https://conda.anaconda.org/conda-forge/linux-64/tensorflow-{}-cpu.conda\n",
        "pixi.toml": '[dependencies]\ntensorflow = "{}.*"\n',
        "conda-linux-64.lock": "https://conda.anaconda.org/conda-forge/linux-64/tensorflow-{}-cuda.tar.bz2\n",
        "environment-gpu.yml": "dependencies:\n  - tensorflow={}\n",
        "docker/Dockerfile.gpu": "FROM tensorflow/tensorflow:{}-gpu\n",
        "hatch.toml": "[envs.default]\ndependencies = ['tensorflow=={}']\n",
        "setup.cfg": "[options]\ninstall_requires =\n    tensorflow=={}\n",
    }.items()
} | {
    f"TensorFlow moves in {table.partition('=')[0]}": (
        _moved("pyproject.toml", f"{CONFIG.replace('{', '{{').replace('}', '}}')}{table}"),
        *(ONE_COMMIT, 3, NO_TENSORFLOW),
    )
    for table in (
        "[tool.pixi.dependencies]\ntensorflow = '{}.*'\n",
        "[tool.hatch.envs.default]\ndependencies = ['tensorflow=={}']\n",
        "[tool.pdm.dev-dependencies]\na = ['tensorflow=={}']\n",
        "[tool.rye]\ndev-dependencies = ['tensorflow=={}']\n",
        "[tool.poetry.dev-dependencies]\ntensorflow = '{}'\n",
    )
}
HOSTILE = {
    "empty": b"",
    "junk": b"\xff\xfe\0junk",
    "a merge": b"<<<<<<< a\n{}\n=======\n{}\n>>>>>>> b\n",
    "100 000 levels": b"[" * 100_000,
    "50 000 tables": b'{"a":' * 50_000,
    "a list": b"[]",
    "a number": b"3",
    "a text": b'"x"',
    "null": b"null",
    "no keys": b"{}",
    "5000 digits": b'{"schema": ' + b"9" * 5000 + b"}",
    "of another version": b'{"schema": 99, "model": "m"}',
    "of another model": b'{"schema": 1, "model": "other"}',
    "sources that are none": b'{"schema": 1, "model": "m", "sources": [3]}',
    "half a character": b'{"schema": 1, "model": "m", "sources": ["\\ud800"]}',
    "no number": b'{"schema": 1, "model": "m", "epoch": NaN}',
    "with a zero": b'{"schema": 1, "model": "m"}\0',
    "two of them": b"{}{}",
}


def _broken_before(content):
    """A manifest that was broken earlier: the change is about something else."""

    def write(project):
        (project.root / "restore-manifest/m.json").write_bytes(content)
        project.commit()
        project.commit({"README.md": "x\n"})

    return write


PROMISES = {
    f"a manifest that is {word}": (_broken_before(content), ONE_COMMIT, 3, NO_TENSORFLOW)
    for word, content in HOSTILE.items()
} | {
    f"migrations that are {word}": (_bytes("restore-manifest/m.migrations.toml", content), ONE_COMMIT, 3, NO_TENSORFLOW)
    for word, content in HOSTILE.items()
}
LOCKED = {
    "empty": b"",
    "junk": b"\xff\xfe\0junk",
    "3000 levels": b"x = " + b"[" * 3000,
    "5000 digits": b"x = " + b"9" * 5000,
    "a list of numbers": b"package = [1, 2]",
    "a table for a list": b"[package]\nname = 'x'\n",
    "a number for a name": b"[[package]]\nname = 3\nversion = '1'\n",
    "a date for a version": b"package = [{ name = 'tensorflow', version = 2020-01-01 }]\n",
    "20 000 lines in one": b"tensorflow==2.15\\\n" * 20_000,
}


def _unlocked(name, content):
    def lock(project):
        _per_commit(project)
        _bytes(name, content)(project)

    return lock


LOCKS = {
    f"{name} that holds {word}": (_unlocked(name, content), ONE_COMMIT, 3, "not checked")
    for name in ("uv.lock", "pylock.toml", "requirements.txt", "poetry.lock")
    for word, content in LOCKED.items()
    if not (name == "requirements.txt" and word == "20 000 lines in one")
}


OTHERS = {
    "none": (lambda _: None, ONE_COMMIT, 3, NO_TENSORFLOW),
    "no configuration": (_config("[project]\n"), ONE_COMMIT, 2, "not configured"),
    "no model": (_config("[tool.restore-guard]\ntimeout = 3\n"), ONE_COMMIT, 2, "configures no model"),
    "a date for the builder": (_model("kwargs = { start = 2024-01-01 }"), ONE_COMMIT, 2, "m.kwargs.start: expected"),
    "a time in a list": (_model("kwargs = { a = [[07:32:00]] }"), ONE_COMMIT, 2, "kwargs.a"),
    "an unknown key": (_model("kwarg = {}"), ONE_COMMIT, 2, "did you mean kwargs?"),
    "no function": (_config(CONFIG.replace("m:build", "m")), ONE_COMMIT, 2, "m.builder: expected a function"),
    "a number of 5000 digits": (_config(f"{CONFIG}x = {'9' * 5000}\n"), ONE_COMMIT, 2, "not valid TOML"),
    "3000 levels": (_config(f"{CONFIG}x = {'[' * 3000}\n"), ONE_COMMIT, 2, "not valid TOML"),
    "half a table": (_config(CONFIG + "[tool.restore"), ONE_COMMIT, 2, "not valid TOML"),
    "a merge in the configuration": (_config(f"<<<<<<< a\n{CONFIG}"), ONE_COMMIT, 2, "not valid TOML"),
    "manifests outside": (_config(settings(sys.executable, MODELS, manifests="../x")), ONE_COMMIT, 2, "manifests"),
    "two configurations": (
        _file("restore-guard.toml", '[models.m]\nbuilder = "m:build"\n'),
        *(ONE_COMMIT, 2, "both configure restore-guard"),
    ),
    "an unknown base": (lambda _: None, ("check", "--base", "nowhere", "--head", "HEAD"), 3, "no such commit"),
    "an option for a base": (lambda _: None, ("check", "--base", "--output=x"), 3, "no such commit"),
    "an unknown model": (lambda _: None, (*ONE_COMMIT, "other"), 2, "not a configured model"),
    "two heads": (lambda _: None, ("check", "--staged", "--worktree"), 2, "exclude each other"),
    "an index of junk": (_index, ("check", "--staged"), 3, "git"),
    "no lock file": (_per_commit, ONE_COMMIT, 3, "not checked"),
    "a requirements file outside": (_includes("-r ../outside.txt"), ONE_COMMIT, 3, "no file of the repository"),
    "an absolute requirements file": (_includes("-r /etc/hostname"), ONE_COMMIT, 3, "no file of the repository"),
    "a requirements file that includes itself": (_includes("-r requirements.txt"), ONE_COMMIT, 3, "not checked"),
    "a requirements file that is included in a circle": (
        lambda project: (project.write({"other.txt": "-r requirements.txt\n"}), _includes("-r other.txt")(project)),
        *(ONE_COMMIT, 3, "not checked"),
    ),
    "a constraints file that is gone": (_includes("-c gone.txt"), ONE_COMMIT, 3, "requirements.txt:2: gone.txt"),
    "a lock that is of pdm": (
        lambda project: (_per_commit(project), project.commit({"pdm.lock": "", "m.py": "c = 4\n"})),
        *(ONE_COMMIT, 3, "not checked"),
    ),
    "no such Python": (_config(settings("/nowhere/python", MODELS)), ONE_COMMIT, 2, "there is no such Python"),
    "a report that cannot be written": (
        _file("README.md", "x"),
        *(("check", "--base", "HEAD~", "--head", "HEAD", "--output", "/nowhere/x"), 0, "cannot be written"),
    ),
    "a checkpoint that is not there": (lambda _: None, ("audit", "gone.keras"), 2, "there is no such checkpoint"),
    "a rule that is none": (lambda _: None, ("explain", "no-such"), 2, "there is no rule"),
    "a report that is none": (_file("r.json", '{"schema": \xff'), ("report", "r.json"), 3, "not a JSON report"),
    "a report of half a character": (
        _file("r.json", '{"schema": "\\ud800"}'),
        ("report", "r.json"),
        3,
        "not a JSON report",
    ),
    "patterns of 20 folders for a path of 40": (_many_folders, ONE_COMMIT, 0, "1 unaffected"),
    "a pattern of releases that no tag matches": (
        lambda project: (project.git("tag", "1.0"), project.commit({"pyproject.toml": _project("releases = ['v*']")})),
        *(("check", "--all"), 3, "no tag here matches"),
    ),
}

FAULTS = OTHERS | OBJECTS | GIT_FILES | SETTINGS | DISK | CONFIGURATIONS | MOVES | PROMISES | LOCKS
