"""What a connection costs a run that has many: in time until its report, and in memory.

Time counts from the end of the programs; the processor time of all of the lab's processes is
printed beside it, for a machine that has others to serve. Memory is what the lab's processes hold
at once, programs and all, sampled. Arguments: how many connections, 1,000, 4,000 and 20,000 by
default.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = (1_000, 4_000, 20_000)
LOOP_S = 2
TRACES = ("none", "auto")
LIMIT_S, LIMIT_MB, LIMIT_LOOP_S, LIMIT_RATIO = 30, 300, 20, 1.25
PROGRAMS = Path(__file__).parent / "many_programs.py"
WIRELAB = Path(sys.executable).parent / "wirelab"
SAMPLE_S = 0.05
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run cost."""

    tried: int
    after_s: float
    """From the programs' end to the command's."""
    processor_s: float
    """Of the command and its processes, programs included."""
    peak_mb: float
    summary: str
    """How many claims have which verdict, and why nothing is decided where that is so."""

    def __str__(self) -> str:
        each = f"{self.after_s / self.tried * 1e3:.2f} ms a connection"
        return (
            f"{self.tried:>7} {self.after_s:6.1f} s ({each}, {self.processor_s:.1f} s of "
            f"processors)  {self.peak_mb:5.0f} MB  {self.summary}"
        )


def program(name: str, *words: str) -> str:
    """One of many_programs.py's as a command; addresses are wirelab's to fill in."""
    return f"{shlex.quote(sys.executable)} -IS {shlex.quote(str(PROGRAMS))} {name} " + " ".join(
        ("{server}", "{port}", *words)
    )


def held_bytes(root: int) -> int:
    """What a process and all beneath it hold."""
    children: dict[int, list[int]] = {}
    held: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        children.setdefault(int(fields[1]), []).append(int(folder.name))
        held[int(folder.name)] = int(fields[21]) * PAGE_BYTES
    return sum(held.get(pid, 0) for pid in _beneath(root, children))


def _beneath(root: int, children: dict[int, list[int]]) -> Iterator[int]:
    yield root
    for child in children.get(root, ()):
        yield from _beneath(child, children)


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run's command took, which has ended."""

    lines: list[str]
    """What it printed."""
    ended_ns: int
    processor_s: float
    """Of the command and its processes, programs included."""
    peak_bytes: int


def measured(trace: str, out: str, server: str, client: str, *options: str) -> Ended:
    """A run of two programs, saved under `out`. Raises CalledProcessError where it fails."""
    peak, over = 0, threading.Event()

    def sample(pid: int) -> None:
        nonlocal peak
        while not over.wait(SAMPLE_S):
            peak = max(peak, held_bytes(pid))

    words = [str(WIRELAB), "run", "--trace", trace, "--out", out, "--deadline", "300"]
    words += [*options, "--server", server, "--client", client]
    before = os.times()
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        sampler = threading.Thread(target=sample, args=(process.pid,))
        sampler.start()
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
        process.wait()
        ended_ns = time.time_ns()
        over.set()
        sampler.join()
    after = os.times()
    if process.returncode not in (0, 4):
        raise subprocess.CalledProcessError(process.returncode, words)
    return Ended(lines, ended_ns, sum(after[2:4]) - sum(before[2:4]), peak)


def summary_of(lines: list[str]) -> str:
    """How many claims have which verdict, and why nothing is decided where that is so."""
    summary = next(line for line in lines if " claims: " in line)
    why = [line.strip() for line in lines if "INCOMPLETE CAPTURE" in line]
    return " ".join([summary, *why])


def run(trace: str, server: str, client: str, *options: str) -> Cost:
    """A run of two programs. Raises CalledProcessError where it fails."""
    with tempfile.TemporaryDirectory() as out:
        ended = measured(trace, out, server, client, *options)
        tried, printed_ns = _printed(Path(out))
    return Cost(
        tried,
        (ended.ended_ns - printed_ns) / 1e9,
        ended.processor_s,
        ended.peak_bytes / 1e6,
        summary_of(ended.lines),
    )


def _printed(out: Path) -> tuple[int, int]:
    """What the client of the run printed: two numbers. Raises LookupError if it did not."""
    (recording,) = out.glob("ad-hoc/latest/recording.jsonl")
    with recording.open(encoding="utf-8") as lines:
        for line in lines:
            if '"program"' not in line:
                continue
            record = json.loads(line)
            if record["record"] == "program" and record["name"] == "client":
                tried, at_ns = record["stdout"].split()
                return int(tried), int(at_ns)
    raise LookupError(f"{recording} has no client")


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or CONNECTIONS
    for trace in TRACES:
        print(f"--trace {trace}")
        costs = []
        for count in counts:
            cost = run(trace, program("server", str(count)), program("client", str(count)))
            costs.append(cost)
            print(f"  one after another: {cost}", flush=True)
        first, last = (each.processor_s / each.tried for each in (costs[0], costs[-1]))
        print(
            f"  at most {LIMIT_S} s and {LIMIT_MB} MB at 20,000; processor time a connection, "
            f"{counts[-1]} to {counts[0]}: {last / first:.2f} (at most {LIMIT_RATIO:g})"
        )
        refused = run(trace, program("idle"), program("reconnect", str(LOOP_S)), "--no-wait")
        print(f"  refused for {LOOP_S} s:   {refused} (at most {LIMIT_LOOP_S} s)", flush=True)
        closed = run(trace, program("closer"), program("reconnect", str(LOOP_S)))
        print(f"  closed for {LOOP_S} s:    {closed} (at most {LIMIT_LOOP_S} s)", flush=True)


if __name__ == "__main__":
    main()
