"""The command `wirelab`, begun by a fork of a process that has imported it.

A third of what a short run takes are its imports. Tests that make many runs, to look at what
comes of them, make them so; tests of the command itself start an interpreter
(outside.wirelab).
"""

from __future__ import annotations

import functools
import importlib
import os
import pickle
import pkgutil
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import outside
from outside import (
    LIKE_A_MARKER,
    MARKER,
    REPOSITORY,
    become_marked,
    environment,
    marked_at,
)

import lab
from lab.forked.server import ask, serve
from lab.kernel.system import libc
from lab.kernel.system.descriptors import leave_descriptors_but

LONGEST_S = 60
_PATH = f"{REPOSITORY}:{Path(outside.__file__).parent}"
_NOT_OF_RUNS = (
    *("lab.cli.stepped", "lab.grading", "lab.scenarios", "lab.screen", "lab.sheets", "lab.sweep"),
    *("lab.templates", "lab.testing", "lab.__main__", "lab.kernel.source.inside"),
    *("lab.analysis.table", "lab.large_capture", "lab.report.parquet", "lab.report.sweeps"),
)
"""Not imported beforehand: what needs an extra, belongs to other commands, or does something."""


class _Asked(NamedTuple):
    words: tuple[str, ...]
    folder: str
    environ: dict[str, str]


class _Done(NamedTuple):
    status: int
    stdout: bytes
    stderr: bytes


def forked_wirelab(
    *words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """As outside.wirelab: the command run to its end; nothing is checked."""
    asked = _Asked(tuple(map(str, words)), str(cwd or "/"), environment(**(env or {})))
    answer, why = ask(_server(), pickle.dumps(tuple(asked)))
    assert not why, why
    done = _Done(*pickle.loads(answer))
    return subprocess.CompletedProcess(
        asked.words, done.status, done.stdout.decode(), done.stderr.decode()
    )


@functools.cache
def _server() -> socket.socket:
    """What asks the server of this process, which ends with it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            cwd="/", env=environment(PYTHONPATH=_PATH, **{MARKER: LIKE_A_MARKER}),
            stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
        )  # fmt: skip
    return ours


def _do(what: bytes) -> bytes:
    """Run one to its end, in a fork of this process, which itself is forked for it."""
    asked = _Asked(*pickle.loads(what))
    said, errors = os.memfd_create("stdout"), os.memfd_create("stderr")
    pid = os.fork()
    if pid == 0:
        try:
            libc.kill_me_with_my_parent(signal.SIGKILL)
            _become(asked, said, errors)
        finally:
            os._exit(70)
    poll = select.poll()
    poll.register(os.pidfd_open(pid), select.POLLIN)
    if not poll.poll(LONGEST_S * 1000):
        os.kill(pid, signal.SIGKILL)
        raise TimeoutError(f"not within {LONGEST_S} s: {asked.words}")
    _, status = os.waitpid(pid, 0)
    return pickle.dumps(tuple(_Done(os.waitstatus_to_exitcode(status), _all(said), _all(errors))))


def _all(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        file.seek(0)
        return file.read()


def _become(asked: _Asked, stdout: int, stderr: int) -> None:
    """What a fork does: it is as a new interpreter would be. It exits, or raises."""
    from lab.__main__ import main

    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    leave_descriptors_but(())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(asked.environ)
    become_marked(asked.environ)
    os.chdir(asked.folder)
    sys.argv = ["wirelab", *asked.words]
    main()


def _get_ready() -> None:
    """Import what runs need, and understand and report one: most is made when it is first used."""
    for module in pkgutil.walk_packages(lab.__path__, "lab."):
        if not module.name.startswith(_NOT_OF_RUNS):
            importlib.import_module(module.name)
    from lab.cli.main import main

    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nothing:  # noqa: PTH123
        recorded = REPOSITORY / "tests/recordings/traced-tcp4"
        copy = shutil.copytree(recorded, Path(folder, "copy"))
        printed, sys.stdout = sys.stdout, nothing
        try:
            main(["replay", str(copy), "-v"])
        except SystemExit as end:
            assert not end.code
        finally:
            sys.stdout = printed


def main() -> None:
    sys.path[:] = ["/", *(each for each in sys.path[1:] if each != _PATH.split(":")[1])]
    marked_at()
    _get_ready()
    serve(socket.socket(fileno=int(sys.argv[1])), _do)


if __name__ == "__main__":
    main()
