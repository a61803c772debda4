"""What processes take, read from a /proc: here from one put together, and from this machine's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.kernel.cells.usage import Usage, is_at_work, proportional_bytes, read_usage

PAGE, TICK = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


def process(proc: Path, pid: int, *, ticks: tuple[int, int, int, int], pages: int) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    # A name may have anything in it, brackets too: proc(5).
    before = f"{pid} (a) b) S " + " ".join(["7"] * 10)
    between = " ".join(["7"] * 6)
    numbers = " ".join(map(str, ticks))
    (folder / "stat").write_text(f"{before} {numbers} {between} {pages} 9 9\n")


@pytest.fixture
def proc(tmp_path: Path) -> int:
    process(tmp_path, 1, ticks=(500, 500, TICK, TICK), pages=1000)
    process(tmp_path, 2, ticks=(TICK, 2 * TICK, 3 * TICK, 4 * TICK), pages=10)
    process(tmp_path, 30, ticks=(0, TICK, 0, 0), pages=5)
    (tmp_path / "40").mkdir()  # it has ended meanwhile
    (tmp_path / "self").mkdir()
    return os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)


def test_it_is_that_of_all_and_what_the_init_has_waited_for(proc: int) -> None:
    assert read_usage(proc) == Usage(2 + 10 + 1, 15 * PAGE, 2)
    os.close(proc)


def test_what_is_shared_counts_once(tmp_path: Path, proc: int) -> None:
    for pid, text in ((1, "Pss: 900 kB"), (2, "Rss: 8 kB\nPss:    5 kB"), (30, "Pss: 6 kB")):
        (tmp_path / str(pid) / "smaps_rollup").write_text(f"0-1 ---p 0 0 [rollup]\n{text}\n")
    assert proportional_bytes(proc) == 11 * 1024
    os.close(proc)


def test_who_runs_or_could_is_at_work(tmp_path: Path, proc: int) -> None:
    """Any of its threads; the init, and who is gone, are none of the program's."""
    for pid, states in ((1, "R"), (2, "SD"), (30, "SSZ")):
        for number, state in enumerate(states):
            task = tmp_path / str(pid) / "task" / str(pid + number)
            task.mkdir(parents=True)
            (task / "stat").write_text(f"{pid} (R) R) {state} 1 1\n")
    assert not is_at_work(proc)
    (tmp_path / "30/task/31/stat").write_text("30 (x) R 1 1\n")
    assert is_at_work(proc)
    os.close(proc)


def test_the_kernel_writes_it_so() -> None:
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    usage = read_usage(proc)
    os.close(proc)
    assert usage.processes >= 1 and usage.resident_bytes > 1 << 20 and usage.cpu_s > 0
