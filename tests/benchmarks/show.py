"""`wirelab show` of large captures, against tshark and tcpdump in the same run.

Each command reads the same file, made by show_file.py, and takes its turn, so that a noisy moment
hits all. Arguments: how many frames; 1,000 to 1,000,000 by default. Memory is the most that a
command held resident; processor time, in brackets, counts its children too.
"""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

FRAMES = (1_000, 10_000, 100_000, 1_000_000)
REPEATS = 3
LIMIT_RATIO, LIMIT_MB, LIMIT_FIRST_S = 0.25, 500, 1.0
WIRELAB = str(Path(sys.executable).parent / "wirelab")
FIELDS = (
    "frame.number", "frame.time_epoch", "frame.len", "ip.src", "ip.dst", "tcp.stream",
    "tcp.srcport", "tcp.dstport", "tcp.seq", "tcp.ack", "tcp.flags", "tcp.len", "tcp.window_size",
    "tcp.analysis.retransmission", "tcp.analysis.out_of_order", "tcp.analysis.duplicate_ack",
    "tcp.analysis.zero_window",
)  # fmt: skip


class Cost(NamedTuple):
    """What a command cost."""

    first_s: float
    """Until its first line."""
    elapsed_s: float
    processor_s: float
    peak_mb: float


def commands(path: str) -> dict[str, list[str]]:
    """By name, what reads the file."""
    fields = [word for name in FIELDS for word in ("-e", name)]
    return {
        "wirelab show": [WIRELAB, "show", path],
        "tshark -T fields": ["tshark", "-n", "-r", path, "-T", "fields", *fields],
        "tshark -z conv,tcp": ["tshark", "-n", "-q", "-r", path, "-z", "conv,tcp"],
        "tcpdump -nn": ["tcpdump", "-nn", "-r", path],
    }


def cost(words: list[str]) -> Cost:
    """What a command costs, whose output is read and thrown away. Raises CalledProcessError."""
    began = time.perf_counter()
    first = None
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select():
            data = os.read(process.stdout.fileno(), 1 << 20)
            if not data:
                break
            first = first or (time.perf_counter() if b"\n" in data else None)
    _, status, usage = os.wait4(process.pid, 0)
    ended = time.perf_counter()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return Cost(
        (first or ended) - began,
        ended - began,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1e3,
    )


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or FRAMES
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            path = Path(folder) / f"{count}.pcap"
            _make(path, count)
            print(f"{count:,} frames, {path.stat().st_size / 1e6:,.1f} MB")
            _compare(commands(str(path)), count)
            path.unlink()


def _make(path: Path, count: int) -> None:
    """Write the file, in a process of its own.

    What a command is said to have held is never less than what its parent held when it began.
    """
    code = "import pathlib, sys; from tests.benchmarks.show_file import write_capture; "
    code += "write_capture(pathlib.Path(sys.argv[1]), int(sys.argv[2]))"
    subprocess.run([sys.executable, "-c", code, str(path), str(count)], check=True)


def _compare(words: dict[str, list[str]], count: int) -> None:
    missing = [name for name, each in words.items() if shutil.which(each[0]) is None]
    costs: dict[str, list[Cost]] = {name: [] for name in words if name not in missing}
    for _ in range(REPEATS):
        for name in costs:
            costs[name].append(cost(words[name]))
    middle = {
        name: Cost(*(median(column) for column in zip(*each, strict=True)))
        for name, each in costs.items()
    }
    for name, each in middle.items():
        print(
            f"  {name:<20} {each.elapsed_s:7.2f} s [{each.processor_s:6.2f} s]  first line "
            f"{each.first_s:5.2f} s  {each.peak_mb:6.0f} MB",
            flush=True,
        )
    for name in missing:
        print(f"  {name:<20} skipped: it is not installed")
    ours = middle["wirelab show"]
    for name, each in middle.items():
        if each is ours:
            continue
        is_limited = name == "tshark -T fields" and count == FRAMES[-1]
        limit = f" (at most {LIMIT_RATIO:g})" if is_limited else ""
        elapsed, processor = ours.elapsed_s / each.elapsed_s, ours.processor_s / each.processor_s
        print(f"  wirelab / {name}: {elapsed:.2f} [{processor:.2f}]{limit}")
    print(f"  at most {LIMIT_MB} MB, first line within {LIMIT_FIRST_S:g} s")


if __name__ == "__main__":
    main()
