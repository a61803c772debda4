"""What a sweep costs: runs of `tcp` one after another and two at a time, in turns, in one go.

What else the machine does falls on both alike. The rate is that from the first run's beginning to
the last one's end, without the start of workers and the summary. Printed are also the memory that
`wirelab sweep` had at most, and what is left of processes and files. Arguments: how many runs of
each, 60 by default; then how many turns, 2 by default; then what traces, none by default.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from pyarrow import parquet

RUNS, TURNS, WANTED = 60, 2, 1.6
WIRELAB = Path(sys.executable).parent / "wirelab"


def swept(runs: int, jobs: int, out: Path, trace: str) -> tuple[float, int]:
    """How many of so many runs were made in a second, and the memory of `wirelab sweep`, KiB."""
    words = ["sweep", "tcp", "--repeat", str(runs), "-j", str(jobs), "--out", str(out)]
    words += ["--trace", trace]
    with subprocess.Popen([WIRELAB, *words], stdout=subprocess.DEVNULL) as sweeping:
        _, status, used = os.wait4(sweeping.pid, 0)
        sweeping.returncode = os.waitstatus_to_exitcode(status)
    if sweeping.returncode:
        raise SystemExit(f"wirelab sweep ended with {sweeping.returncode}")
    rows = parquet.read_table(out / "runs.parquet", columns=["began", "took_s"]).to_pylist()
    began_s = [row["began"].timestamp() for row in rows]
    ended_s = [at + row["took_s"] for at, row in zip(began_s, rows, strict=True)]
    return len(rows) / (max(ended_s) - min(began_s)), used.ru_maxrss


def left(folder: Path) -> list[str]:
    """What else than the table a sweep has left."""
    usual = {"runs.parquet", "sweep.json", "summary.csv", "parts"}
    return [path.name for path in folder.iterdir() if path.name not in usual]


def counts() -> tuple[int, int]:
    """How many processes there are of this user, and how many network namespaces they are in."""
    mine, spaces = 0, set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == os.geteuid():
                mine += 1
                spaces.add((process / "ns/net").readlink())
        except OSError:
            continue
    return mine, len(spaces)


def main(runs: int, turns: int, trace: str) -> int:
    """Print what was measured; whether two at a time are fast enough."""
    before = counts()
    rates: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory(prefix="wirelab-sweep-") as name:
        for turn in range(turns):
            for jobs in (1, 2) if turn % 2 == 0 else (2, 1):
                out = Path(name) / f"{turn}-{jobs}"
                rate, peak_kib = swept(runs, jobs, out, trace)
                rates[jobs].append(rate)
                print(
                    f"-j {jobs}, --trace {trace}: {runs} runs, {rate:.2f} a second; "
                    f"{peak_kib / 1024:.0f} MiB; left: {left(out) or 'nothing'}",
                    flush=True,
                )
    ratio = median(rates[2]) / median(rates[1])
    after = counts()
    print(f"two at a time: {ratio:.2f} × the rate of one after another ({WANTED} wanted)")
    print(f"processes and network namespaces, before and after: {before}, {after}")
    print(f"load: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    return 0 if ratio >= WANTED else 1


if __name__ == "__main__":
    given = sys.argv[1:]
    asked = given + [str(RUNS), str(TURNS), "none"][len(given) :]
    sys.exit(main(int(asked[0]), int(asked[1]), asked[2]))
