"""Tracing by BPF programs at the kernel's tracepoints, for root. No program is stopped.

The programs record each system call's entry and return with the memory that its pointers point to,
threads' beginnings and ends, each change of a TCP socket's state and each packet that is dropped,
of the run alone. A process beside the init has them loaded and empties their rings (collector.py);
the records are evaluated when a step has ended.
Source: bpf(2), Documentation/bpf/ringbuf.rst.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from lab.errors import InstrumentError, KernelRefused
from lab.kernel.system.message_socket import PeerGone
from lab.kernel.trace.bpf.bpf import records_of
from lab.kernel.trace.bpf.followed import own_pid_namespace
from lab.kernel.trace.bpf.records import in_order
from lab.kernel.trace.collecting.calls import CallFollower
from lab.kernel.trace.collecting.collector import Collected, Follow, Ready
from lab.kernel.trace.collecting.sockets import SocketFollower, Threads
from lab.kernel.trace.collecting.start import (
    Started,
    end,
    start_collector,
    take_started,
    why_no_collector,
)
from lab.kernel.trace.networks.network_records import parse_network_records
from lab.kernel.trace.rings.ring_follower import RingFollower
from lab.kernel.trace.rings.ring_records import parse_ring_records
from lab.kernel.trace.tracer import Host, Tracer, killing_signal
from lab.records import Instrument, InstrumentKind, Obtained, Trace

ANSWER_DEADLINE_S = 10.0
SECOND_NS = 1_000_000_000
SLACK_NS = 1_000  # a program's time is within a fraction of a microsecond of its event


class _CollectorKilled(InstrumentError):
    """Another process has killed the collector, or one that is lent is gone."""


class BpfTracer(Tracer):
    """Traces by BPF; to be made in the init of one of root's sandboxes."""

    def __init__(self) -> None:
        """Start to make everything ready, unless that was started early. `prepare` waits for it."""
        super().__init__()
        kind, measured = InstrumentKind, Obtained.MEASURED
        self.instruments = (
            Instrument(kind.CALLS, measured, SLACK_NS, "BPF at raw tracepoints, clock tai"),
            Instrument(kind.STATES, measured, SLACK_NS, "BPF"),
            Instrument(kind.DROPS, measured, SLACK_NS, "BPF"),
            Instrument(kind.POINTER_ARGUMENTS, measured, 0, "BPF"),
        )
        self._hosts: Mapping[int, Host] = {}
        self._rings: RingFollower | None = None
        self._ready: Ready | None = None
        self._is_following = False
        self._calls = CallFollower(os.uname().machine)
        self._messages, self._collector = take_started()

    @classmethod
    def why_not(cls) -> str:
        """Why this process cannot use it; "" if it can."""
        return why_no_collector()

    def watch(self, hosts: Mapping[int, Host]) -> None:
        """See Tracer: states and drops of all other namespaces are left out."""
        self._hosts = hosts

    def make_ready(self) -> None:
        """See Tracer: the kernel may refuse a program that it is asked about only now."""
        if self._ready is not None:
            return
        try:
            self._ready = self._await_ready()
        except KernelRefused:
            end(Started(self._messages, self._collector))
            self._collector = None
            raise

    def prepare(self, program: str) -> None:
        """See Tracer: the child has nothing to do. `started` says which it is.

        Raises KernelRefused and InstrumentError if the instrument could not be made ready.
        """
        if not self._is_following:
            self._begin()

    def started(self, program: str, pid: int) -> None:
        """See Tracer."""
        self._calls.begin(program, pid)

    def descriptors(self) -> Sequence[int]:
        """Nothing to poll: the collector empties the rings."""
        return ()

    def take(self, readable: Collection[int]) -> None:
        """Nothing to do: the collector empties the rings."""

    def end_step(self, step: str) -> Trace:
        """What was seen since the step before, marked with this step's name."""
        if not self._is_following:
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
        self._calls.feed(in_order(_records(collected.calls), ahead_ns))
        threads = Threads(self._calls.threads)
        lengths = self._calls.take_lengths()
        sight = parse_network_records(collected.network, ahead_ns)
        seen = self._sockets.follow(sight, lengths, threads, step)
        states, drops, events, closings = seen
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
        return Trace(syscalls, tasks, states, drops, events, collected.lost, closings=closings)

    def own_processes(self) -> Sequence[int]:
        """The collector's pid; none where it is lent."""
        return () if self._collector is None else (self._collector,)

    def close(self) -> None:
        """End the collector, or give it back."""
        self._messages.close()
        if self._collector is not None:
            # Not waited for: the kernel takes a while to free what it held, and it is in this
            # sandbox.
            os.kill(self._collector, signal.SIGKILL)

    def _begin(self) -> None:
        """Trace from now on what begins in this process's pid namespace."""
        self.make_ready()
        assert self._ready is not None
        ready = self._ready
        self._ask(Follow(own_pid_namespace(), frozenset(self._hosts)))
        self._is_following = True
        self._sockets = SocketFollower(self._hosts, ready.drop_reasons, ready.reset_reasons)
        if ready.why_no_closings:
            unread = f"not read when they are closed ({ready.why_no_closings})"
            self._name_unusable(InstrumentKind.SOCKETS, unread)
        if ready.why_no_rings:
            unseen = f"not followed ({ready.why_no_rings})"
            self._name_unusable(InstrumentKind.RINGS, unseen)
        else:
            self._rings = RingFollower()
        if ready.missing:
            absent = f"absent: {', '.join(ready.missing)}"
            self._name_unusable(InstrumentKind.TRACEPOINTS, absent)

    def _await_ready(self) -> Ready:
        try:
            ready = self._answer()
        except _CollectorKilled:
            if self._collector is not None:
                raise
            # One that was lent is gone before it was of use.
            self._messages.close()
            self._messages, self._collector = start_collector()
            ready = self._answer()
        assert isinstance(ready, Ready)
        return ready

    def _name_unusable(self, kind: InstrumentKind, text: str) -> None:
        others = (each for each in self.instruments if each.kind is not kind)
        self.instruments = (*others, Instrument(kind, None, 0, text))

    def _ask(self, request: object) -> object:
        with suppress(PeerGone):  # what it sent before is still to be read
            self._messages.send(request)
        return self._answer()

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


def _records(chunks: Sequence[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield from records_of(chunk)
