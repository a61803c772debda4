"""scapy's header classes are there for whichever thread needs them first."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.programs

THREADS = """
import sys, threading
from lab.analysis.packets import headers
sys.setswitchinterval(1e-6)
start, failed = threading.Barrier(8), []
def first():
    start.wait()
    try:
        headers.ethernet(bytes(14), 0)
    except BaseException as error:
        failed.append(repr(error))
threads = [threading.Thread(target=first) for _ in range(8)]
for each in threads: each.start()
for each in threads: each.join()
print(failed)
"""


def test_several_threads_may_be_the_first() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
