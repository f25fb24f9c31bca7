"""How much memory is left, and what builds do that together need more than that."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from restore_guard import probe
from restore_guard.probe.serving import memory

GB = 1 << 30
MEMINFO = f"MemTotal: {8 * GB // 1024} kB\nMemFree: 1 kB\nMemAvailable: {4 * GB // 1024} kB\n"


@pytest.fixture
def system(tmp_path, monkeypatch):
    """`system(own, {file: content}, meminfo)`: control groups and memory as the kernel shows them."""

    def make(own="0::/\n", files=(), meminfo=MEMINFO):
        for name, content in {"cgroup": own, "meminfo": meminfo, **dict(files)}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        monkeypatch.setattr(memory, "_ROOT", str(tmp_path))
        monkeypatch.setattr(memory, "_OWN", str(tmp_path / "cgroup"))
        monkeypatch.setattr(memory, "_MACHINE", str(tmp_path / "meminfo"))
        return [(left / GB, limit / GB) for left, limit in memory._places()], memory.is_low()

    return make


def _group(folder, limit, used, spare=0, version=2):
    names = ("memory.max", "memory.current") if version == 2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    stat = f"{'' if version == 2 else 'total_'}inactive_file {spare}\n"
    return {f"{folder}/{names[0]}": f"{limit}\n", f"{folder}/{names[1]}": f"{used}\n", f"{folder}/memory.stat": stat}


def test_what_is_left(system):
    machine = (4, 8)
    assert system() == ([machine], False)
    assert system(meminfo=MEMINFO.replace(str(4 * GB // 1024), str(GB // 2048))) == ([(0.5, 8)], True)
    assert system("0::/a/b\n", _group("a", 4 * GB, 3 * GB)) == ([machine, (1, 4)], False)
    assert system("0::/a/b\n", _group("a", "max", 3 * GB)) == ([machine], False)
    assert system("0::/a/b\n", _group("a/b", 2 * GB, 2 * GB)) == ([machine, (0, 2)], True)
    assert system("0::/a/b\n", _group("a/b", 2 * GB, 2 * GB, GB)) == ([machine, (1, 2)], False)
    first = _group("memory/x", 2 * GB, 2 * GB, version=1)
    assert system("9:cpu:/y\n4:memory:/x\n", first) == ([machine, (0, 2)], True)
    assert system("4:memory:/x\n", _group("memory/x", 9223372036854771712, GB, version=1)) == ([machine], False)
    # Of a large machine a tenth is more than builds need.
    assert system("0::/c\n", _group("c", 100 * GB, 98 * GB))[1] is False


def test_a_system_that_does_not_tell(system, tmp_path):
    assert system(meminfo="") == ([], False)
    assert system("nonsense", {}, "junk") == ([], False)


def test_here():
    assert all(0 <= left <= limit for left, limit in memory._places())


# --- builds that use real memory, in a control group that is played ----------------------------------------------

PROBE = Path(probe.__file__).parent
SERVER = f"""
import os, runpy, sys, time, types
runpy.run_path({str(PROBE / "__main__.py")!r})["load"]()
from restore_guard_probe.serving import memory, server

def build(job):
    held = bytearray(b"x") * (job["megabytes"] << 20)
    time.sleep(job["seconds"])
    return {{"pid": os.getpid(), "held": len(held)}}

tasks = types.ModuleType("restore_guard_probe.tasks")
tasks.TASKS, tasks.attempts = {{"build": build}}, lambda job: ["eager"]
sys.modules["restore_guard_probe.tasks"] = sys.modules["restore_guard_probe"].tasks = tasks
server.import_tensorflow = lambda: None
memory._ROOT, memory._OWN, memory._MACHINE = sys.argv[1], sys.argv[1] + "/cgroup", "/nowhere"
sys.exit(server.main())
"""


class Group:
    """A control group of a process and its children: tells what they use, and ends the largest above its limit.

    Args:
        at_once: how many it ends.
    """

    def __init__(self, folder, limit, at_once):
        self.folder, self.limit, self.at_once, self.most, self.ended = folder, limit, at_once, 0, 0
        (folder / "cgroup").write_text("0::/\n")
        (folder / "memory.max").write_text(str(limit))
        (folder / "memory.stat").write_text("inactive_file 0\n")
        self.tell(0)

    def tell(self, used):
        (self.folder / "new").write_text(str(used))
        os.replace(self.folder / "new", self.folder / "memory.current")

    def watch(self, pid, over):
        while not over.is_set():
            used = {child: _private(child) for child in _children(pid)}
            self.most = max(self.most, len([size for size in used.values() if size > self.limit / 4]))
            if sum(used.values()) > self.limit:
                for child in sorted(used, key=used.get)[-self.at_once :]:
                    os.kill(child, signal.SIGKILL)
                    self.ended += 1
            self.tell(min(self.limit, sum(used.values())))
            time.sleep(0.005)


def _children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _private(pid):
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0
    return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read on Linux only")
@pytest.mark.parametrize(("megabytes", "at_once"), [(20, 1), (200, 1), (200, 8)])
def test_builds_that_need_too_much_together_run_one_after_the_other(tmp_path, megabytes, at_once):
    group, over = Group(tmp_path, 400 << 20, at_once), threading.Event()
    jobs = [
        {"id": str(number), "task": "build", "root": str(tmp_path), "environ": {}, "timeout": 60}
        | {"megabytes": megabytes, "seconds": 0.3}
        for number in range(8)
    ]
    command = [sys.executable, "-c", SERVER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        watcher = threading.Thread(target=group.watch, args=(server.pid, over))
        watcher.start()
        server.stdin.write(json.dumps({"jobs": jobs, "parallel": 8, "seal": "x"}).encode() + b"\n")
        server.stdin.flush()
        answers = {}
        for line in server.stdout:
            message = json.loads(line)
            answers |= {message["id"]: message} if "id" in message else {}
            if message.get("answered"):
                break
        over.set()
        watcher.join()
        server.stdin.close()
    assert {number: answer["result"]["held"] for number, answer in answers.items()} == {
        str(number): megabytes << 20 for number in range(8)
    }
    if megabytes == 20:
        assert len({answer["result"]["pid"] for answer in answers.values()}) == 8 and group.ended == 0
