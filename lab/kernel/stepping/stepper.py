"""A stepped run inside: tells its caller what waits and what goes on, and does what is decided."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence

from lab.errors import KernelRefused
from lab.kernel.links.holding import AskWaiting, AtGates, HoldingRequest, OpenGates
from lab.kernel.links.wires import Wires
from lab.kernel.network.namespace import Namespace
from lab.kernel.programs.group import ProgramGroup
from lab.kernel.stepping.sockets_now import differ, sockets_now
from lab.kernel.stepping.updates import (
    FINISH_S,
    Answered,
    Bye,
    Finish,
    Over,
    Stepping,
    Update,
    UpdateSeen,
)
from lab.kernel.system.message_socket import PeerGone, Talk
from lab.kernel.trace.tracer import Tracer
from lab.model.program import Step
from lab.model.topology import Interface
from lab.records import LinkNow, ProgramNow, SocketNow, Syscall

SAMPLE_NS = 200_000_000
"""As often sockets and programs are looked at."""
MOST_CALLS = 400
"""Of one update: the last ones."""
_WRITTEN_BYTES = 2000


class Stepper:
    """Serves who steps; a source of the run's loop (lab.kernel.system.loop.Source)."""

    def __init__(
        self,
        talk: Talk,
        stepping: Stepping,
        wires: Wires,
        namespaces: Mapping[str, Namespace],
        tracer: Tracer | None,
    ) -> None:
        """The deadline counts from now on."""
        self._talk = talk
        self._wires = wires
        self._namespaces = namespaces
        self._tracer = tracer
        self._deadline_ns = time.monotonic_ns() + round(stepping.deadline_s * 1e9)
        self._links = tuple(
            LinkNow(link.name, (_point(link.ends[0]), _point(link.ends[1]))) for link in wires.links
        )
        self._step = Step("", ())
        self._group: ProgramGroup | None = None
        self._is_seen = True
        self._is_changed = True
        self._next_ns = 0
        self._calls: list[Syscall] = []
        self._lost_calls = 0
        self._programs: tuple[ProgramNow, ...] | None = None
        self._sockets: tuple[SocketNow, ...] | None = None
        self._is_in_step = False
        self.waits = False
        """Whether frames wait that nobody has decided on."""
        self.end_ns: int | None = None
        """When programs that still run are to be ended (CLOCK_MONOTONIC), since nobody steps any
        more; None while somebody does."""

    def begin(self, step: Step) -> None:
        """Frames wait from now on: those of this step."""
        self._step, self._is_in_step, self._is_changed = step, True, True
        if self.end_ns is not None:
            self._ask(OpenGates(drops=False))

    def watch(self, group: ProgramGroup) -> None:
        """Tell of these programs."""
        self._group = group

    def end(self) -> None:
        """The step's rules have ended: nothing waits any more."""
        self._is_in_step = self.waits = False

    def over(self) -> None:
        """Say that nobody is needed any more, and wait until that was heard.

        What was asked before is answered: whoever asks next is not this run's.
        """
        self._talk.say(Over())
        while not isinstance(request := self._talk.receive(), Bye):
            self._answer(request)

    def may_end(self, is_drained: bool) -> bool:
        """Whether nothing waits or comes any more, or nobody decides."""
        return self.end_ns is not None or (is_drained and not self.waits and not self._is_changed)

    def descriptors(self) -> Sequence[int]:
        """The caller's, and the gates' notices."""
        return (self._talk.fileno(), *((self._wires.notice,) if self._is_in_step else ()))

    def take(self, readable: Collection[int]) -> None:
        """Do what is asked, and say what has changed."""
        if self._talk.fileno() in readable:
            self._answer(self._talk.receive())
        if self._wires.notice in readable:
            self._is_changed = True
        now_ns = time.monotonic_ns()
        if self.end_ns is None and now_ns > self._deadline_ns:
            self._finish(drops=False)
        if self._tracer is not None:
            calls, lost = self._tracer.take_live()
            self._lost_calls += lost + max(len(self._calls) + len(calls) - MOST_CALLS, 0)
            self._calls = [*self._calls, *calls][-MOST_CALLS:]
        if self._is_seen and self._is_in_step:
            self._tell(now_ns)

    def _answer(self, request: object) -> None:
        match request:
            case UpdateSeen():
                self._is_seen = True
            case Finish(drops):
                self._finish(drops=drops)
            case request if isinstance(request, HoldingRequest):
                why = "the step is over" if not self._is_in_step else self._ask(request)
                self._is_changed = True
                self._talk.say(Answered(str(why or "")))

    def _ask(self, request: object) -> object:
        """The gates' answer; where nobody carries the frames any more, that."""
        try:
            return self._wires.ask_gates(request)
        except PeerGone:
            self._is_in_step = self.waits = False
            return "the process that carries the links' frames was killed"

    def _finish(self, *, drops: bool) -> None:
        if self.end_ns is None:
            self.end_ns = time.monotonic_ns() + round(FINISH_S * 1e9)
        if self._is_in_step:
            self._ask(OpenGates(drops))
            self._is_changed = True

    def _tell(self, now_ns: int) -> None:
        gates = self._read_gates() if self._is_changed else None
        programs = sockets = None
        if now_ns >= self._next_ns or gates is not None or self._calls:
            self._next_ns = now_ns + SAMPLE_NS
            programs = _new(self._read_programs(), self._programs)
            sockets = self._read_sockets()
        if gates is None and programs is None and sockets is None and not self._calls:
            return
        self._programs = self._programs if programs is None else programs
        self._sockets = self._sockets if sockets is None else sockets
        calls, self._calls = tuple(self._calls), []
        lost, self._lost_calls = self._lost_calls, 0
        self._is_seen = False
        left_s = max(self._deadline_ns - now_ns, 0) / 1e9
        self._talk.say(
            Update(
                time.time_ns(), self._step.name, self._links, gates, programs, sockets, calls, lost,
                left_s,
            )
        )  # fmt: skip

    def _read_gates(self) -> AtGates | None:
        self._is_changed = False
        found = self._ask(AskWaiting())
        if not isinstance(found, AtGates):
            return None
        self.waits = any(each.state == "waits" for link in found.waiting for each in link)
        return found

    def _read_programs(self) -> tuple[ProgramNow, ...]:
        group = self._group
        if group is None:
            return ()
        return tuple(
            ProgramNow(
                running.program.name,
                running.program.host,
                running.program.argv,
                running.pid,
                running.exit_status if running.ended_ns is not None else None,
                bytes(running.stdout.data[-_WRITTEN_BYTES:]).decode("utf-8", "backslashreplace"),
                group.line_now(running.program.name),
            )
            for running in group.programs
        )

    def _read_sockets(self) -> tuple[SocketNow, ...] | None:
        """The sockets of the hosts that run programs; None where nothing but the clock moved."""
        hosts = dict.fromkeys(program.host for program in self._step.programs)
        try:
            found = sockets_now(self._namespaces[host] for host in hosts)
        except KernelRefused:
            return None
        if self._sockets is not None and not differ(found, self._sockets):
            return None
        return found


def _new(
    now: tuple[ProgramNow, ...], before: tuple[ProgramNow, ...] | None
) -> tuple[ProgramNow, ...] | None:
    return None if now == before else now


def _point(end: Interface) -> str:
    return f"{end.host}/{end.name}"
