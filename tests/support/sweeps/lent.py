"""Traced runs of one process, which lends them its collectors: there, and as tests have them made.

with Lender() as lender:
    traced = lender.ask(traced_programs.trace, programs)     # in a sandbox of its own
"""

from __future__ import annotations

import os
import pickle
import select
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from bpf_loaded import programs_of
from outside import children, environment

from lab.forked.server import ask, serve
from lab.kernel.sandbox.sandbox import open_sandbox
from lab.kernel.sandbox.starting import fork_from_here
from lab.kernel.trace.collecting import collector
from lab.kernel.trace.collecting.pool import CollectorPool
from lab.records import Trace

P = ParamSpec("P")
R = TypeVar("R")

_BEGIN = """
import sys
sys.path[:] = sys.argv[3:]
import lent
lent.serve_runs(int(sys.argv[1]), float(sys.argv[2]))
"""


class Lender:
    """A process that forks one for each run; asked from any thread."""

    def __init__(self, *, patience_s: float = collector.END_DEADLINE_S) -> None:
        """So long a collector waits for the end of a sandbox whose run is over."""
        self._asked, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = [sys.executable, "-c", _BEGIN, str(server.fileno()), str(patience_s), *sys.path]
        with server:
            self.process = subprocess.Popen(
                words, pass_fds=[server.fileno()], stderr=subprocess.PIPE, env=environment()
            )

    def __enter__(self) -> Lender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What it returns in a sandbox that is to be traced."""
        assert not kwargs
        answer, why = ask(self._asked, pickle.dumps((function, args)))
        assert not why, why
        returned: R = pickle.loads(answer)
        return returned

    def collectors(self) -> list[int]:
        """Those that live and are ready, in the order of their pids."""
        return sorted(filter(programs_of, children(self.process.pid)))

    def close(self) -> str:
        """End it; what it and its collectors have said."""
        self._asked.close()
        _, said = self.process.communicate(timeout=30)
        return said.decode()


def serve_runs(descriptor: int, patience_s: float) -> None:
    """The lender's life."""
    collector.END_DEADLINE_S = patience_s
    fork_from_here()
    serve(socket.socket(fileno=descriptor), _run, begin_beside=CollectorPool)


def _run(asked: bytes) -> bytes:
    function, args = pickle.loads(asked)
    try:
        with open_sandbox(traced=True) as sandbox:
            return pickle.dumps(sandbox.call(function, *args))
    except BaseException:
        traceback.print_exc()
        raise


def traced_until_killed(program: str) -> tuple[tuple[str, ...], Trace]:
    """In a sandbox: what is said of a collector that is killed meanwhile, and the trace."""
    import traced_programs

    tracer = traced_programs.watching_tracer()
    try:
        process = traced_programs.start(tracer, "program 0", program)
        process.communicate()
        trace = tracer.end_step("step")
        return tracer.take_killed(), trace
    finally:
        tracer.close()


def give_back_and_go_on(begun: str, go_on: str) -> None:
    """In a sandbox: have a collector, give it back, and go on until somebody writes to the FIFO."""
    import traced_programs

    traced_programs.watching_tracer().close()
    os.close(os.open(begun, os.O_WRONLY))
    with open(go_on, "rb") as waited:  # noqa: PTH123  blocks until it is opened for writing
        waited.read()


def has_ended(pid: int, deadline_s: float = 10.0) -> bool:
    """Whether the process ends within that time."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], deadline_s)[0])
    finally:
        os.close(process)
