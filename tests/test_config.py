"""Configuration: what is read from where, and that every error names file, key and what was expected."""

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore_guard import config
from restore_guard.config import Config, Ignore, Input, Load, Model, without_expired
from restore_guard.errors import RestoreGuardError, UsageError

RULES = {"variable-added", "variable-missing"}

FULL = """
manifests = "promises"
python = ".venv/bin/python"
environment = "per-commit"
timeout = 60
releases = ["v*"]
pythonpath = ["src"]
rules = { variable-added = "warning" }
[models.ranker]
builder = "ranker.model:build"
kwargs = { width = 64 }
inputs = [{ shape = [16, -1], dtype = "int32" }, { shape = [] }]
restores = ["tf-checkpoint", "h5"]
paths = ["configs/ranker/*.yaml"]
load = { custom_objects = ["ranker.layers:Scale"], skip_mismatch = true, compile = false }
environ = { TF_USE_LEGACY_KERAS = "1" }
[[ignore]]
model = "ranker"
rule = "variable-missing"
variable = "aux_head/*"
reason = "head retired"
expires = 2027-03-01
"""
PARSED = Config(
    manifests="promises",
    python=".venv/bin/python",
    environment="per-commit",
    timeout=60.0,
    releases=("v*",),
    pythonpath=("src",),
    rules={"variable-added": "warning"},
    models={
        "ranker": Model(
            builder="ranker.model:build",
            kwargs={"width": 64},
            inputs=(Input((16, None), "int32"), Input(())),
            restores=("tf-checkpoint", "h5"),
            paths=("configs/ranker/*.yaml",),
            load=Load(("ranker.layers:Scale",), skip_mismatch=True, compile=False),
            environ={"TF_USE_LEGACY_KERAS": "1"},
        )
    },
    ignore=(Ignore("variable-missing", "head retired", "ranker", "aux_head/*", datetime.date(2027, 3, 1)),),
)


def load(files, **options):
    return config.load({name: text.encode() for name, text in files.items()}.get, **options)


def load_own(text, **options):
    return load({"restore-guard.toml": text}, **options)[1]


def error_of(text, **options):
    with pytest.raises(UsageError) as caught:
        load_own(text, **options)
    assert caught.value.exit_code == 2
    return str(caught.value)


def in_pyproject(text):
    return text.replace("\n[models", "\n[tool.restore-guard.models").replace("[[ign", "[[tool.restore-guard.ign")


def test_full_configuration_is_the_same_in_both_files():
    assert load({"restore-guard.toml": FULL}, rules=RULES) == ("restore-guard.toml", PARSED)
    pyproject = "[project]\nname = 'x'\n[tool.restore-guard]" + in_pyproject(FULL)
    assert load({"pyproject.toml": pyproject}, rules=RULES) == ("pyproject.toml", PARSED)


def test_defaults():
    assert load_own('[models.m]\nbuilder = "m:build"') == Config(models={"m": Model("m:build")})
    defaults = Config()
    assert (defaults.manifests, defaults.environment, defaults.timeout) == ("restore-manifest", "auto", 300)
    assert defaults.python is None and defaults.models == {} and Model("m:f").restores is None


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"pyproject.toml": "[project]\nname = 'x'"},
        {"pyproject.toml": "[project]\ndependencies = ['restore-guard']"},
        {"pyproject.toml": "this is not TOML, and not ours"},
    ],
)
def test_unconfigured(files):
    assert load(files) is None


def test_both_files_are_refused():
    with pytest.raises(UsageError, match=r"restore-guard\.toml.*pyproject\.toml.*keep one"):
        load({"restore-guard.toml": "", "pyproject.toml": "[tool.restore-guard]"})


def test_error_names_file_and_the_whole_key():
    with pytest.raises(UsageError) as caught:
        load({"pyproject.toml": "[tool.restore-guard.models.ranker]\nbuilder = 5"})
    assert str(caught.value) == (
        "pyproject.toml: tool.restore-guard.models.ranker.builder: "
        'expected a function as "package.module:function", found 5'
    )


MODEL = '[models.m]\nbuilder = "m:f"\n'


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("timeout = 0", "timeout", "up to 10 million, found 0.0"),
        ("timeout = -1", "timeout", "above 0"),
        ("timeout = nan", "timeout", "above 0"),
        ("timeout = inf", "timeout", "above 0"),
        ("timeout = true", "timeout", "above 0"),
        ("timeout = 'long'", "timeout", "up to 10 million, found 'long'"),
        ("environment = 'mine'", "environment", '"auto", "shared" or "per-commit", found \'mine\''),
        ("manifests = '../x'", "manifests", "relative"),
        ("manifests = '/x'", "manifests", "relative"),
        ("manifests = ''", "manifests", "relative"),
        (r"manifests = 'C:\x'", "manifests", "relative"),
        (r"manifests = 'a\..\..\x'", "manifests", "relative"),
        ("pythonpath = 'src'", "pythonpath", "a list"),
        ("pythonpath = ['src', 'a/../..']", "pythonpath", "relative"),
        ("releases = [1]", "releases", "tag patterns"),
        ("models = 1", "models", "a table, found 1"),
        ("rules = 1", "rules", "a table, found 1"),
        ("ignore = 1", "ignore", "[[ignore]]"),
        ("[rules]\nvariable-added = 'loud'", "rules.variable-added", '"error", "warning" or "off"'),
        ("[rules]\nvariable-added = ['off']", "rules.variable-added", '"error", "warning" or "off"'),
        ("models.m = 1", "models.m", "a table, found 1"),
        ("[models.m]", "models.m.builder", "is missing"),
        ("[models.m]\nbuilder = 'm'", "models.m.builder", "package.module:function"),
        ("[models.m]\nbuilder = 'm:'", "models.m.builder", "package.module:function"),
        ("[models.m]\nbuilder = ':f'", "models.m.builder", "package.module:function"),
        ("[models.m]\nbuilder = 'a..b:f'", "models.m.builder", "package.module:function"),
        ("[models.m]\nbuilder = 'a/b.py:f'", "models.m.builder", "package.module:function"),
        ("[models.m]\nbuilder = 'm:f:g'", "models.m.builder", "package.module:function"),
        (MODEL + "kwargs = 1", "models.m.kwargs", "arguments"),
        (MODEL + "restores = ['tf-checkpiont']", "models.m.restores", "tf-checkpoint, keras-weights, h5,"),
        (MODEL + "restores = []", "models.m.restores", "one or more"),
        (MODEL + "paths = ['../x']", "models.m.paths", "relative"),
        (MODEL + "environ = { TF_USE_LEGACY_KERAS = 1 }", "models.m.environ", "a table of environment variables"),
        (MODEL + "loads = 'other'", "models.m.loads", "a list of other configured models"),
        (MODEL + "loads = ['m']", "models.m.loads", "found ['m']"),
        (MODEL + "loads = ['other']", "models.m.loads", "found ['other']"),
        (MODEL + "load = true", "models.m.load", "a table, found True"),
        (MODEL + "load = { skip = true }", "models.m.load", "unknown key skip"),
        (MODEL + "load = { skip_mismatch = 1 }", "models.m.load.skip_mismatch", "true or false"),
        (MODEL + "load = { custom_objects = ['Scale'] }", "models.m.load.custom_objects", "package.module:Name"),
        (MODEL + "inputs = 1", "models.m.inputs", "a list of tables"),
        (MODEL + "inputs = [16]", "models.m.inputs[0]", "a table, found 16"),
        (MODEL + "inputs = [{}]", "models.m.inputs[0].shape", "is missing"),
        (MODEL + "inputs = [{shape = [1]}, {shape = ['a']}]", "models.m.inputs[1].shape", "dimensions"),
        (MODEL + "inputs = [{shape = [0]}]", "models.m.inputs[0].shape", "above 0"),
        (MODEL + "inputs = [{shape = [-2]}]", "models.m.inputs[0].shape", "-1"),
        ('[models."a/b"]\nbuilder = "m:f"', "models.a/b", "file name"),
        ('[models."a\\n"]\nbuilder = "m:f"', "models.a\n", "file name"),
        ("[[ignore]]\nrule = 'variable-added'", "ignore[0].reason", "is missing"),
        ("[[ignore]]\nrule = 'variable-added'\nreason = ' '", "ignore[0].reason", "a few words"),
        ("[[ignore]]\nreason = 'r'", "ignore[0].rule", "is missing"),
        ("[[ignore]]\nrule='variable-added'\nreason='r'\nexpires='soon'", "ignore[0].expires", "2027-03-01"),
        (
            "[[ignore]]\nrule='variable-added'\nreason='r'\nexpires=2027-03-01T00:00:00",
            "ignore[0].expires",
            "2027-03-01",
        ),
    ],
)
def test_wrong_value(text, key, expected):
    message = error_of(text, rules=RULES)
    assert message.startswith(f"restore-guard.toml: {key}: ")
    assert expected in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("timeuot = 3", "restore-guard.toml: unknown key timeuot; did you mean timeout?"),
        ("[models.m]\nbuidler = 'm:f'", "models.m: unknown key buidler; did you mean builder?"),
        (MODEL + "inputs = [{shap = [1]}]", "models.m.inputs[0]: unknown key shap; did you mean shape?"),
        (
            "[[ignore]]\nwhy = 'r'",
            "ignore[0]: unknown key why; known: expires, model, reason, rule, variable",
        ),
        ("[rules]\nvariable-aded = 'off'", "rules: unknown rule variable-aded; did you mean variable-added?"),
        ("[[ignore]]\nrule='nope'\nreason='r'", "ignore[0].rule: unknown rule nope; known: variable-added,"),
        (
            MODEL.replace("models.m", "models.ranker") + "[[ignore]]\nrule='variable-added'\nreason='r'\nmodel='rankr'",
            "ignore[0].model: unknown model rankr; did you mean ranker?",
        ),
    ],
)
def test_unknown_names_are_corrected(text, message):
    assert message in error_of(text, rules=RULES)


def test_rule_names_are_not_checked_without_rules():
    assert load_own("[rules]\nanything = 'off'").rules == {"anything": "off"}


@pytest.mark.parametrize("content", [b"[models", b"\xff\xfe", b"a = 1\na = 2"])
def test_not_toml(content):
    with pytest.raises(UsageError, match=r"restore-guard\.toml: not valid TOML"):
        config.load({"restore-guard.toml": content}.get)


def test_expired_after_the_last_day():
    last = datetime.date(2027, 3, 1)
    ignores = [Ignore("r", "old", expires=last), Ignore("r", "for good")]
    settings = Config(ignore=tuple(ignores))
    assert config.expired(settings, last) == []
    assert config.expired(settings, last + datetime.timedelta(days=1)) == ignores[:1]


SCALARS = st.sampled_from(['"x"', "1", "true", "[]", "{}", "nan", "2027-03-01", "[1]", "[{}]", '["../x"]', "-1"])
KEYS = st.sampled_from([*Config.__struct_fields__, *Model.__struct_fields__, *Ignore.__struct_fields__, "zzz"])
TABLES = st.sampled_from(["", "[models.m]\n", "[rules]\n", "[[ignore]]\n", "[[models.m.inputs]]\n"])


@given(st.lists(st.tuples(TABLES, st.dictionaries(KEYS, SCALARS)), max_size=3))
def test_any_table_loads_or_gives_a_message_for_people(tables):
    text = "".join(table + "".join(f"{key} = {value}\n" for key, value in pairs.items()) for table, pairs in tables)
    try:
        load_own(text, rules=RULES)
    except RestoreGuardError as error:
        assert str(error).startswith("restore-guard.toml: ")


def test_an_ignore_that_has_expired_ignores_nothing():
    ignores = (
        Ignore("shape-changed", "until May", expires=datetime.date(2026, 5, 31)),
        Ignore("shape-changed", "for good"),
    )
    settings = Config(ignore=ignores)
    assert without_expired(settings, datetime.date(2026, 5, 31)) == settings
    assert without_expired(settings, datetime.date(2026, 6, 1)).ignore == ignores[1:]


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("{ start = 2024-01-01 }", "kwargs.start"),
        ("{ at = [1, { when = 07:32:00 }] }", "kwargs.at.[1].when"),
        ("{ t = 1979-05-27T07:32:00Z }", "kwargs.t"),
    ],
)
def test_a_date_is_no_argument_of_a_builder(value, key):
    text = f'[models.m]\nbuilder = "m:build"\nkwargs = {value}\n'
    with pytest.raises(UsageError, match=re.escape(f"restore-guard.toml: models.m.{key}: expected text, a number")):
        config.load({"restore-guard.toml": text.encode()}.get)


@pytest.mark.parametrize("text", ["x = " + "9" * 5000, "x = " + "[" * 5000, "x = '\udcff'", "[models]\nx = {" * 3])
def test_any_toml_that_cannot_be_read_is_a_wrong_configuration(text):
    with pytest.raises(UsageError, match="not valid TOML"):
        config.load({"restore-guard.toml": text.encode(errors="surrogateescape")}.get)
