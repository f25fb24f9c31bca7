"""Whatever people and merges make of a manifest: it is read, or an error names the line."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signatures import GOOD, compare_all

from restore_guard.change.repository import Repository
from restore_guard.promise import json_text, manifest, manifest_text, releases
from restore_guard.promise.manifest import Manifest, ManifestError

# Written by `restore-guard update`: a compiled functional model with an own layer, under Keras 3, and changed under
# Keras 2 with the break accepted; a tf.train.Checkpoint; a tf.Graph with a partitioned variable.
FILES = sorted((Path(__file__).parent / "manifests").glob("*.json"))
REAL = {file.stem: file.read_bytes() for file in FILES}
# What no build above has: a container in a container, slots, a configuration that makes another model.
REAL["by-hand"] = manifest.dump(Manifest("by-hand", ("tf-checkpoint", "keras-archive"), GOOD))
DOCUMENTS = {name: json.loads(content) for name, content in REAL.items()}

WRONG = [None, True, 7, -1, 9, 10**40, 1.5, "", "nowhere", [], [[]], [None], ["a", "b"], {}, {"x": None}]


def places(value, place=()):
    """Every place of a document; inside a saved configuration everything is possible, and a few do."""
    if place:
        yield place
    if place[:2] == ("archive", "config") and len(place) > 5:
        return
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield from places(item, (*place, key))


PLACES = {name: list(places(document)) for name, document in DOCUMENTS.items()}


def at(document, place):
    for step in place:
        document = document[step]
    return document


def changed(document, place, wrong):
    document = copy.deepcopy(document)
    at(document, place[:-1])[place[-1]] = wrong
    return document


def text(document):
    """As `restore-guard update` lays it out, where that is still possible."""
    tree = document.get("keras_tree")
    if tree is None or (isinstance(tree, dict) and {"generation", "nests"} <= tree.keys() and _is_section(tree)):
        return manifest_text.lines(document).encode()
    return json.dumps(document, indent=1).encode()


def _is_section(tree):
    return isinstance(tree.get("nodes"), dict | list)


def read(content, name):
    try:
        return manifest.parse(content, f"{name}.json", DOCUMENTS[name]["model"])
    except ManifestError as error:
        assert 1 <= error.line <= content.count(b"\n") + 1
        assert str(error).startswith(f"{name}.json:{error.line}: ")
        return error


def check(name, place, wrong):
    document = changed(DOCUMENTS[name], place, wrong)
    content = text(document)
    found = read(content, name)
    if isinstance(found, Manifest):
        again = manifest.parse(manifest.dump(found), "again.json")
        assert again.signature == found.signature
        compare_all(manifest.parse(REAL[name], f"{name}.json").signature, found.signature)
    else:
        assert found.line > 1, (place, str(found))
        if wrong in (None, {}) and "Expected `" in str(found):
            assert found.line == json_text.line(content, place), (place, str(found))


@pytest.mark.parametrize("name", REAL)
def test_the_real_ones_are_read_and_written_again(name):
    found = manifest.parse(REAL[name], f"{name}.json", DOCUMENTS[name]["model"])
    assert manifest.dump(found) == REAL[name]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_value_exchanged(data):
    name = data.draw(st.sampled_from(sorted(REAL)))
    check(name, data.draw(st.sampled_from(PLACES[name])), data.draw(st.sampled_from(WRONG)))


@pytest.mark.long
@pytest.mark.parametrize("name", REAL)
def test_every_value_exchanged_by_every_other(name):
    for place in PLACES[name]:
        for wrong in WRONG:
            check(name, place, wrong)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_value_that_is_gone_or_there_under_another_key(data):
    name = data.draw(st.sampled_from(sorted(REAL)))
    place = data.draw(st.sampled_from(PLACES[name]))
    document = copy.deepcopy(DOCUMENTS[name])
    around = at(document, place[:-1])
    value = around.pop(place[-1])
    if isinstance(around, dict) and data.draw(st.booleans()):
        around[f"{place[-1]}x"] = value
    read(text(document), name)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_bytes_exchanged(data):
    name = data.draw(st.sampled_from(sorted(REAL)))
    content = bytearray(REAL[name])
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(content) - 1))
        end = min(len(content), begin + data.draw(st.integers(0, 40)))
        content[begin:end] = data.draw(st.binary(max_size=6))
    read(bytes(content), name)


@pytest.mark.parametrize(
    ("place", "wrong", "said"),
    [
        (("object_graph", "a"), None, "object_graph.a: Expected `object`, got `null`"),
        (("object_graph", "", "children", 0), [], 'object_graph[""].children[0]: Expected `array` of length 2, got 0'),
        (("keras_tree", "nodes"), [], "keras_tree.nodes: Expected `object`, got `array`"),
        (("keras_tree", "nodes"), {}, "keras_tree: a Keras tree has at least its model"),
        (("keras_tree", "generation"), 9, "keras_tree.generation: Invalid enum value 9"),
        (("variables", 0, "shape"), [-4], "variables[0].shape[0]: Expected `int` >= 0"),
        (("variables", 0, "path"), "a/bias", "variables: two variables have the same path"),
        (("epoch",), 0, "epoch: Expected `int` >= 1"),
        (("restores", 0), "magic", "restores[0]: Invalid enum value 'magic'"),
        (("h5_file", "a", "variables", 0), "nowhere", "h5_file.a: 'nowhere' is referred to but does not exist"),
        (("saver_file", "entries", 1, "offset"), "x", "saver_file.entries[1].offset: Expected `array`, got `str`"),
        (("unknown",), 1, "unknown: Object contains unknown field `unknown`"),
        (("model",), "other", "model: it is the manifest of other, not of by-hand"),
        (("history",), [{"epoch": 5, "reason": "r", "broken": {}}], "history[0]: the epochs do not follow one another"),
        (("archive", "revival", "signature", "keras_tree"), None, "archive.revival: "),
    ],
)
def test_the_words(place, wrong, said):
    found = read(text(changed(DOCUMENTS["by-hand"], place, wrong)), "by-hand")
    assert f": {said}" in str(found), str(found)
    assert str(found).endswith("restore the committed file, then run it.")


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b'{"a": 1,\n "a": 2}', 2, "'a' is there twice"),
        (b'{"a": {"b": [{}, {"c": 1,\n\n "c": 1}]}}', 3, "'c' is there twice"),
        (b'{"a":\n NaN}', 1, "a number that cannot be read: NaN"),
        (b'{"a": ' + b"9" * 5000 + b"}", 1, "a number that cannot be read"),
        (b'{"a":\n\n "\\ud800"}', 3, "half of a character"),
        (b'{"a":\n "\xff"}', 2, "not UTF-8"),
        (b'{"a":\n 1 2}', 2, "not JSON"),
        (b'{"a": ' * 5000 + b"1" + b"}" * 5000, 1, "nested too deeply"),
        (
            b'{"schema": 1, "variables": ' + b"[" * 900 + b"]" * 900 + b"}",
            1,
            "variables[0]: Expected `object`, got `array`",
        ),
    ],
)
def test_what_cannot_be_decoded(content, line, said):
    with pytest.raises(ManifestError) as raised:
        manifest.parse(content, "m.json")
    assert (raised.value.line, said in str(raised.value)) == (line, True), str(raised.value)


def test_an_object_that_is_named_like_another_is_kept():
    """A container's key may look like the name that an object without a path gets."""
    document = copy.deepcopy(DOCUMENTS["by-hand"])
    document["object_graph"]["#4"] = {"type": "Dense"}
    document["object_graph"]["x"] = {"type": "Dense"}
    document["object_graph"][""]["children"].append(["#3", "x"])
    found = manifest.parse(json.dumps(document).encode(), "m.json")
    assert manifest.parse(manifest.dump(found), "m.json").signature == found.signature


def test_a_broken_manifest_at_a_release_costs_that_release_alone(make_repository):
    project = make_repository(files={"restore-manifest/checkpoint.json": REAL["checkpoint"].decode()})
    project.git("tag", "v1")
    broken = changed(DOCUMENTS["checkpoint"], ("object_graph", "step"), None)
    project.commit({"restore-manifest/checkpoint.json": text(broken).decode()})
    project.git("tag", "v2")
    other = changed(DOCUMENTS["checkpoint"], ("model",), "other")
    project.commit({"restore-manifest/checkpoint.json": text(other).decode()})
    project.git("tag", "v3")
    with Repository(project.root) as repository:
        found = releases.read(repository, ["v*"], ["checkpoint"])
    assert [release.tags for release in found.promises["checkpoint"]] == [("v1",)]
    about_v2, about_v3 = found.unread["checkpoint"]
    assert "v2: checkpoint.json:" in about_v2 and "object_graph.step: Expected `object`, got `null`" in about_v2
    assert "v3: checkpoint.json:3: model: it is the manifest of other, not of checkpoint" in about_v3
