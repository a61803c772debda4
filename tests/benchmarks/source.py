"""What `--source` costs a program: the same programs with it and without, in turn, in one run.

.venv/bin/python -m tests.benchmarks.source [TURNS]
"""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from lab.kernel.source.command import PythonCommand, python_command
from lab.kernel.source.notes import NotedProgram

TURNS = 5
PROGRAMS = {
    "nothing": "pass",
    "20,000 sends and receives": """
import socket
a, b = socket.socketpair()
for _ in range(20_000):
    a.send(b"x" * 100)
    b.recv(100)
""",
    "the same of 100 kB each": """
import socket, threading
a, b = socket.socketpair()
def send():
    for _ in range(20_000):
        a.sendall(b"x" * 100_000)
threading.Thread(target=send).start()
left = 20_000 * 100_000
while left:
    left -= len(b.recv(100_000))
""",
    "2 million calls of a function of its own": """
def f(x):
    return x
for n in range(2_000_000):
    f(n)
""",
    "50 million turns of a loop": """
def f():
    for n in range(50_000_000):
        pass
f()
""",
}


def seconds(argv: tuple[str, ...], passed: tuple[int, ...] = ()) -> float:
    began = time.monotonic()
    subprocess.run(argv, pass_fds=passed, check=True)
    return time.monotonic() - began


def measure(python: str, code: str) -> tuple[float, float]:
    """The median time without and with notes, in seconds."""
    plain = (python, "-IS", "-c", code)
    command = python_command(plain)
    assert isinstance(command, PythonCommand)
    without, noting = [], []
    for _ in range(TURNS):
        without.append(seconds(plain))
        noted = NotedProgram(command)
        noting.append(seconds(noted.argv, (noted.descriptor,)))
        noted.close()
    return median(without), median(noting)


def main() -> None:
    python = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    for name, code in PROGRAMS.items():
        without, noting = measure(python, code)
        ratio = noting / without
        print(f"{name:<42} {without:7.3f} s  with --source {noting:7.3f} s  {ratio:5.2f} times")


if __name__ == "__main__":
    main()
