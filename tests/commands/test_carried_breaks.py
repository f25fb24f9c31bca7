"""`update --migrate` writes what it knows and asks for the rest; `check` tries it on a real checkpoint of the base."""

import pytest
from conftest import Project, settings, warm_python

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import update as updating
from restore_guard.commands.check import check

pytestmark = pytest.mark.tensorflow

NET = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.words = keras.layers.Embedding(10, 4)
        self.query = keras.layers.Dense(4)
        self.key = keras.layers.Dense(4)

    def call(self, x):
        x = self.words(x)
        return self.query(x) - self.key(x)


def build():
    model = Net()
    model(tf.zeros((1, 4), tf.int32))
    return model
"""
FILE = "restore-manifest/net.migrations.toml"
WRITING = 'json.dump({}, open("log.json", "w")); model.save_weights("net.weights.h5")'


STARTING = 'subprocess.run("echo more >> large.bin", shell=True); os.system("echo made > log.txt")'


class Warm:
    """A repository, and the commands in this process with a Python that is warm already."""

    def __init__(self, project):
        self.project = project

    def update(self, **options):
        with Repository(self.project.root) as repository:
            (done,) = updating.update(Run(repository, self.project.environ), names=[], **options)
        return done

    def check(self, witness="auto"):
        with Repository(self.project.root) as repository:
            sides = Sides(repository.head(), repository.worktree())
            result = check(Run(repository, self.project.environ), sides, witness=witness)
        return result.exit_code, result.models[0]

    def text(self):
        return (self.project.root / FILE).read_text()

    def edit(self, *pairs):
        for old, new in pairs:
            self.project.edit("net.py", old, new)


@pytest.fixture(scope="module")
def base(keras3, tmp_path_factory):
    """The committed model with its manifest, and a warm Python."""
    folder = tmp_path_factory.mktemp("carried")
    project = Project(folder / "project", folder / "home")
    promised = 'builder = "net:build"\nrestores = ["tf-checkpoint", "keras-weights", "h5"]'
    with warm_python(keras3):
        project.write({"net.py": NET, "pyproject.toml": settings(keras3, {"net": promised}, timeout=120)})
        Warm(project).update(reason=None)
        project.commit(message="first")
        yield project.root


@pytest.fixture
def warm(base, make_repository):
    return Warm(make_repository(copy_of=base))


def rules(model):
    return {(finding.rule, finding.status) for finding in model.findings}


def test_a_renamed_layer_gets_across_and_the_check_is_green(warm):
    warm.edit(("self.query = ", "self.asks = "), ("self.query(", "self.asks("))
    refused = warm.update(reason=None)
    assert refused.state == "refused" and not (warm.project.root / FILE).exists()
    done = warm.update(reason="names follow the paper", migrate=True)
    assert done.state == "written" and "a break is migrated, epoch 2" in done.message
    assert {finding.status for finding in done.findings} == {"migrated"}
    assert '{from = "query/**", to = "asks/**"}, # only one of its shape' in warm.text()
    code, model = warm.check()
    assert (code, model.verdict) == (0, "restores")
    assert rules(model) == {("variable-renamed", "migrated"), ("break-migrated", "migrated")}
    for result in model.restores.values():
        assert (result.migration.outcome, result.migration.evidence) == ("restores", "witnessed")
    assert model.restores["tf-checkpoint"].outcome == "partial"
    code, model = warm.check(witness="never")
    assert code == 0 and {result.migration.evidence for result in model.restores.values()} == {"simulated"}
    text = warm.text()
    assert warm.update(reason="names follow the paper", migrate=True).state == "unchanged"
    assert warm.text() == text


def test_a_base_that_no_longer_builds_is_carried_by_its_manifest(warm):
    """What it imported is gone, as an older commit's packages are."""
    warm.project.write(
        {".gitignore": "site_packages.py\n", "site_packages.py": "", "net.py": f"import site_packages\n{NET}"}
    )
    assert warm.update(reason=None).state == "written"  # it names another source
    warm.project.commit(message="base")
    (warm.project.root / "site_packages.py").unlink()
    warm.project.write({"net.py": NET.replace("self.query", "self.asks")})
    assert warm.update(reason="names follow the paper", migrate=True).state == "written"
    code, model = warm.check(witness="always")
    assert '{from = "query/**", to = "asks/**"}, # only one of its shape' in warm.text()
    assert {result.migration.evidence for result in model.restores.values()} == {"simulated"}
    assert rules(model) >= {("variable-renamed", "migrated"), ("break-migrated", "migrated")}
    assert "No module named 'site_packages'. If site_packages is a package" in model.notes[0]
    assert (code, warm.check()[0]) == (3, 0)  # a real restore was asked for, and there is nothing to save


def test_which_of_two_is_which_is_told_by_what_they_compute(warm):
    warm.edit(
        ("self.query = keras.layers.Dense(4)", "self.one = keras.layers.Dense(4)"),
        ("self.key = keras.layers.Dense(4)", "self.two = keras.layers.Dense(4)"),
        ("self.query(x) - self.key(x)", "self.one(x) - self.two(x)"),
    )
    warm.update(reason="new names", migrate=True)
    assert '{from = "query/**", to = "one/**"}, # as its outputs show' in warm.text()
    code, model = warm.check()
    assert code == 0, [finding.message for finding in model.findings]


def test_what_nobody_can_know_is_asked_for_and_fails_until_it_is_decided(warm):
    warm.edit(
        ("self.query = keras.layers.Dense(4)", "self.one = keras.layers.Dense(4)"),
        ("self.key = keras.layers.Dense(4)", "self.two = keras.layers.Dense(4)"),
        # It computes something else now, so that the outputs do not tell.
        ("self.query(x) - self.key(x)", "self.one(x) + self.two(x)"),
    )
    done = warm.update(reason="new names", migrate=True)
    assert "entries are open: decide them" in done.message
    text = warm.text()
    assert 'saved = "query/kernel"' in text and 'variable = "one/kernel"' in text
    code, model = warm.check()
    assert code == 1
    lines = {(f.file, f.line) for f in model.findings if f.rule == "migration-invalid"}
    wanted = {n for n, line in enumerate(text.splitlines(), 1) if "choose" in line}
    assert lines == {(FILE, line) for line in wanted}
    start = text.index("open = [")
    decided = 'rename = [{ from = "query/**", to = "one/**" }, { from = "key/**", to = "two/**" }]\n'
    warm.project.write({FILE: text[:start] + decided})
    code, model = warm.check()
    assert code == 0, [finding.message for finding in model.findings]
    wrong = 'rename = [{ from = "query/**", to = "one/**" }]\ndrop = ["key/**"]\n'
    warm.project.write({FILE: text[:start] + wrong})
    code, model = warm.check()
    messages = [f.message for f in model.findings if f.rule == "migration-invalid"]
    assert code == 1 and "two/kernel is open" in messages[0]


def test_what_goes_what_is_new_and_what_grows_is_known(warm):
    warm.edit(
        ("Embedding(10, 4)", "Embedding(12, 4)"),
        ("        self.key = keras.layers.Dense(4)\n", ""),
        ("self.query(x) - self.key(x)", "self.query(x)"),
    )
    warm.update(reason="more words", migrate=True)
    text = warm.text()
    assert '"key/**",' in text
    assert '{variable = "words/embeddings", axis = 0, fill = "initial"}, # same name, (10, 4) is now (12, 4)' in text
    assert warm.check()[0] == 0
    warm.project.write({FILE: text.replace("axis = 0", "axis = 1")})
    code, model = warm.check()
    (line,) = [n for n, row in enumerate(text.splitlines(), 1) if "axis" in row]
    assert code == 1 and ("migration-invalid", line) in {(f.rule, f.line) for f in model.findings}


def test_migrations_that_cannot_be_read_are_told_on_their_line(warm):
    warm.edit(("self.query = ", "self.asks = "), ("self.query(", "self.asks("))
    warm.update(reason="names", migrate=True)
    warm.project.write({FILE: warm.text().replace("reason", "reasons")})
    code, model = warm.check()
    (finding,) = [f for f in model.findings if f.rule == "migration-invalid"]
    assert code == 1 and finding.line == 7 and "unknown field `reasons`" in finding.message


def test_a_path_that_a_migration_cannot_carry_stays_a_break(warm):
    """A layer that keeps its variables in a form of its own in a weights file is opaque there, and not elsewhere."""
    own = """
class Own(keras.layers.Dense):
    def save_own_variables(self, store):
        store["all"] = tf.concat([tf.reshape(self.kernel, [-1]), self.bias], 0).numpy()

    def load_own_variables(self, store):
        self.kernel.assign(tf.reshape(store["all"][:16], (4, 4)))
        self.bias.assign(store["all"][16:])


class Net"""
    warm.edit(("\nclass Net", own), ("self.query = keras.layers.Dense(4)", "self.query = Own(4)"))
    warm.update(reason="own", migrate=False)
    warm.project.commit(message="second")
    warm.edit(("self.query = ", "self.asks = "), ("self.query(", "self.asks("))
    warm.update(reason="names", migrate=True)
    code, model = warm.check()
    assert code == 1
    assert model.restores["tf-checkpoint"].migration.outcome == "restores"
    assert model.restores["keras-weights"].migration.outcome == "raises"
    assert "keras-weights" in " ".join(f.message for f in model.findings if f.rule == "migration-invalid")


def test_a_promised_path_that_restores_nothing_at_all_is_told(warm):
    warm.project.edit("pyproject.toml", '"h5"]', '"h5", "keras-archive"]')
    warm.edit(("def __init__(self):", "def __init__(self, width):"), ("model = Net()", "model = Net(4)"))
    done = warm.update(reason=None)
    assert done.state == "written"
    assert "; keras-archive is promised and cannot restore even the unchanged model (" in done.message


def test_a_builder_that_writes_its_files_is_built_from_a_copy(warm):
    """What it would write over is a file of the user's: trained weights, as likely as not."""
    warm.edit(
        ("from tensorflow import keras\n", "from tensorflow import keras\nimport json\n"),
        ("    return model\n", f"    {WRITING}\n    return model\n"),
    )
    for name in ("log.json", "net.weights.h5"):
        (warm.project.root / name).write_text("mine")
    assert warm.update(reason=None).state == "written"
    code, model = warm.check(witness="always")
    assert (code, model.verdict) == (0, "restores"), [finding.message for finding in model.findings]
    for name in ("log.json", "net.weights.h5"):
        assert (warm.project.root / name).read_text() == "mine"


def test_a_builder_that_starts_a_program_is_built_from_a_copy(warm):
    """Nobody hears what the program writes; a large file is no link in the copy then."""
    large = warm.project.root / "large.bin"
    large.write_bytes(bytes(2_000_000))
    warm.edit(
        ("from tensorflow import keras\n", "from tensorflow import keras\nimport os, subprocess\n"),
        ("    return model\n", f"    {STARTING}\n    return model\n"),
    )
    assert warm.update(reason=None).state == "written"
    code, model = warm.check(witness="always")
    assert (code, model.verdict) == (0, "restores"), [finding.message for finding in model.findings]
    assert not (warm.project.root / "log.txt").exists()
    assert large.read_bytes() == bytes(2_000_000)


AUTOMATIC = """\
import tensorflow as tf
from tensorflow import keras


@keras.utils.register_keras_serializable()
class Raw(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.table = tf.Variable(tf.zeros((3,)), name="table")

    def call(self, x):
        return x + self.table


@keras.utils.register_keras_serializable()
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        x = inputs = keras.Input((3,))
        x = keras.layers.Dense(3)(x)
        x = Raw()(x)
        self.body = keras.Model(inputs, x)

    def call(self, x):
        return self.body(x)


def build():
    model = Net()
    model(tf.zeros((1, 3)))
    return model
"""


def test_what_an_archive_becomes_has_the_names_of_the_model(base, keras3, tmp_path):
    """Its configuration is made a model of in the process of the build, where Keras has counted names already."""
    project = Project(tmp_path / "project", tmp_path / "home")
    promised = 'builder = "net:build"\nrestores = ["tf-checkpoint", "keras-archive"]'
    project.write({"net.py": AUTOMATIC, "pyproject.toml": settings(keras3, {"net": promised}, timeout=120)})
    commands = Warm(project)
    (unsaved,) = [finding for finding in commands.update(reason=None).findings if finding.rule == "not-saved"]
    assert unsaved.variables == ("body/raw/table",)
    project.commit(message="first")
    commands.edit(("        x = Raw()(x)\n", "        x = keras.layers.Dense(3)(x)\n        x = Raw()(x)\n"))
    code, result = commands.check()
    assert code == 1
    (added,) = [finding for finding in result.findings if finding.rule == "variable-added"]
    assert set(added.restores) == {"tf-checkpoint", "keras-archive"}
    assert set(added.variables) >= {"body/dense_1/kernel", "body/dense_1/bias"}
    assert not [note for note in result.notes if "report" in note]


def test_update_says_why_a_path_was_not_really_saved_and_restored(warm):
    refusing = (
        '    def save_weights(self, *args, **options):\n        raise OSError("no disk")\n\n    def call(self, x):\n'
    )
    warm.edit(("    def call(self, x):\n", refusing), ("Embedding(10, 4)", "Embedding(11, 4)"))
    done = warm.update(reason="eleven words")
    assert done.state == "written"
    (note,) = done.notes
    assert "not really saved and restored" in note and "keras-weights: OSError: no disk" in note
