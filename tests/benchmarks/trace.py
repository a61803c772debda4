"""What tracing costs, and whether it tells the truth: a thousand connections, three ways.

The same two programs run with frames captured alone, with their calls traced by ptrace, and as
root by BPF; the ways take turns, so that a noisy moment hits all of them. Every recording
is then put in order: an effect before its cause, or an event lost, is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from lab.analysis.assembly import build_timelines
from lab.errors import LabError
from lab.kernel.plan import Plan
from lab.kernel.recorder import record
from lab.kernel.sandbox.sandbox import open_sandbox
from lab.model.family import Family
from lab.model.program import Program, Step
from lab.model.topology import two_hosts
from lab.records import Recording

CONNECTIONS = 1000
UNRELATED_CALLS = 100_000
UNRELATED_NS = 10_000  # 100,000 calls a second
ROUNDS = 5
LIMITS = {"bpf": 1.25, "ptrace": 3.0}  # ptrace with stops.c, which `make setup` compiles
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


def run_unrelated(trace: str, work: int) -> float:
    """Seconds for one call that no instrument is interested in, with its work."""
    words = (str(UNRELATED_CALLS), str(work))
    _, seconds = run(trace, program("unrelated", "client", *words))
    return seconds / UNRELATED_CALLS


def find_work() -> int:
    """How much work a program does that makes 100,000 calls a second."""
    bare_ns, worked_ns = (1e9 * run_unrelated("none", work) for work in (0, 100))
    return max(0, round((UNRELATED_NS - bare_ns) * 100 / (worked_ns - bare_ns)))


def usable(names: Iterable[str]) -> list[str]:
    """Those of the instruments that this machine allows; says why not for the others."""
    found = []
    for name in names:
        try:
            run(name, program("unrelated", "client", "1", "0"))
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


class Times:
    """What one way of running took, round by round, in seconds."""

    def __init__(self) -> None:
        self.connection: list[float] = []
        self.call: list[float] = []
        self.tight_call: list[float] = []
        self.told: list[str] = []

    def take_round(self, trace: str, work: int) -> None:
        """Run everything once."""
        recording, seconds = run_connections(trace)
        self.connection.append(seconds)
        if trace != "none":
            self.told.append(check(recording))
        self.call.append(run_unrelated(trace, work))
        self.tight_call.append(run_unrelated(trace, 0))


def main() -> None:
    ways = {name: Times() for name in ("none", *usable(LIMITS))}
    work = find_work()
    for _ in range(ROUNDS):
        for name, times in ways.items():
            times.take_round(name, work)
    alone = ways.pop("none")
    print(
        f"capture alone: {median(alone.connection) * 1e6:.0f} us a connection, median of {ROUNDS} "
        f"rounds of {CONNECTIONS}; unrelated calls, {1e-3 / median(alone.call):.0f} thousand a "
        f"second, and in a tight loop {1e-3 / median(alone.tight_call):.0f} thousand"
    )
    for name, times in ways.items():
        print(
            f"{name:<8} {median(times.connection) * 1e6:.0f} us a connection: "
            f"{median(times.connection) / median(alone.connection):.2f} times (at most "
            f"{LIMITS[name]:g}); unrelated calls "
            f"{median(times.call) / median(alone.call):.2f} times (at most {UNRELATED_LIMIT:g}), "
            f"in a tight loop {median(times.tight_call) / median(alone.tight_call):.2f}"
        )
        for line in times.told:
            print(f"  {line}")


if __name__ == "__main__":
    main()
