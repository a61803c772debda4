"""Runs handed out to workers of Dask: processes of this machine, or those of a scheduler.

Which run goes where, and again where a worker has died, is the scheduler's work (distributed). The
lab asks of each worker first what its machine allows: one that allows too little is given none.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from lab.errors import ExtraMissing, MachineError
from lab.sweep.order import RunOrder
from lab.sweep.row import RunRow, failed_row, row_of_json

Say = Callable[[str], None]
"""Called with what a person should know."""
START_S = 60.0
"""So long is waited for a first worker."""
COUNT_S = 2.0
"""So often the workers are counted: they come and go."""
AHEAD = 2
"""So many runs are ordered for each thread of the workers: one to make, and the next."""
MOST_DEATHS = 3
"""A run with which so many workers have died is none to try on another."""


def check_scheduling() -> None:
    """Raise ExtraMissing where Dask is not installed."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        needs = "runs are scheduled by Dask's package distributed"
        otherwise = "-j 1 makes them one after another, without it"
        raise ExtraMissing(needs, "sweep", otherwise) from None


@contextmanager
def open_cluster(
    address: str, jobs: int, scratch: Path, traces: tuple[str, ...], say: Say
) -> Iterator[Cluster]:
    """The workers of the scheduler at `address`; without one, so many of this machine's own.

    `scratch` is a folder for what those write, which is gone at the end. `traces` are what runs
    ask to be traced by. Raises MachineError.
    """
    check_scheduling()
    import dask
    import distributed

    settings = {
        "distributed.scheduler.allowed-failures": MOST_DEATHS - 1,
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.terminate": False,
        "distributed.worker.profile.enabled": False,
        "logging.distributed": "error",
    }
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        where: Any = address
        if not address:
            shutil.rmtree(scratch, ignore_errors=True)
            stack.callback(shutil.rmtree, scratch, ignore_errors=True)
            with _ignoring_interrupts():
                where = distributed.LocalCluster(
                    n_workers=jobs,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address=None,
                    # Its HTTP server it has all the same, by default at port 8787.
                    scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                    local_directory=str(scratch),
                    memory_limit=None,
                    silence_logs=50,
                )
            stack.enter_context(where)
        try:
            client = stack.enter_context(distributed.Client(where, timeout=START_S))
        except (OSError, ValueError) as error:
            raise MachineError(f"there is no Dask scheduler at {address}: {error}") from None
        cluster = Cluster(client, say)
        stack.callback(cluster.close)
        cluster.check(traces)
        yield cluster


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Processes that are started meanwhile are not reached by Ctrl-C: this one ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Cluster:
    """Workers that make runs."""

    def __init__(self, client: Any, say: Say) -> None:  # noqa: ANN401  distributed.Client
        self._client = client
        self._say = say
        self._sweep = f"wirelab-{uuid.uuid4().hex[:12]}"

    def check(self, traces: tuple[str, ...]) -> None:
        """Have each worker find out what its machine allows, those that come later as well.

        Raises MachineError where none can make runs.
        """
        from lab.sweep.worker import MachineCheck, refusal_of

        self.wait_for(1)
        self._client.register_plugin(MachineCheck(self._sweep, traces))
        refusals = {w: why for w, why in self._client.run(refusal_of, self._sweep).items() if why}
        for worker, why in refusals.items():
            self._say(f"the worker {worker} is given no run: {why}")
        if len(refusals) == len(self._client.nthreads()):
            raise MachineError(f"no worker can make runs: {'; '.join({*refusals.values()})}")

    def wait_for(self, workers: int) -> None:
        """Wait until there are so many workers. Raises MachineError."""
        try:
            self._client.wait_for_workers(workers, timeout=START_S)
        except TimeoutError:
            what = "no worker has" if workers == 1 else f"fewer than {workers} workers have"
            raise MachineError(f"{what} come to the scheduler in {START_S:g} s") from None

    def rows(self, orders: Iterator[RunOrder]) -> Iterator[list[RunRow]]:
        """The rows of these runs, as they come, one of each. Few are ordered at a time."""
        from distributed import as_completed

        from lab.sweep.worker import make_json

        ordered: dict[str, RunOrder] = {}
        waiting = as_completed()
        threads = counted_s = 0.0

        def order_more() -> None:
            nonlocal threads, counted_s
            if time.monotonic() - counted_s > COUNT_S:
                threads, counted_s = sum(self._client.nthreads().values()), time.monotonic()
            # Of workers that come one by one the first may have been none.
            wanted = int(AHEAD * max(threads, 1)) - len(ordered)
            for order in islice(orders, max(wanted, 0)):
                ordered[order.wanted.key] = order
                waiting.add(
                    self._client.submit(
                        make_json,
                        self._sweep,
                        order.as_json(),
                        key=f"{self._sweep}-{order.wanted.key}",
                        resources={self._sweep: 1},
                        pure=False,
                    )
                )

        order_more()
        while ordered:
            batch = [next(waiting), *waiting.next_batch(block=False)]
            rows = []
            for future in batch:
                order = ordered.pop(future.key.removeprefix(f"{self._sweep}-"))
                rows.append(_row(order, future))
            del batch
            yield rows
            order_more()

    def close(self) -> None:
        """Have the workers end what makes this sweep's runs."""
        with suppress(Exception):  # the scheduler may be gone, and its workers with it
            self._client.unregister_worker_plugin(self._sweep)


def _row(order: RunOrder, future: Any) -> RunRow:  # noqa: ANN401  distributed.Future
    """The row that has come; raises MachineError where none ever will.

    It lies in the worker's memory until it is fetched: where that worker has just died, the
    scheduler has the run made again, and fetching waits for that.
    """
    from concurrent.futures import CancelledError

    from distributed.comm import CommClosedError

    try:
        return row_of_json(json.loads(future.result()))
    except (CancelledError, asyncio.CancelledError, CommClosedError, OSError) as error:
        raise MachineError(
            f"the scheduler is gone ({type(error).__name__}); what was made is there, and the same "
            "command goes on"
        ) from None
    except Exception as error:
        # Such as KilledWorker, of a run that takes workers with it.
        why = f"no worker made it: {type(error).__name__}: {error}"
        return failed_row(order.wanted, why, "", time.time_ns(), 0.0)
