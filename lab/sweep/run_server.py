"""Runs made each in a process of its own, by a server that has imported what they need.

    server = RunServer()
    row = server.make(order)       # from any thread, several at a time
    server.close()

The server is a fresh interpreter: what asks it may have threads, as Dask's workers have, and a fork
of those is not safe (fork(2)). It has one thread itself, and forks: so a run costs no imports, its
memory goes with its process, and whatever kills it is in its row.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time

from lab.errors import MachineError
from lab.forked.server import ask, serve
from lab.kernel.sandbox.starting import PACKAGE
from lab.sweep.order import RunOrder, order_of_json
from lab.sweep.row import RunRow, failed_row, row_of_json

_BOOT = """
import gc, sys
gc.disable()
sys.path[:] = [sys.argv[2]]
import lab
sys.path[:] = sys.argv[3:]
from lab.sweep.run_server import main
main(int(sys.argv[1]))
"""
_EXAMINE = b"examine"
CLOSE_DEADLINE_S = 10.0


class RunServer:
    """A process that makes runs, each in a process of its own."""

    def __init__(self) -> None:
        """Start it. Raises MachineError."""
        self._asked, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        options = ["-P", *(["-B"] if sys.dont_write_bytecode else [])]
        paths = [str(PACKAGE.parent), *sys.path]
        command = [sys.executable, *options, "-c", _BOOT, str(server.fileno()), *paths]
        try:
            with server:
                # A session of its own: Ctrl-C reaches who asks, which ends it.
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    pass_fds=[server.fileno()],
                    start_new_session=True,
                )
        except OSError as error:
            self._asked.close()
            raise MachineError(f"cannot start {sys.executable}: {error.strerror}") from None

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def make(self, order: RunOrder) -> RunRow:
        """The row of that run; where its process died, a row that says so."""
        began_ns, began = time.time_ns(), time.monotonic()
        answer, why = ask(self._asked, order.as_json().encode("ascii"))
        if not why:
            return row_of_json(json.loads(answer))
        took_s = time.monotonic() - began
        failure = f"the lab could not make it: {why}"
        return failed_row(order.wanted, failure, socket.gethostname(), began_ns, took_s)

    def why_not(self, traces: tuple[str, ...]) -> str:
        """Why this machine cannot make runs that are traced so, in words; "" if it can."""
        answer, why = ask(self._asked, _EXAMINE + json.dumps(traces).encode("ascii"))
        return why or answer.decode("utf-8")

    def close(self) -> None:
        """End it and the runs that are under way."""
        self._asked.close()
        try:
            self._process.wait(CLOSE_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main(descriptor: int) -> None:
    """The server's life."""
    from lab.kernel.sandbox.starting import fork_from_here
    from lab.run import prepare, share_collectors

    fork_from_here()  # this process and those it forks are nobody else's, and have one thread
    server = socket.socket(fileno=descriptor)
    server.set_inheritable(False)
    prepare()
    serve(server, _do, begin_beside=share_collectors)


def _do(asked: bytes) -> bytes:
    if asked.startswith(_EXAMINE):
        return _why_not(json.loads(asked.removeprefix(_EXAMINE))).encode("utf-8")
    from lab.sweep.making import make_run

    return json.dumps(make_run(order_of_json(asked)).as_json()).encode("ascii")


def _why_not(traces: list[str]) -> str:
    """What this machine lacks of what it needs, by what `wirelab doctor` examines."""
    from lab.kernel.preflight import examine

    lacking = [
        finding
        for finding in examine()
        if not finding.ok and (finding.needed or finding.subject in traces)
    ]
    return "; ".join(f"{finding.subject}: {finding.detail}" for finding in lacking)
