"""What might mend a line, made from the source alone."""

import pytest

from restore_guard.judging.repairs import Repair, repairs
from restore_guard.result import Finding

MODEL = """\
class Net(keras.Model):
    def __init__(self, units=8):
        super().__init__()
        self.first = Dense(units, name="a")
        self.last = Dense(
            2,
        )

    def call(self, x):
        return self.last(self.first(x))


def build():
    return Net()
"""


def found(head, line, *, rule="variable-renamed", old=None, new=None):
    finding = Finding(rule, "error", "net.py", line, "", ("tf-checkpoint",), old, new)
    return [repair.apply(head) for repair in repairs(finding, MODEL, head, [("net.py", head)])]


def changed(*pairs):
    text = MODEL
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def test_the_old_attribute_beside_the_new_one_or_in_its_place():
    head = changed(("self.last", "self.ende"))
    beside, back = found(head, 5, old="last/kernel", new="ende/kernel")
    assert beside == head.replace("self.ende = Dense(", "self.last = self.ende = Dense(")
    assert back == MODEL


def test_no_old_name_that_is_used_for_another():
    head = changed(("self.last", "self.ende"), ("self.first", "self.last"))
    repairs = found(head, 5, old="last/kernel", new="ende/kernel")
    assert all("self.last = self.ende" in text for text in repairs)


def test_a_renamed_layer_and_lines_in_another_order():
    head = changed(('name="a"', 'name="b"'))
    assert found(head, 4) == [MODEL]
    first, last = (
        '        self.first = Dense(units, name="a")\n',
        "        self.last = Dense(\n            2,\n        )\n",
    )
    assert found(changed((first + last, last + first)), 4, rule="variable-misplaced")[-1] == MODEL


def test_an_old_default_is_given_at_the_only_call():
    head = changed(("units=8", "units=16"))
    assert found(head, 2, rule="shape-changed") == [head.replace("return Net()", "return Net(units=8)")]
    assert found(head.replace("Net()", "Net(16)"), 2, rule="shape-changed") == []
    assert found(head.replace("return Net()", "return [Net(), Net()]"), 2, rule="shape-changed") == []


@pytest.mark.parametrize("head", ["def (", "", "x = 1\n"])
def test_nothing_where_there_is_nothing(head):
    assert found(head, 1, old="a/kernel", new="b/kernel") == []


def test_line_ends_stay():
    text = "a = 1\r\nb = 2\r\nc = 3\r\n"
    assert Repair("f", 2, 2, ("b = 4", "b = 5")).apply(text) == "a = 1\r\nb = 4\r\nb = 5\r\nc = 3\r\n"
