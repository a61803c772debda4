"""What tracing costs, and whether it tells the truth: a thousand connections, three ways.

The same two programs run with frames captured alone, with their calls traced by ptrace, and as
root by tracefs; the ways take turns, so that a noisy moment hits all of them. Every recording
is then put in order: an effect before its cause, or an event lost, is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from lab.analysis.assembly import build_timelines
from lab.errors import LabError
from lab.family import Family
from lab.kernel.plan import Plan, record
from lab.kernel.sandbox import open_sandbox
from lab.program import Program, Step
from lab.records import Recording
from lab.topology import two_hosts

CONNECTIONS = 1000
UNRELATED_CALLS = 300_000
ROUNDS = 5
LIMITS = {"tracefs": 1.5, "ptrace": 4.0}
UNRELATED_LIMIT = 2.0
PROGRAMS = str(Path(__file__).parent / "trace_programs.py")
DEADLINE_S = 120.0


def program(name: str, host: str, *words: str, signals_ready: bool = False) -> Program:
    """One of trace_programs.py's."""
    argv = (sys.executable, "-IS", PROGRAMS, name, *words)
    return Program(name, host, argv, signals_ready=signals_ready, deadline_s=DEADLINE_S)


def run(trace: str, *programs: Program) -> tuple[Recording, float]:
    """One recorded step, and the seconds that its last program printed."""
    plan = Plan("bench", Family.IPV4, two_hosts(), (Step("bench", programs),), trace=trace)
    with open_sandbox(preload="lab.kernel.experiment") as sandbox:
        recording = sandbox.call(record, plan)
    for each in recording.programs:
        assert not each.failure, f"{each.name} {each.failure}"
    return recording, float(recording.programs[-1].stdout)


def run_connections(trace: str) -> tuple[Recording, float]:
    """CONNECTIONS connections, one after another; seconds for one."""
    words = (str(two_hosts().address("server", Family.IPV4)), "4242", str(CONNECTIONS))
    server = program("server", "server", *words, signals_ready=True)
    recording, seconds = run(trace, server, program("client", "client", *words))
    return recording, seconds / CONNECTIONS


def run_unrelated(trace: str) -> float:
    """Seconds for one call that no instrument is interested in."""
    _, seconds = run(trace, program("unrelated", "client", str(UNRELATED_CALLS)))
    return seconds / UNRELATED_CALLS


def usable(names: Iterable[str]) -> list[str]:
    """Those of the instruments that this machine allows; says why not for the others."""
    found = []
    for name in names:
        try:
            run(name, program("unrelated", "client", "1"))
        except LabError as error:
            print(f"{name:<8} skipped: {error}")
        else:
            found.append(name)
    return found


def check(recording: Recording) -> str:
    """One line on what the recording holds, and on what is wrong with it."""
    (timeline,) = build_timelines(recording)
    joined = sum(1 for end in timeline.endpoints if end.flow)
    return (
        f"{len(recording.frames)} frames, {len(timeline.system_calls)} calls, "
        f"{len(timeline.states)} states; {timeline.order.edges} edges checked, "
        f"{len(timeline.order.violations)} violated; {recording.trace.lost} events lost, "
        f"{sum(point.dropped for point in recording.points)} frames dropped; "
        f"{joined} of {2 * CONNECTIONS} sockets joined with their flow"
    )


def main() -> None:
    instruments = usable(LIMITS)
    alone: list[float] = []
    traced: dict[str, list[float]] = {name: [] for name in instruments}
    idle: list[float] = []
    unrelated: dict[str, list[float]] = {name: [] for name in instruments}
    told: dict[str, list[str]] = {name: [] for name in instruments}
    for _ in range(ROUNDS):
        alone.append(run_connections("none")[1])
        idle.append(run_unrelated("none"))
        for name in instruments:
            recording, seconds = run_connections(name)
            traced[name].append(seconds)
            told[name].append(check(recording))
            unrelated[name].append(run_unrelated(name))
    print(
        f"capture alone: {median(alone) * 1e6:.0f} us a connection, median of {ROUNDS} rounds of "
        f"{CONNECTIONS}; an unrelated call {median(idle) * 1e9:.0f} ns "
        f"({1e-3 / median(idle):.0f} thousand a second)"
    )
    for name in instruments:
        ratio = median(traced[name]) / median(alone)
        print(
            f"{name:<8} {median(traced[name]) * 1e6:.0f} us a connection: {ratio:.2f} times "
            f"(at most {LIMITS[name]:g}); an unrelated call "
            f"{median(unrelated[name]) / median(idle):.2f} times (at most {UNRELATED_LIMIT:g})"
        )
        for line in told[name]:
            print(f"  {line}")


if __name__ == "__main__":
    main()
