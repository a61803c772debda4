"""What a frame costs a run that has many: in processor time and time until its report, and memory.

One connection brings so many megabytes, at a rate that both captures bear, over a link of MTU 1500
whose segments nobody puts together. A frame is counted where it leaves and where it arrives. The
processor time is that of all of the lab's processes, without the programs'. Memory is what they
hold at once, programs and all, sampled. Arguments: how many megabytes, 34 and 340 by default, which
make some 50,000 and 500,000 frames.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.many import measured, program, summary_of

MEGABYTES = (34, 340)
RATE = 20
"""Megabytes a second."""
TRACES = ("none", "auto")
LIMIT_S, LIMIT_MB, LIMIT_RATIO = 30, 1000, 1.25


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run cost."""

    frames: int
    processor_s: float
    """Of the lab's processes."""
    programs_s: float
    """And of the programs."""
    after_s: float
    """From the programs' end to the command's."""
    peak_mb: float
    summary: str

    def __str__(self) -> str:
        each = f"{self.processor_s / self.frames * 1e6:.1f} µs a frame"
        return (
            f"{self.frames:>9,} frames {self.processor_s:6.1f} s of processors ({each}; the "
            f"programs' {self.programs_s:.1f} s), {self.after_s:.1f} s after their end, "
            f"{self.peak_mb:5.0f} MB  {self.summary}"
        )


def run(trace: str, megabytes: int) -> Cost:
    """A run of the two programs. Raises CalledProcessError where it fails."""
    server, client = program("sink"), program("source", str(megabytes), str(RATE))
    with tempfile.TemporaryDirectory() as out:
        ended = measured(trace, out, server, client)
        (recording,) = Path(out).glob("ad-hoc/latest/recording.jsonl")
        with recording.open(encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines if '"program"' in line or '"end"' in line]
    (frames,) = (each["frames"] for each in records if each["record"] == "end")
    printed = [each["stdout"].split() for each in records if each["record"] == "program"]
    programs_s = sum(float(processor_s) for _, processor_s in printed)
    last_ns = max(int(ended_ns) for ended_ns, _ in printed)
    return Cost(
        frames,
        ended.processor_s - programs_s,
        programs_s,
        (ended.ended_ns - last_ns) / 1e9,
        ended.peak_bytes / 1e6,
        summary_of(ended.lines),
    )


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or MEGABYTES
    for trace in TRACES:
        print(f"--trace {trace}")
        costs = []
        for size in sizes:
            costs.append(run(trace, size))
            print(f"  {costs[-1]}", flush=True)
        first, last = (each.processor_s / each.frames for each in (costs[0], costs[-1]))
        print(
            f"  at most {LIMIT_S} s of processors and {LIMIT_MB} MB at 500,000; a frame, "
            f"{costs[-1].frames:,} to {costs[0].frames:,}: {last / first:.2f} "
            f"(at most {LIMIT_RATIO:g})"
        )


if __name__ == "__main__":
    main()
