"""What a worker of Dask does in a sweep: say whether its machine can make runs, and make them.

A worker has threads, so it forks nothing itself: it has a RunServer, which does. When a worker is
killed its server notices, and ends the runs that are under way.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from distributed import WorkerPlugin

from lab import __version__
from lab.errors import MachineError
from lab.sweep.order import order_of_json
from lab.sweep.run_server import RunServer

if TYPE_CHECKING:
    from distributed import Worker

_servers: dict[str, RunServer] = {}
"""In a worker: by sweep, what makes its runs."""
_refusals: dict[str, str] = {}
"""In a worker: by sweep, why its machine cannot make them."""


class MachineCheck(WorkerPlugin):
    """A plugin of workers: each that can make the sweep's runs offers so many at once."""

    def __init__(self, sweep: str, traces: tuple[str, ...]) -> None:
        """`sweep` is the sweep's own name for them."""
        self.name = sweep
        self._traces = traces
        self._version = __version__

    async def setup(self, worker: Worker) -> None:
        """Called by each worker, once."""
        if self._version != __version__:
            _refusals[self.name] = f"it has wirelab {__version__}, the sweep {self._version}"
            return
        refusal = await asyncio.to_thread(_start, self.name, self._traces)
        if refusal:
            _refusals[self.name] = refusal
        else:
            await worker.set_resources(**{self.name: worker.state.nthreads})

    async def teardown(self, worker: Worker) -> None:
        """Called when the sweep is over, or the worker ends."""
        _refusals.pop(self.name, None)
        if server := _servers.pop(self.name, None):
            await asyncio.to_thread(server.close)


def _start(sweep: str, traces: tuple[str, ...]) -> str:
    """Start what makes a sweep's runs in this worker; why it cannot make any, "" if it can."""
    try:
        server = RunServer()
    except MachineError as error:
        return str(error)
    if refusal := server.why_not(traces):
        server.close()
        return refusal
    _servers[sweep] = server
    return ""


def refusal_of(sweep: str) -> str:
    """Called in a worker: why it makes none of the sweep's runs; "" if it does."""
    return _refusals.get(sweep, "")


def make_json(sweep: str, order: str) -> str:
    """Called in a worker: the row of an order, both as JSON."""
    return json.dumps(_servers[sweep].make(order_of_json(order)).as_json())
