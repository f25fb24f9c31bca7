"""How many builds run at once: what the process may use."""

import os

import pytest

from restore_guard.building import processors


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """`groups(own, {file: content})`: control groups as the kernel shows them; eight processors."""

    def make(own, files):
        (tmp_path / "cgroup").write_text(own)
        for name, content in files.items():
            (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "fs" / name).write_text(content)
        monkeypatch.setattr(processors, "_OWN", tmp_path / "cgroup")
        monkeypatch.setattr(processors, "_ROOT", tmp_path / "fs")
        monkeypatch.setattr(processors.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
        monkeypatch.setattr(processors.os, "process_cpu_count", lambda: 8, raising=False)
        return processors.count()

    return make


@pytest.mark.parametrize(
    ("own", "files", "count"),
    [
        ("0::/\n", {}, 8),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "250000 100000\n"}, 2),
        ("0::/a/b\n", {"a/cpu.max": "300000 100000\n", "a/b/cpu.max": "max 100000\n"}, 3),
        ("0::/a/b\n", {"a/cpu.max": "300000 100000\n", "a/b/cpu.max": "50000 100000\n"}, 1),
        # A container that sees the host's path and has its own group at the top.
        ("0::/docker/1f\n", {"cpu.max": "400000 100000\n"}, 4),
        ("4:cpu,cpuacct:/x\n3:m:/y\n", {"cpu/x/cpu.cfs_quota_us": "200000", "cpu/x/cpu.cfs_period_us": "100000"}, 2),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "junk", "cpu/cpu.cfs_period_us": "0"}, 8),
    ],
)
def test_control_groups(groups, own, files, count):
    assert groups(own, files) == count


def test_here():
    assert 1 <= processors.count() <= os.cpu_count()
