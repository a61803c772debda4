"""All scenarios, again and again, while other processes keep the CPUs busy.

Arguments, both optional: how many times (20), how many busy processes (4). Ends with status 1
after the first run that does not end with status 0.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

WIRELAB = Path(sys.executable).parent / "wirelab"
DEADLINE_S = 900


def main(times: int = 20, busy: int = 4) -> int:
    with ExitStack() as stack:
        out = stack.enter_context(tempfile.TemporaryDirectory())
        for _ in range(busy):
            process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            stack.callback(process.wait)
            stack.callback(process.kill)
        command = [str(WIRELAB), "scenarios", "--family", "both", "--out", out]
        for number in range(1, times + 1):
            started = time.monotonic()
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=DEADLINE_S, check=False
            )
            elapsed_s = time.monotonic() - started
            print(f"run {number} of {times}: exit status {done.returncode}, {elapsed_s:.1f} s")
            if done.returncode:
                print(done.stdout, done.stderr, sep="\n")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
