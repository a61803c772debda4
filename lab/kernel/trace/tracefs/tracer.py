"""Tracing by the kernel's own tracepoints, for root. No program is stopped.

The kernel writes an event at each system call's entry and return, at each change of a TCP
socket's state and at each packet that it drops, into buffers of the run's own (instance.py). A
process beside the init empties them (collector.py); the events are evaluated when a step has
ended. Source: Documentation/trace/ftrace.rst and events.rst.

Calls of 32 bits on a 64-bit kernel have no tracepoints of their own: on x86_64 BPF programs, or
where it cannot have them raw events, show that there were some.
"""

from __future__ import annotations

import os
import re
import select
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from heapq import merge
from operator import itemgetter
from pathlib import Path

from lab.errors import InstrumentError, LabError
from lab.kernel.system.capabilities import has_capabilities
from lab.kernel.system.message_socket import PeerGone
from lab.kernel.trace.bpf.network_records import parse_network_records
from lab.kernel.trace.bpf.pid_namespace import own_pid_namespace
from lab.kernel.trace.rings.ring_follower import RingFollower
from lab.kernel.trace.rings.ring_records import parse_ring_records
from lab.kernel.trace.tracefs import events as trace_events
from lab.kernel.trace.tracefs.calls import CallFollower
from lab.kernel.trace.tracefs.collector import Attach, Attached, Collected, Follow, Ready
from lab.kernel.trace.tracefs.format import Formats
from lab.kernel.trace.tracefs.instance import TRACEFS, Instance, has_owner, mount_tracefs
from lab.kernel.trace.tracefs.pages import PageLayout, RawEvent, parse_pages
from lab.kernel.trace.tracefs.pointer_arguments import assign_memory
from lab.kernel.trace.tracefs.sockets import Sight, SocketFollower, Threads
from lab.kernel.trace.tracefs.start import start_collector, take_started
from lab.kernel.trace.tracer import Host, Tracer, killing_signal
from lab.records import Instrument, InstrumentKind, Obtained, Trace

ANSWER_DEADLINE_S = 10.0
SECOND_NS = 1_000_000_000
SLACK_NS = 1_000  # a tracepoint's time is within a fraction of a microsecond of its event


class _CollectorKilled(InstrumentError):
    """Another process has killed the collector, or one that is lent is gone."""


class TracefsTracer(Tracer):
    """Traces by tracepoints; to be made in the init of one of root's sandboxes."""

    def __init__(self, addresses: frozenset[str]) -> None:
        """Start to make everything ready, unless that was started early. `prepare` waits for it.

        `addresses` are the topology's: where BPF cannot, they distinguish its sockets from the
        machine's others, which are in the trace as well.
        """
        super().__init__()
        kind, measured = InstrumentKind, Obtained.MEASURED
        self.instruments = (
            Instrument(kind.CALLS, measured, SLACK_NS, "tracefs, raw per-CPU pipes, clock tai"),
            Instrument(kind.STATES, measured, SLACK_NS, "tracefs"),
            Instrument(kind.DROPS, measured, SLACK_NS, "BPF"),
            Instrument(kind.POINTER_ARGUMENTS, measured, 0, "BPF"),
        )
        self._addresses = addresses
        self._hosts: Mapping[int, Host] = {}
        self._programs: list[str] = []
        self._marker: int | None = None
        self._ready: Ready | None = None
        self._messages, self._collector = take_started()
        if self._collector is None:
            # It is ready, but for what it has to wait for once it knows this process.
            try:
                self._attach()
            except _CollectorKilled:
                self._messages, self._collector = start_collector()

    @classmethod
    def why_not(cls) -> str:
        """Why this process cannot use it; "" if it can. Mounts tracefs if it is not mounted."""
        if not has_owner() or not has_capabilities("CAP_SYS_ADMIN"):
            return "root's own capabilities are needed"
        try:
            mount_tracefs()
            if not _has_clock():
                return "the kernel's trace has no clock `tai` (Linux has it since 5.18)"
        except (LabError, OSError) as error:
            return f"tracefs: {error}"
        for event in trace_events.NEEDED:
            if not os.path.lexists(f"{TRACEFS}/events/{event.replace(':', '/')}"):
                return f"the kernel has no tracepoint {event}"
        return ""

    def watch(self, hosts: Mapping[int, Host]) -> None:
        """See Tracer: states and drops of all other namespaces are left out."""
        self._hosts = hosts

    def prepare(self, program: str) -> Callable[[], None]:
        """A function for the child to call: it marks the process as the program's in the trace.

        Raises KernelRefused and InstrumentError if the instrument could not be made ready.
        """
        if self._marker is None:
            self._marker = self._begin()
        marker, place = self._marker, len(self._programs)
        self._programs.append(program)

        def mark() -> None:
            os.write(marker, b"%s%d %d" % (trace_events.PROGRAM_MARK, place, os.getpid()))

        return mark

    def started(self, program: str, pid: int) -> None:
        """Nothing to do: the program's mark is in the trace."""

    def descriptors(self) -> Sequence[int]:
        """Nothing to poll: the collector empties the buffers."""
        return ()

    def take(self, readable: Collection[int]) -> None:
        """Nothing to do: the collector empties the buffers."""

    def end_step(self, step: str) -> Trace:
        """What was seen since the step before, marked with this step's name."""
        if self._marker is None:
            return Trace()
        try:
            return self._collect(step)
        except _CollectorKilled as error:
            self._killed.append(f"{error}, and what calls, states and drops it saw is lost")
            return Trace()

    def _collect(self, step: str) -> Trace:
        """The trace of `end_step`. Raises _CollectorKilled and InstrumentError."""
        collected = self._ask("collect")
        assert isinstance(collected, Collected)
        # Whole seconds: leap seconds are all that is between the two clocks.
        ahead_ns = time.clock_gettime_ns(time.CLOCK_TAI) - time.time_ns()
        ahead_ns = round(ahead_ns / SECOND_NS) * SECOND_NS
        own, missed = self._events(collected.calls, ahead_ns)
        others, missed_others = self._events(collected.kernel, ahead_ns)
        calls, lengths = self._parted(own)
        self._calls.feed(calls, collected.compat)
        pointers_read = self._answer()
        assert isinstance(pointers_read, dict)
        assign_memory(self._calls.threads, pointers_read)
        self._calls.make_numbers_unique()
        sight = None if collected.network is None else _sight(collected.network, ahead_ns)
        threads = Threads(self._calls.threads)
        self._sockets.feed([*merge(others, lengths, key=itemgetter(0))], threads, sight)
        syscalls, tasks = self._calls.take(step)
        lost = collected.lost_of_rings
        if lost:
            said = f"not followed in step {step} (records of what they do that were lost: {lost})"
            self._name_unusable(InstrumentKind.RINGS, said)
        if self._rings is not None:
            records = (
                replace(each, time_ns=each.time_ns - ahead_ns)
                for each in parse_ring_records(collected.rings)
            )
            syscalls = self._rings.follow(syscalls, records, threads.runner, step, lost)
        states, drops, events, closings = self._sockets.take(step)
        # The pages show most of the losses that the kernel counts: the two must not be added.
        lost = max(missed + missed_others, collected.lost)
        return Trace(syscalls, tasks, states, drops, events, lost, closings=closings)

    def _events(self, pages: list[bytes], ahead_ns: int) -> tuple[list[RawEvent], int]:
        """The run's events of all CPUs in order of time, and how many were lost."""
        events: list[RawEvent] = []
        missed = 0
        for data in pages:
            found, gone = parse_pages(self._layout, data)
            events += found
            missed += gone
        events.sort(key=itemgetter(0))
        since = self._since_ns
        return [(at - ahead_ns, record) for at, record in events if at >= since], missed

    def _parted(self, events: Sequence[RawEvent]) -> tuple[list[RawEvent], list[RawEvent]]:
        """The processes' own events: those of their calls, and those of the calls' sockets."""
        type_of, lengths = self._formats.type_of, self._lengths
        return (
            [each for each in events if type_of(each[1]) not in lengths],
            [each for each in events if type_of(each[1]) in lengths],
        )

    def own_processes(self) -> Sequence[int]:
        """The collector's pid; none where it is lent."""
        return () if self._collector is None else (self._collector,)

    def close(self) -> None:
        """End the collector, or give it back.

        The supervisor removes the instances of this sandbox when that has ended.
        """
        self._messages.close()
        if self._marker is not None:
            os.close(self._marker)
        if self._collector is None:
            return
        # Not waited for: the kernel takes some 40 ms to free what it held, and it is in this
        # sandbox.
        os.kill(self._collector, signal.SIGKILL)

    def _attach(self) -> Ready:
        """Wait until all is ready, and name this process; the answer comes later."""
        ready = self._answer()
        assert isinstance(ready, Ready)
        self._ready = ready
        mark = Instance("kernel", ready.owner).open_marker()
        os.write(mark, trace_events.INIT_MARK)
        os.close(mark)
        self._send(Attach(own_pid_namespace()))
        return ready

    def _begin(self) -> int:
        """Trace this process's children from now on; the marker's descriptor."""
        ready = self._ready or self._attach()
        attached = self._answer()
        assert isinstance(attached, Attached)
        self._ask(Follow(frozenset(self._hosts)))
        formats = self._formats = Formats(ready.formats)
        self._lengths = formats.numbers(trace_events.LENGTHS)
        self._layout: PageLayout = ready.layout
        self._since_ns = attached.marked_ns
        self._calls = CallFollower(formats, self._programs, attached.starter)
        self._sockets = SocketFollower(formats, self._addresses, self._hosts)
        if ready.why_no_pointers:
            unread = f"not read ({ready.why_no_pointers})"
            self._name_unusable(InstrumentKind.POINTER_ARGUMENTS, unread)
        if ready.why_no_networks:
            alone = f"those that the programs' own calls cause ({ready.why_no_networks})"
            self._name_unusable(InstrumentKind.DROPS, alone)
        if ready.why_no_closings:
            unread = f"not read when they are closed ({ready.why_no_closings})"
            self._name_unusable(InstrumentKind.SOCKETS, unread)
        self._rings = None if ready.why_no_rings else RingFollower()
        if ready.why_no_rings:
            unseen = f"not followed ({ready.why_no_rings})"
            self._name_unusable(InstrumentKind.RINGS, unseen)
        if ready.missing:
            absent = f"absent: {', '.join(ready.missing)}"
            self._name_unusable(InstrumentKind.TRACEPOINTS, absent)
        return Instance("calls", ready.owner).open_marker()

    def _name_unusable(self, kind: InstrumentKind, text: str) -> None:
        others = (each for each in self.instruments if each.kind is not kind)
        self.instruments = (*others, Instrument(kind, None, 0, text))

    def _ask(self, request: object) -> object:
        self._send(request)
        return self._answer()

    def _send(self, request: object) -> None:
        with suppress(PeerGone):  # what it sent before is still to be read
            self._messages.send(request)

    def _answer(self) -> object:
        """The collector's next answer. Raises the error that the collector sent instead."""
        try:
            if not select.select([self._messages], [], [], ANSWER_DEADLINE_S)[0]:
                raise InstrumentError(f"the trace's collector is silent for {ANSWER_DEADLINE_S} s")
            kind, value = self._messages.receive()
        except PeerGone:
            if self._collector is None:
                raise _CollectorKilled("the trace's collector, which is lent, is gone") from None
            if number := killing_signal(self._collector):
                said = f"the trace's collector was killed by {number.name}"
                raise _CollectorKilled(said) from None
            raise InstrumentError("the trace's collector has died") from None
        if kind == "error":
            raise value
        return value


def _has_clock() -> bool:
    """Whether a trace can have the times of CLOCK_TAI."""
    major, minor = os.uname().release.split(".")[:2]
    if (int(major), int("".join(filter(str.isdigit, minor)))) >= (5, 18):
        return True  # reading the file would wait while another lab makes or removes an instance
    return "tai" in re.findall(r"\w+", Path(TRACEFS, "trace_clock").read_text("ascii"))


def _sight(records: list[bytes], ahead_ns: int) -> Sight:
    states, drops, closed = parse_network_records(records)
    return Sight(
        sorted(each._replace(time_ns=each.time_ns - ahead_ns) for each in states),
        sorted(each._replace(time_ns=each.time_ns - ahead_ns) for each in drops),
        sorted(each._replace(time_ns=each.time_ns - ahead_ns) for each in closed),
    )
