"""The manifest as a file: what is written is read again, and what is damaged is named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signatures import graph, model, module, variable

from restore_guard.plain_data import Site
from restore_guard.promise import excerpts, manifest
from restore_guard.promise.manifest import Accepted, Broken, Manifest, ManifestError
from restore_guard.signature import GraphNode, H5File, H5Layer, ObjectGraph, Reads, Signature

SMALL = Manifest("ranker", ("tf-checkpoint",), module(a=(2,), b=(3,)))


def test_one_variable_a_line():
    text = manifest.dump(SMALL).decode()
    assert '    {"path": "a", "shape": [2], "dtype": "float32", "trainable": true},\n' in text
    assert text.endswith("}\n") and "\r" not in text


def test_an_inserted_variable_changes_only_its_own_lines():
    before = manifest.dump(SMALL).decode().splitlines()
    after = manifest.dump(Manifest("ranker", ("tf-checkpoint",), module(a=(2,), n=(5,), b=(3,)))).decode().splitlines()
    assert [line for line in before if line not in after] == [
        '    "": {"type": "Module", "children": ["a", "b"]},',
    ]


def test_lines_of_source_are_not_kept():
    signature = Signature(
        framework={},
        variables=(variable("a", site=Site("model.py", 7, 0)),),
        object_graph=graph(("Module", None, {})),
    )
    assert b"model.py" not in manifest.dump(Manifest("m", (), signature))


def test_history_is_kept():
    entry = Accepted(2, "we retrain", {"tf-checkpoint": Broken("partial", initial=("c",), unused=("b",))})
    kept = manifest.parse(manifest.dump(Manifest("m", (), module(a=(2,)), 2, (entry,))), "m.json")
    assert (kept.epoch, kept.history) == (2, (entry,))


def test_a_merge_conflict_is_named_with_its_line():
    lines = manifest.dump(SMALL).decode().splitlines()
    lines[3:3] = ["<<<<<<< HEAD"]
    with pytest.raises(ManifestError, match=r"^m\.json:4: a merge conflict is not resolved"):
        manifest.parse("\n".join(lines).encode(), "m.json")


def line_of(content, text):
    return next(number for number, line in enumerate(content.splitlines(), 1) if text in line)


def test_a_wrong_value_is_named_with_its_line():
    content = manifest.dump(SMALL).decode().replace('"shape": [3]', '"shape": "three"')
    with pytest.raises(ManifestError) as raised:
        manifest.parse(content.encode(), "m.json")
    assert raised.value.line == line_of(content, '"three"')


def test_broken_json_is_named_with_its_line():
    content = manifest.dump(SMALL).decode().replace('"dtype": "float32", "trainable": true}\n', '"dtype"}\n')
    with pytest.raises(ManifestError) as raised:
        manifest.parse(content.encode(), "m.json")
    assert raised.value.line == line_of(content, '"dtype"}')


def test_a_name_that_does_not_exist_is_named():
    content = manifest.dump(SMALL).decode().replace('"variable": "b"', '"variable": "bb"')
    with pytest.raises(ManifestError, match="'bb' is referred to but does not exist"):
        manifest.parse(content.encode(), "m.json")


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"schema": 99}', b'"text"', b"{" * 200])
def test_foreign_content_is_refused(content):
    with pytest.raises(ManifestError):
        manifest.parse(content, "m.json")


def test_a_later_schema_says_so():
    document = json.loads(manifest.dump(SMALL)) | {"schema": 2}
    with pytest.raises(ManifestError, match="another version of restore-guard"):
        manifest.parse(json.dumps(document).encode(), "m.json")


def test_write_tells_whether_anything_changed(tmp_path):
    path = tmp_path / "restore-manifest" / "ranker.json"
    assert manifest.write(path, SMALL) is True
    assert manifest.write(path, SMALL) is False
    assert [file.name for file in path.parent.iterdir()] == ["ranker.json"]


def test_what_a_build_depends_on_is_read_even_where_the_rest_is_broken():
    known = {"schema": 1, "model": "m", "sources": ["a.py"], "folders": ["plugins"], "variables": 3}
    found = excerpts.trace(json.dumps(known).encode(), "m")
    assert (found.sources, found.folders, found.opaque) == (("a.py",), ("plugins",), ())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<<<<<<<", "cannot be read"),
        (b"{}", "cannot be read"),
        (b'{"schema": 2, "model": "m"}', "cannot be read"),
        (b'{"schema": 1, "model": "other"}', "is of other"),
    ],
)
def test_of_a_manifest_that_says_nothing_nothing_is_known(content, why):
    assert excerpts.trace(content, "m") == Reads(opaque=(f"its manifest {why}",))


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)


@st.composite
def signatures(draw):
    paths = draw(st.lists(names, unique=True, min_size=1, max_size=5))
    count = draw(st.integers(1, 6))
    number = st.integers(0, count - 1)
    positions = st.integers(0, len(paths) - 1)
    nodes = [
        GraphNode(
            draw(names),
            draw(st.none() | positions),
            tuple(draw(st.lists(st.tuples(names, number), max_size=3, unique_by=lambda edge: edge[0]))),
            tuple(draw(st.lists(st.tuples(names, number, number), max_size=slotted))),
            "making" if slotted else None,
        )
        for slotted in draw(st.lists(st.booleans(), min_size=count, max_size=count))
    ]
    generation = draw(st.sampled_from([2, 3]))
    nested = st.recursive(
        st.none() | number, lambda inner: st.lists(st.tuples(names, inner), max_size=3).map(tuple), max_leaves=5
    )
    flat = number | st.lists(st.tuples(names, number), max_size=3).map(tuple)
    items = nested if generation == 3 else flat  # Keras 2 walks no container in another
    nodes_of_tree = [
        (
            draw(names),
            draw(st.sampled_from(["layer", "optimizer", "custom"])),
            draw(st.lists(positions, max_size=2)),
            [
                (draw(names), draw(items.filter(lambda target: target is not None)))
                for _ in range(draw(st.integers(0, 2)))
            ],
        )
        for _ in range(count)
    ]
    listed = [variable(path, draw(st.none() | st.just((None, 3)))) for path in paths]
    keras = model(generation, listed, *nodes_of_tree)
    return Signature(
        framework={"tensorflow": "2.21.0"},
        variables=tuple(listed),
        object_graph=ObjectGraph(tuple(nodes)),
        aliases=tuple(draw(st.lists(st.tuples(names, names), max_size=2))),
        keras_tree=draw(st.sampled_from([None, keras.keras_tree])),
        h5_file=draw(st.none() | st.just(H5File((H5Layer("dense", "Dense", tuple(range(len(paths)))),)))),
        sources=tuple(draw(st.lists(names, max_size=2))),
        looked_for=tuple(draw(st.lists(names, max_size=2))),
        folders=tuple(draw(st.lists(names, max_size=2))),
        opaque=tuple(draw(st.lists(names, max_size=2))),
    )


@given(signatures())
def test_what_is_written_is_read_again(signature):
    written = manifest.dump(Manifest("m", ("tf-checkpoint",), signature))
    read = manifest.parse(written, "m.json")
    assert read.signature == signature
    assert manifest.dump(read) == written
