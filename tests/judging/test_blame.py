"""The line behind a change, without a build."""

import msgspec
from signatures import module

from restore_guard.change.diffs import Diff, FileDiff, Place
from restore_guard.judging.blame import Blame, BlameQuery, Clues
from restore_guard.plain_data import Frame

BASE = """\
SIZE = 3


class Store:
    def load_own_variables(self, store):
        self.a.assign(store["0"])


def make(size, bias=True):
    return Dense(size, bias)


def build():
    return make(SIZE)
"""


def blame(head, base=BASE):
    signature = module(a=(2,))
    return Blame(signature, signature, Diff({"m.py": FileDiff("m.py", base, head)}))


def line(found):
    return found.place.line if found is not None else None


FRAMES = ((0.0, (Frame("m.py", 10), Frame("m.py", 14))),)


def test_a_constant_that_an_argument_is():
    assert line(blame(BASE.replace("SIZE = 3", "SIZE = 4")).line(BlameQuery(FRAMES, ()))) == 1


def test_a_default_that_no_caller_names():
    assert line(blame(BASE.replace("bias=True", "bias=False")).line(BlameQuery(FRAMES, ()))) == 9


def test_the_call_of_a_helper():
    assert line(blame(BASE.replace("make(SIZE)", "make(SIZE + 1)")).line(BlameQuery(FRAMES, ()))) == 14


def test_of_two_lines_the_one_that_shows_the_size():
    both = blame(BASE.replace("bias=True", "bias=False").replace("SIZE = 3", "SIZE = 4"))
    assert line(both.line(BlameQuery(FRAMES, (), Clues(sizes=frozenset({(3, 4)}))))) == 1


def test_a_comment_is_never_blamed():
    assert blame(BASE.replace("SIZE = 3", "SIZE = 3  # three")).line(BlameQuery(FRAMES, ())) is None


def test_a_setting_for_all_is_the_only_edit_of_what_is_read():
    def found(read=("m.py", "settings.py"), framework=None, **edited):
        files = {f"{name}.py": FileDiff(f"{name}.py", *texts) for name, texts in edited.items()}
        made = msgspec.structs.replace(module(a=(2,)), sources=read)
        head = msgspec.structs.replace(made, framework=framework or made.framework)
        return Blame(made, head, Diff(files)).line(BlameQuery(FRAMES, ()))

    policy = ("import keras\n", 'import keras\n\nkeras.mixed_precision.set_global_policy("mixed_float16")\n')
    assert found(settings=policy).place == Place("settings.py", 3)
    assert found(settings=policy, other=("A = 1\n", "A = 2\n")).place == Place("settings.py", 3)
    assert found(settings=policy, other=("A = 1\n", "A = 2\n"), read=("m.py", "settings.py", "other.py")) is None
    assert found(settings=policy, read=("m.py",)) is None, "no build reads it"
    assert found(settings=policy, framework={"tensorflow": "2.99.0"}) is None, "or another version did it"
    assert found(settings=("import keras\n", "import keras  # policy\n")) is None


def test_what_only_a_method_of_storing_can_have_done():
    found = blame(BASE.replace('"0"', '"1"')).within(["load_own_variables"])
    assert found.place == Place("m.py", 6)
    assert blame(BASE.replace("SIZE = 3", "SIZE = 4")).within(["load_own_variables"]) is None
