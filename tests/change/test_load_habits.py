"""What a repository's calls say of each of its models."""

from restore_guard.change import load_habits
from restore_guard.config import Load

FILES = {
    "ranker/net.py": "from common import base\n",
    "vision/net.py": "from common import base\n",
    "common/base.py": "",
    "train_ranker.py": "from ranker import net\nimport tensorflow as tf\n"
    "tf.train.Checkpoint(model=net.build()).restore('out/ckpt-1')\n"
    "net.build().load_weights('a.h5', skip_mismatch=True)\n",
    "serve.py": "import keras\nimport vision.net\nfrom vision.net import Scale\n"
    "keras.models.load_model('a.keras', custom_objects={'Scale': Scale}, compile=False)\n"
    "vision.net.build().load_weights(path)\n",
    "tools/export.py": "import common.base\nfrom somewhere import model\nmodel.save_weights('a.weights.h5')\n",
}
BUILDERS = {"ranker": "ranker.net", "vision": "vision.net"}


def found(files=FILES, builders=BUILDERS):
    return load_habits.habits({name: text.encode() for name, text in files.items()}.get, files, builders)


def test_a_call_is_about_the_models_whose_code_its_file_imports():
    habits = found()
    assert habits["ranker"].restores == ("tf-checkpoint", "keras-weights", "h5")
    assert habits["vision"].restores == ("keras-weights", "keras-archive")
    assert [str(call) for call in habits["ranker"].of("h5", "loads")] == [
        "train_ranker.py:4 net.build(...).load_weights"
    ]
    assert [(call.line, call.unknown) for call in habits["vision"].unclear] == [(5, ("filepath",))]


def test_the_load_call_that_all_agree_on():
    habits = found()
    assert habits["ranker"].load == Load(skip_mismatch=True)
    assert habits["vision"].load == Load(custom_objects=("vision.net:Scale",), compile=False)
    assert habits["vision"].settings() == [
        'restores = ["keras-weights", "keras-archive"]',
        'load = { custom_objects = ["vision.net:Scale"], compile = false }',
    ]
    assert habits["ranker"].settings(["h5-by-name"])[0].endswith('"keras-weights", "h5", "h5-by-name"]')
    stricter = FILES | {"again.py": "import ranker.net\nmodel.load_weights('a.h5')\n"}
    assert found(stricter)["ranker"].load == Load(), "one that is stricter decides"


def test_models_of_one_file_share_its_calls():
    files = {"nets.py": "", "train.py": "import nets\nnets.one().load_weights('a.h5')\n"}
    habits = found(files, {"one": "nets", "two": "nets"})
    assert habits["one"] == habits["two"] and habits["one"].restores == ("h5",)


def test_without_calls_nothing_is_said():
    habits = found({"nets.py": ""}, {"one": "nets"})
    assert (habits["one"].calls, habits["one"].settings(), habits["one"].load) == ((), [], Load())


WHOLE = "import ranker.net\nfrom keras.models import load_model\n"


def _habit(text):
    files = {"ranker/net.py": "class Scale: pass\n", "train.py": WHOLE + text}
    read = {name: content.encode() for name, content in files.items()}.get
    return load_habits.habits(read, files, {"ranker": "ranker.net"})["ranker"]


def test_whole_models_are_loaded_where_no_call_loads_the_weights_alone():
    loading = "load_model('a.h5', custom_objects={'Scale': ranker.net.Scale}, compile=False)\n"
    habit = _habit(loading)
    assert habit.settings() == [
        'restores = ["h5"]',
        'load = { custom_objects = ["ranker.net:Scale"], compile = false, whole_model = true }',
    ]
    assert habit.unclear == ()
    assert _habit("model.save('a.h5')\n").load.whole_model, "nothing says that it is loaded otherwise"
    assert not _habit("model.save('a.h5')\nmodel.load_weights('a.h5')\n").load.whole_model
    mixed = _habit(f"model.load_weights('a.h5')\n{loading}")
    assert not mixed.load.whole_model and mixed.load.compile
    (told,) = mixed.unclear
    assert told.what == "load_model" and "one promise has one load call" in told.why
