from __future__ import annotations

import asyncio
import json

import pytest
from distributed import WorkerPlugin
from sweep_rows import wanted_runs

from lab.sweep import worker
from lab.sweep.grid import Wanted
from lab.sweep.order import RunOrder, ScenarioFile
from lab.sweep.row import row_of_json
from lab.sweep.run_server import RunServer
from lab.sweep.worker import MachineCheck, make_json, refusal_of


class Told:
    """A worker, as far as a plugin knows it."""

    class state:  # noqa: N801  as Dask has it
        nthreads = 3

    def __init__(self) -> None:
        self.offered: dict[str, float] = {}

    async def set_resources(self, **resources: float) -> None:
        self.offered |= resources


def set_up(check: MachineCheck) -> Told:
    told = Told()
    asyncio.run(check.setup(told))
    return told


def test_a_worker_of_another_wirelab_offers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    check = MachineCheck("sweep-1", ())
    assert isinstance(check, WorkerPlugin)
    monkeypatch.setattr(worker, "__version__", "0.0")
    told = set_up(check)
    assert told.offered == {}
    assert refusal_of("sweep-1").startswith("it has wirelab 0.0, the sweep ")
    asyncio.run(check.teardown(told))
    assert refusal_of("sweep-1") == ""


@pytest.mark.programs
def test_a_worker_whose_machine_lacks_something_offers_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RunServer, "why_not", lambda self, traces: f"no {traces[0]}")
    check = MachineCheck("sweep-2", ("bpf",))
    assert set_up(check).offered == {}
    assert refusal_of("sweep-2") == "no bpf"
    asyncio.run(check.teardown(Told()))


@pytest.mark.kernel
def test_a_worker_that_can_offers_its_threads_and_makes_runs() -> None:
    check = MachineCheck("sweep-3", ())
    told = set_up(check)
    try:
        assert told.offered == {"sweep-3": 3}
        assert refusal_of("sweep-3") == ""
        (wanted,) = wanted_runs("trace=none")
        row = row_of_json(json.loads(make_json("sweep-3", _order(wanted).as_json())))
        assert (row.key, row.outcome) == (wanted.key, "HOLDS")
    finally:
        asyncio.run(check.teardown(told))


def _order(wanted: Wanted) -> RunOrder:
    return RunOrder(wanted, ScenarioFile("", ""))
