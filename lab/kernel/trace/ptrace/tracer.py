"""System calls and sockets' states by ptrace(2), which needs no privileges.

Each program has a tracer process of its own, so that programs are traced in parallel. It keeps
what it records until the last process of its program has ended, and sends it then.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import resource
import select
import signal
import socket
import struct
import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from lab.errors import InstrumentError, KernelRefused, LabError
from lab.kernel.system.capabilities import has_capabilities
from lab.kernel.system.descriptors import leave_descriptors_but
from lab.kernel.system.tcp import STATES, TCP_LISTEN, parse_accept_queue, parse_tcp_info
from lab.kernel.trace.ptrace import ptrace, seccomp, socket_samples
from lab.kernel.trace.ptrace.calls import OTHER_WANTED, CallFacts
from lab.kernel.trace.ptrace.library import PLACE, load
from lab.kernel.trace.ptrace.live import LiveFeed, live_pair, read_live
from lab.kernel.trace.ptrace.loop import TracerLoop
from lab.kernel.trace.ptrace.socket_samples import Closing, QueueFacts, Sample
from lab.kernel.trace.tracer import Host, Tracer, killing_signal
from lab.records import (
    HeldSocket,
    Instrument,
    InstrumentKind,
    Memory,
    Obtained,
    QueueSample,
    SocketState,
    Syscall,
    Trace,
)
from lab.syscalls.numbers import numbers, other_numbers

END_DEADLINE_S = 10.0
READ_BYTES = 1 << 20
SLACK_NS = 20_000
"""A tracer takes its times while the program stands still: so long before a call begins to work
and after it has done."""

_ENTRY_NS, _TIME_NS = attrgetter("entry_ns"), attrgetter("time_ns")
_TRACE_ME, _TRACED = b"m", b"t"
_CREDENTIALS = struct.Struct("=iII")  # struct ucred: pid, uid, gid


class TracerProcess:
    """The process that traces one program, seen from the init, its parent."""

    def __init__(
        self,
        program: str,
        can_sample: bool,
        cpu: int,
        *,
        is_live: bool = False,
        library: ctypes.PyDLL | None = None,
    ) -> None:
        """Fork the tracer process, which reports calls at once if it `is_live`.

        The `library` serves plain stops. Raises KernelRefused.
        """
        self.program = program
        self.was_started = False
        self.has_ended = False
        self.killed_by = ""
        """The signal by which another process has killed it."""
        self.denied = ""
        """What was denied to the program, once `trace` has been called."""
        self._was_killed_here = False
        self._received = bytearray()
        ours, theirs = socket.socketpair()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.live: socket.socket | None = None
        telling: socket.socket | None = None
        if is_live:
            self.live, telling = live_pair()
        try:
            self.pid = os.fork()
        except OSError as error:
            ours.close()
            raise KernelRefused(f"cannot fork a tracer for {program}: {error.strerror}") from error
        if self.pid == 0:
            _be_tracer(theirs, program, can_sample, cpu, telling, library)
        theirs.close()
        if telling is not None:
            telling.close()
        self._end = os.pidfd_open(self.pid)
        self._channel = ours
        ours.setblocking(False)

    def fileno(self) -> int:
        """The descriptor from which to read what the tracer process sends."""
        return self._channel.fileno()

    def have_traced(self) -> None:
        """Have this process traced: the program's, before its execve(2). Raises OSError."""
        descriptor = self._channel.fileno()
        os.write(descriptor, _TRACE_ME)
        # Making it blocking would make it blocking in the init as well.
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll()
        if os.read(descriptor, 1) != _TRACED:
            raise PermissionError(f"cannot trace {self.program}")

    def take(self) -> None:
        """Read what it has sent, without waiting; at the end, reap it."""
        while not self.has_ended:
            try:
                chunk = self._channel.recv(READ_BYTES)
            except BlockingIOError:
                return
            except ConnectionResetError:
                chunk = b""
            self._received += chunk
            if not chunk:
                self._reap()

    def wait(self, deadline_ns: int) -> None:
        """Wait for all that it sends. Raises InstrumentError at the deadline (CLOCK_MONOTONIC)."""
        while not self.has_ended:
            left_ms = (deadline_ns - time.monotonic_ns()) / 1e6
            if left_ms <= 0:
                self.kill()
                raise InstrumentError(
                    f"the tracer of {self.program} has not ended: a process of the program is "
                    "still there; end every process that the program starts"
                )
            poll = select.poll()
            poll.register(self._channel, select.POLLIN)
            poll.poll(left_ms)
            self.take()

    def trace(self, step: str) -> Trace:
        """The trace that it has sent, with the step's name. Raises InstrumentError."""
        try:
            failure, calls, tasks, samples, queues, closings, denied = pickle.loads(self._received)
        except (EOFError, pickle.UnpicklingError, ValueError) as error:
            raise InstrumentError(
                f"the tracer of {self.program} died before it had sent its trace"
            ) from error
        if failure:
            raise InstrumentError(f"the tracer of {self.program} failed:\n{failure}")
        self.denied = denied
        return Trace(
            syscalls=tuple(_syscall(self.program, facts, step) for facts in calls),
            tasks=tuple(replace(event, step=step) for event in tasks),
            states=tuple(_state(facts, step) for facts in samples),
            queues=tuple(_queue(facts, step) for facts in queues),
            closings=tuple(_closing(facts, step) for facts in closings),
        )

    def kill(self) -> None:
        """Kill it, and with it every process that it still traces."""
        if not self.has_ended:
            self._was_killed_here = True
            signal.pidfd_send_signal(self._end, signal.SIGKILL)
            self._reap()

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            number = killing_signal(self.pid)
            if number is not None and not self._was_killed_here:
                self.killed_by = number.name
            os.waitpid(self.pid, 0)
        self.has_ended = True
        os.close(self._end)
        self._channel.close()
        if self.live is not None:
            self.live.close()
            self.live = None


class PtraceTracer(Tracer):
    """System calls by ptrace(2), stopped by seccomp(2); states by sampling the sockets."""

    def __init__(self, library: Path | None = PLACE) -> None:
        """The `library`, where it is compiled, serves plain stops; None has Python serve all."""
        super().__init__()
        self._library = load(library)[0] if library is not None else None
        refusal = socket_samples.refusal()
        self._can_sample = not refusal
        calls = "ptrace, stopped by seccomp's RET_TRACE"
        states = "sampled by TCP_INFO, unix queues by SIOCINQ, at the calls' ends"
        self.instruments = (
            Instrument(InstrumentKind.CALLS, Obtained.MEASURED, SLACK_NS, calls),
            Instrument(InstrumentKind.STATES, None, 0, f"not sampled ({refusal})")
            if refusal
            else Instrument(InstrumentKind.STATES, Obtained.SAMPLED, SLACK_NS, states),
        )
        self._tracers: list[TracerProcess] = []
        self._is_live = False
        self._live: list[Syscall] = []
        self._lost_live = 0
        wanted = [*numbers().values()]
        wanted += [n for name, n in other_numbers().items() if name in OTHER_WANTED]
        self._filter = seccomp.Filter(wanted, has_capabilities("CAP_SYS_ADMIN"))

    @classmethod
    def why_not(cls) -> str:
        """Why this process cannot use it; "" if it can."""
        try:
            return ptrace.refusal() or seccomp.refusal()
        except LabError as error:
            return str(error)

    def watch(self, hosts: Mapping[int, Host]) -> None:
        """Nothing to do: it sees the run's programs alone."""

    def prepare(self, program: str) -> Callable[[], None]:
        """A function for the child to call: it has the child traced and its calls filtered."""
        self._drop_unstarted()
        # Each program on another CPU, as far as there are enough.
        cpus = sorted(os.sched_getaffinity(0))
        cpu = cpus[len(self._tracers) % len(cpus)]
        tracer = TracerProcess(
            program, self._can_sample, cpu, is_live=self._is_live, library=self._library
        )
        self._tracers.append(tracer)
        wanted = self._filter

        def be_traced() -> None:
            tracer.have_traced()
            wanted.install()

        return be_traced

    def started(self, program: str, pid: int) -> None:
        """Note that the tracer process prepared last under that name has its program."""
        for tracer in reversed(self._tracers):
            if tracer.program == program:
                tracer.was_started = True
                return
        raise InstrumentError(f"program {program} (pid {pid}) was started, but never prepared")

    def go_live(self) -> bool:
        """Tell of calls while they are made; it can."""
        self._is_live = True
        return True

    def take_live(self) -> tuple[Sequence[Syscall], int]:
        """The calls that were entered or have returned since, and how many more there were."""
        calls, self._live = self._live, []
        lost, self._lost_live = self._lost_live, 0
        return calls, lost

    def descriptors(self) -> Sequence[int]:
        """Those of the tracer processes that have not sent everything yet."""
        found = [tracer.fileno() for tracer in self._tracers if not tracer.has_ended]
        return [*found, *(each.live.fileno() for each in self._tracers if each.live is not None)]

    def take(self, readable: Collection[int]) -> None:
        """Read what the tracer processes have sent."""
        for tracer in self._tracers:
            if tracer.live is not None and tracer.live.fileno() in readable:
                for lost, facts in read_live(tracer.live):
                    self._lost_live += lost
                    self._live.append(_syscall(tracer.program, facts, ""))
            if not tracer.has_ended and tracer.fileno() in readable:
                tracer.take()

    def end_step(self, step: str) -> Trace:
        """The traces of the step's tracer processes as one, once all have ended."""
        self._drop_unstarted()
        tracers, self._tracers = self._tracers, []
        deadline_ns = time.monotonic_ns() + round(END_DEADLINE_S * 1e9)
        try:
            for tracer in tracers:
                tracer.wait(deadline_ns)
        finally:
            for tracer in tracers:
                tracer.kill()
        self._killed += [
            f"the tracer of {each.program} was killed by {each.killed_by}, and what it saw is lost"
            for each in tracers
            if each.killed_by
        ]
        traces = [tracer.trace(step) for tracer in tracers if not tracer.killed_by]
        self._denied.update({each.program: each.denied for each in tracers if each.denied})
        return Trace(
            syscalls=tuple(sorted((c for t in traces for c in t.syscalls), key=_ENTRY_NS)),
            tasks=tuple(sorted((e for t in traces for e in t.tasks), key=_TIME_NS)),
            states=tuple(sorted((s for t in traces for s in t.states), key=_TIME_NS)),
            queues=tuple(sorted((q for t in traces for q in t.queues), key=_TIME_NS)),
            closings=tuple(sorted((c for t in traces for c in t.closings), key=_TIME_NS)),
        )

    def own_processes(self) -> Sequence[int]:
        """Pids of the tracer processes that have not ended."""
        return [tracer.pid for tracer in self._tracers if not tracer.has_ended]

    def close(self) -> None:
        """Kill the tracer processes; those they trace die with them (PTRACE_O_EXITKILL)."""
        for tracer in self._tracers:
            tracer.kill()
        self._tracers.clear()

    def _drop_unstarted(self) -> None:
        """Kill and forget the tracer processes of programs that could not be started."""
        for tracer in self._tracers:
            if not tracer.was_started:
                tracer.kill()
        self._tracers = [tracer for tracer in self._tracers if tracer.was_started]


def _be_tracer(
    channel: socket.socket,
    program: str,
    can_sample: bool,
    cpu: int,
    telling: socket.socket | None,
    library: ctypes.PyDLL | None,
) -> None:
    """Trace the process whose pid comes from the socket; never returns."""
    answer: tuple[Any, ...]
    try:
        _leave_everything_but(channel, telling)
        pid = _sender(channel)
        feed = None if telling is None else LiveFeed(telling)
        loop = TracerLoop(program, pid, can_sample, cpu, feed, library)
        channel.sendall(_TRACED)
        loop.run()
        calls = loop.records()
        sockets = loop.calls.sockets
        denied = loop.calls.denials.first
        closings = list(sockets.closings.values())
        answer = "", calls, loop.task_events, sockets.samples, sockets.queues, closings, denied
    except BaseException:
        answer = traceback.format_exc(), [], [], [], [], [], ""
    try:
        channel.sendall(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
    finally:
        os._exit(0)


def _sender(channel: socket.socket) -> int:
    """The pid of the process that wrote to the socket, as this process's namespace has it.

    In a pid namespace of its own the process knows another. Source: unix(7), SO_PASSCRED.
    """
    _, ancillary, _, _ = channel.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size))
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            return int(_CREDENTIALS.unpack(data)[0])
    raise InstrumentError("the program's process has ended before it was traced")


def _leave_everything_but(*sockets: socket.socket | None) -> None:
    """Close what the init has open, and turn off what would slow the tracer down."""
    leave_descriptors_but({each.fileno() for each in sockets if each is not None})
    gc.disable()
    # Each process of the program takes two descriptors; a forking server may have many.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _syscall(program: str, facts: CallFacts, step: str) -> Syscall:
    pid, tid, name, arguments, reads, entry_ns, exit_ns, result, found = facts
    return Syscall(
        program=program,
        pid=pid,
        tid=tid,
        name=name,
        arguments=arguments,
        memory=tuple(Memory(*read) for read in reads),
        entry_ns=entry_ns,
        exit_ns=exit_ns,
        result=result,
        socket=found,
        step=step,
    )


def _state(sample: Sample, step: str) -> SocketState:
    time_ns, name, state, local, local_port, remote, remote_port, tid = sample
    return SocketState(
        time_ns=time_ns,
        obtained=Obtained.SAMPLED,
        socket=name,
        old="",
        new=state,
        local_address=local,
        local_port=local_port,
        remote_address=remote,
        remote_port=remote_port,
        tid=tid,
        step=step,
    )


def _closing(facts: Closing, step: str) -> HeldSocket:
    time_ns, state, local, local_port, remote, remote_port, name, receive, send, data = facts
    is_listening = state == STATES[TCP_LISTEN]
    if is_listening:
        receive, send = parse_accept_queue(data)
    return HeldSocket(
        time_ns=time_ns,
        moment="close",
        host="",
        protocol="tcp",
        state=state,
        local_address=local,
        local_port=local_port,
        remote_address=remote,
        remote_port=remote_port,
        socket=name,
        receive_queue=receive,
        send_queue=send,
        info=None if is_listening else parse_tcp_info(data),
        step=step,
    )


def _queue(facts: QueueFacts, step: str) -> QueueSample:
    time_ns, name, kind, unread_bytes, tid = facts
    return QueueSample(time_ns, name, kind, unread_bytes, tid, step)
