"""A whole sweep: what has not been made yet is made, and its rows are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import __version__
from lab.errors import MachineError
from lab.frozen import frozen
from lab.model.family import Family
from lab.sweep.order import RunOrder, ScenarioFile, digest_of
from lab.sweep.row import RunRow
from lab.sweep.store import SweepStore, open_store

if TYPE_CHECKING:
    from lab.sweep.grid import Grid

SCRATCH, KEPT = ".workers", "kept"
Tell = Callable[[int, int], None]
"""Told how many runs are on disk, and how many of them could not be made."""


@frozen
class Sweep:
    """What is to be made, and how."""

    grid: Grid
    files: Mapping[str, ScenarioFile]
    """By the grid's names of scenarios."""
    folder: Path
    jobs: int = 1
    scheduler: str = ""
    """The address of a Dask scheduler, "tcp://…"; "" for workers of this machine's own."""
    again: bool = False
    """Whether runs that could not be made are tried again."""
    keep: tuple[str, ...] = ()
    """The outcomes of runs whose artifacts are kept."""


def scenario_file(path: Path) -> ScenarioFile:
    """What is said of a scenario's file to whoever has to find it. Raises UsageError."""
    from lab.scenario_files import source_of

    source = source_of(path)
    return ScenarioFile(source, digest_of(path) if source else "")


def check_runs(sweep: Sweep) -> None:
    """Raise UsageError where a scenario, a rule or a setting of the grid is wrong.

    Every combination is looked at, before any is run.
    """
    from lab.scenario_files import builtin_scenarios, load_scenario
    from lab.wire.binding import bound

    @cache
    def loaded(name: str, own: tuple[tuple[str, Any], ...]) -> Any:  # noqa: ANN401
        path = sweep.files[name].path or builtin_scenarios()[name]
        return load_scenario(Path(path), dict(own))

    links_of = links_of_sweep(sweep)
    for name, values in sweep.grid.combinations():
        wanted = sweep.grid.wanted(name, values, 1, links_of)
        scenario = loaded(name, wanted.own)
        scenario.check_family(Family(wanted.family))
        bound(wanted.wire, scenario.topology.link_ends)
        scenario.topology.with_sysctls(dict(wanted.sysctls))


def links_of_sweep(sweep: Sweep) -> Callable[[str, Mapping[str, Any]], tuple[str, ...]]:
    """What says of a scenario with these own parameters which links it has."""
    from lab.scenario_files import builtin_scenarios, load_scenario
    from lab.wire.binding import link_name

    @cache
    def links(name: str, own: tuple[tuple[str, Any], ...]) -> tuple[str, ...]:
        path = sweep.files[name].path or builtin_scenarios()[name]
        ends = load_scenario(Path(path), dict(own)).topology.link_ends
        return tuple(link_name(each, ends) for each in ends)

    return lambda name, own: links(name, tuple(sorted(own.items())))


def run_sweep(sweep: Sweep, tell: Tell, say: Callable[[str], None]) -> SweepStore:
    """The sweep's rows, all of them on disk. `say` gets what a person should know meanwhile.

    What was made before is not made again. Raises UsageError and MachineError; what was made until
    then is on disk.
    """
    grid = sweep.grid
    columns = {parameter.name: parameter.values for parameter in grid.parameters}
    links_of = links_of_sweep(sweep)
    folder = str((sweep.folder / KEPT).absolute())
    with open_store(sweep.folder, _about(sweep), columns) as store:
        made = store.keys()
        done = failed = 0
        for wanted in grid.runs(links_of):
            if (was_made := made.get(wanted.key)) is not None and (was_made or not sweep.again):
                done, failed = done + 1, failed + (not was_made)

        def orders() -> Iterator[RunOrder]:
            for wanted in grid.runs(links_of):
                was_made = made.get(wanted.key)
                if was_made is None or (sweep.again and not was_made):
                    yield RunOrder(wanted, sweep.files[wanted.scenario], sweep.keep, folder)

        tell(done, failed)
        if done < len(grid):
            with _maker(sweep, say) as rows_of:
                for rows in rows_of(orders()):
                    store.add(rows)
                    done += len(rows)
                    failed += sum(not row.outcome for row in rows)
                    tell(done, failed)
        store.finish()
    return store


@contextmanager
def _maker(
    sweep: Sweep, say: Callable[[str], None]
) -> Iterator[Callable[[Iterator[RunOrder]], Iterator[list[RunRow]]]]:
    """What makes the rows of orders: one after another by itself, several at once by Dask."""
    traces = tuple(sorted(_traces(sweep.grid)))
    if sweep.jobs > 1 or sweep.scheduler:
        from lab.sweep.cluster import open_cluster

        scratch = (sweep.folder / SCRATCH).absolute()
        with open_cluster(sweep.scheduler, sweep.jobs, scratch, traces, say) as cluster:
            yield cluster.rows
        return
    from lab.sweep.run_server import RunServer

    server = RunServer()
    try:
        if refusal := server.why_not(traces):
            raise MachineError(f"this machine cannot make the runs: {refusal}")
        yield lambda orders: ([server.make(order)] for order in orders)
    finally:
        server.close()


def _traces(grid: Grid) -> set[str]:
    """What the runs ask to be traced by, where it has to be that."""
    from lab.sweep.parameter import TRACE

    asked = {str(v) for each in grid.parameters if each.name == TRACE for v in each.values}
    return (asked or {grid.trace}) - {"auto", "none"}


def _about(sweep: Sweep) -> dict[str, Any]:
    """What sweep.json has: what has to be the same when a sweep goes on, and what else it is."""
    from lab.sweep.store import type_of

    grid = sweep.grid
    parameters = {each.name: type_of(each.values) for each in grid.parameters}
    digests = {f"scenario {name}": sweep.files[name].digest for name in grid.scenarios}
    return {
        "same": {"wirelab": __version__, "parameters": parameters, **digests},
        "scenarios": {name: sweep.files[name].path for name in grid.scenarios},
        "over": {each.name: list(each.values) for each in grid.parameters},
        "repeat": grid.repeat,
        "family": grid.family,
        "trace": grid.trace,
        "wire": list(grid.wire),
        "sysctls": dict(grid.sysctls),
        "expected": list(grid.expected),
    }
