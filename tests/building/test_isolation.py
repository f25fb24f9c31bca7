"""What goes into a build, and what of its answer is believed."""

import io
import json
import sys

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signatures import GOOD, compare_all, module

from restore_guard.building import isolation
from restore_guard.signature import Signature


def test_environment():
    seen = isolation.environment({"PATH": "/bin", "TF_CPP_MIN_LOG_LEVEL": "0", "HF_TOKEN": "x", "PYTHONHOME": "/x"})
    assert (seen["PATH"], seen["PYTHONHASHSEED"], seen["TF_CPP_MIN_LOG_LEVEL"]) == ("/bin", "0", "3")
    assert seen.keys().isdisjoint({"HF_TOKEN", "PYTHONHOME"})


def test_a_line_that_is_too_long_ends_the_conversation(monkeypatch):
    monkeypatch.setattr(isolation, "LONGEST", 8)
    stream = io.BytesIO(b"1234567\nshort\n123456789\nafter\n")
    assert list(isolation.lines(stream)) == [b"1234567\n", b"short\n"]


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"Hello\n", b"[]\n", b"7", b"[" * 10**6, b'{"a":' * 10**6, b"\xff\n", b'{"id": ["x"]}', b'{"id": "x'),
        b'{"ready": {"tensorflow": 2}}',
    ],
)
def test_what_is_no_message_says_nothing(line):
    assert isolation.decode(line) == isolation.Message()


@pytest.mark.parametrize(
    "rest",
    [
        *(
            b', "result": NaN}',
            b', "result": [Infinity]}',
            b', "result": "\\ud800"}',
            b', "result": "\xff"}',
            b', "resu',
        ),
        b', "result": ' + b"[" * 10**5,
    ],
)
def test_an_answer_that_cannot_be_decoded_is_a_failure_of_its_job(rest):
    message = isolation.decode(b'{"id": "head:\\"m"' + rest)
    assert (message.id, message.result) == ('head:"m', None)
    assert message.failure.startswith("the build's answer cannot be read: ")


@pytest.mark.parametrize(
    "more", ['"strategy": "magic"', '"seconds": "x"', '"failure": 7', '"detail": null', '"because": []', '"error": {}']
)
def test_an_answer_that_cannot_be_read_is_a_failure_of_its_job(more):
    """Nobody waits for another one."""
    message = isolation.decode(f'{{"id": "head:m", "result": {{}}, {more}}}'.encode())
    assert (message.id, message.result) == ("head:m", None)
    assert message.failure.startswith("the build's answer cannot be read: ")


def plain(signature):
    return json.loads(msgspec.json.encode(signature))


def nested(depth):
    item = 1
    for _ in range(depth):
        item = [["list", item]]
    return item


def chain(length):
    """Layers in one another."""
    nodes = [{"type": "L", "role": "layer", "children": [["l", number + 1]]} for number in range(length)]
    return {"generation": 3, "nests": True, "nodes": [*nodes, {"type": "L", "role": "layer"}]}


def mutated(*keys, to):
    """The good signature with one value exchanged."""
    answer = plain(GOOD)
    place = answer
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return answer


@pytest.mark.parametrize(
    "answer",
    [
        *(None, [], {}, "x", 7, {"framework": {}}),
        mutated("variables", to={}),
        mutated("variables", 0, "shape", to=["wide"]),
        mutated("variables", 0, "path", to=None),
        mutated("variables", 0, "path", to="a/bias"),
        mutated("variables", 0, "unknown", to=1),
        mutated("object_graph", "nodes", to=[]),
        mutated("object_graph", "nodes", 3, "variable", to=3),
        mutated("object_graph", "nodes", 3, "variable", to=-1),
        mutated("object_graph", "nodes", 3, "variable", to=10**40),
        mutated("object_graph", "nodes", 0, "children", 0, to=["a", 99]),
        mutated("object_graph", "nodes", 2, "slots", 0, to=["m", 3, -2]),
        mutated("keras_tree", "nodes", to=[]),
        mutated("keras_tree", "nodes", 0, "children", to=nested(5000)),
        mutated("keras_tree", "nodes", 0, "children", to=nested(150)),
        mutated("keras_tree", "nodes", 0, "children", to=[["layers", 3]]),
        mutated("keras_tree", "nodes", 0, "children", to=[["layers"]]),
        mutated("keras_tree", to=chain(3000)),
        mutated("h5_file", "layers", 0, "variables", to=[7]),
    ],
)
def test_a_hostile_answer_is_refused(answer):
    with pytest.raises(ValueError):
        isolation.checked(answer, Signature)


@pytest.mark.parametrize(
    "answer",
    [
        mutated("variables", 0, "shape", to=[10**18] * 30),
        mutated("holders", 0, "calls", to=2**60),
        mutated("variables", 0, "site", to=["../../etc/passwd", -(2**60), 2**60]),
        mutated("keras_tree", "nodes", 0, "children", to=[["self", 0], ["layers", 1]]),
        mutated("keras_tree", "nodes", 0, "children", to=[["deep", nested(40)]]),
        mutated("keras_tree", to=chain(90)),
        mutated("object_graph", "nodes", 0, "children", to=[["self", 0], ["", 0], ["a", 1], ["a", 2]]),
        mutated("aliases", to=[["a", "a"], ["c", "d"], ["d", "c"]]),
    ],
)
def test_what_is_odd_but_sound_is_compared(answer):
    compare_all(GOOD, isolation.checked(answer, Signature))


junk = st.one_of(
    *(st.none(), st.booleans(), st.integers(-2, 7), st.sampled_from(["", "a", "a/kernel", "layer", "stateless"])),
    st.lists(st.integers(0, 6), max_size=3),
    st.builds(lambda: [["a", 1], ["b", [["c", 2], ["c", None]]]]),
)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_whatever_a_build_returns_ends_as_a_comparison_or_a_refusal(data):
    answer = plain(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        place = answer
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
                place[key] = data.draw(junk)
                break
            place = place[key]
    try:
        head = isolation.checked(answer, Signature)
    except ValueError:
        return
    compare_all(GOOD, head)


def test_the_good_one_is_good():
    assert sys.getrecursionlimit() <= 1000, "the depths above are chosen for Python's own limit"
    assert isolation.checked(plain(GOOD), Signature) == GOOD
    compare_all(GOOD, module(kernel=(2,)))
