"""A build that depends on what another model's builder writes is no build of its commit."""

from restore_guard.build import Trace
from restore_guard.building.crossing import crossed

WRITER = Trace(written=("data/words.txt",))


def test_what_reads_looks_for_or_lists_what_another_writes_is_told():
    for reader in (
        Trace(files=("data/words.txt",)),
        Trace(modules=("data/words.txt",)),
        Trace(missing=("data/words.txt",)),
        Trace(present=("data/words.txt",)),
        Trace(folders=("data",)),
    ):
        found = crossed({"reader": reader, "writer": WRITER})
        assert found.keys() == {"reader"}
        assert "data/words.txt" in found["reader"]
        assert "writer" in found["reader"]


def test_a_file_of_its_own_or_of_all_is_no_others():
    both = Trace(missing=("data/words.txt",), written=("data/words.txt",))
    assert crossed({"one": both, "other": both}) == {}
    assert crossed({"one": both}) == {}
    assert crossed({"one": Trace(files=("other.txt",)), "writer": WRITER}) == {}
