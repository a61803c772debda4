"""A whole `wirelab run tcp`, from the shell and back, against the same programs in Mininet.

Mininet only builds, runs the two programs and tears down; wirelab captures, dissects, judges,
draws and saves as well, and traces the programs' calls, or does not (--trace none). They take
turns, so that a noisy moment hits all.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.benchmarks.peer import HERE, mininet, why_no_mininet

REPEATS = 11
DEMOS = HERE.parent.parent / "scenarios" / "demos"
WIRELAB = Path(sys.executable).parent / "wirelab"


def seconds(action: Callable[[], object]) -> float:
    """How long an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def command(*words: str | Path) -> Callable[[], object]:
    """A command as an action; its output is not shown, its failure is an exception."""
    return lambda: subprocess.run(words, stdout=subprocess.DEVNULL, check=True)


def report(name: str, times: list[float]) -> None:
    """One line: the median and the range."""
    low, middle, high = min(times), median(times), max(times)
    print(f"{name:<28} {middle * 1e3:7.1f} ms ({low * 1e3:.1f} to {high * 1e3:.1f})")


def main() -> None:
    reason = why_no_mininet()
    bare, help_, ours, untraced, theirs = [], [], [], [], []
    with tempfile.TemporaryDirectory() as out:
        for _ in range(REPEATS):
            bare.append(seconds(command(sys.executable, "-c", "pass")))
            help_.append(seconds(command(WIRELAB, "--help")))
            run = (WIRELAB, "run", "tcp", "--out", out)
            ours.append(seconds(command(*run)))
            untraced.append(seconds(command(*run, "--trace", "none")))
            if not reason:
                words = (sys.executable, str(DEMOS), "4242")
                theirs.append(seconds(lambda: mininet("mininet_tcp.py", *words)))  # noqa: B023
    report("python -c pass", bare)
    report("wirelab --help", help_)
    print(f"  --help / bare python: {median(help_) / median(bare):.2f} (aim: 2)")
    report("wirelab run tcp", ours)
    report("wirelab run tcp, untraced", untraced)
    if reason:
        print(f"Mininet: skipped, {reason}")
        return
    report("the exchange under Mininet", theirs)
    print(f"  wirelab / Mininet: {median(ours) / median(theirs):.2f} (aim: 1)")
    print(f"  wirelab, untraced / Mininet: {median(untraced) / median(theirs):.2f} (aim: 0.7)")


if __name__ == "__main__":
    main()
