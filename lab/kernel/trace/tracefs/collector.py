"""The process that makes the instances and empties them, beside the first process.

It is forked by the first process, makes everything ready while that builds the topology, then
sleeps until a CPU's buffer is half full or the first process asks for something. The events of
the calls come from the first process's children alone: were the first process to read them
itself, each read would make events of its own.

Two instances, because a filter of processes applies to a whole instance, and a socket's state
changes and packets are dropped where no process of the run is at work: in soft interrupts,
timers and kernel threads.
"""

from __future__ import annotations

import os
import re
import select
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.errors import InstrumentError, KernelRefused, LabError
from lab.kernel.system.channel import Channel, ChannelClosed
from lab.kernel.trace.tracefs import events as trace_events
from lab.kernel.trace.tracefs.format import parse_format, parse_id
from lab.kernel.trace.tracefs.instance import Instance, sweep
from lab.kernel.trace.tracefs.memory_join import PeekFields
from lab.kernel.trace.tracefs.pages import PageLayout, parse_page_layout, parse_pages

if TYPE_CHECKING:
    from lab.kernel.trace.bpf.memory import MemoryPeek, Peek

BUFFER_KB = 4096
"""A CPU's buffer in each instance; on machines with many CPUs less (see ALL_BUFFERS_KB)."""
ALL_BUFFERS_KB = 256 * 1024
KERNEL_KB = 1024
"""Likewise for the states and drops, which are few."""
LIMIT_BYTES = 64 << 20
"""What is kept of a step. Then the buffers are left to overflow, and the kernel counts."""
PRIORITY = -10
"""It must not wait for a CPU while the programs fill a buffer."""
PATIENT_MS = 100
"""Between looks at the buffers without being woken: kernels have had faults in that."""
PLAIN_NAME = re.compile(r"[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ready:
    """What the collector has found when everything is being traced."""

    formats: dict[int, tuple[str, str]]
    """By a record's ID: the tracepoint's subsystem, and its format file's text."""
    layout: PageLayout
    missing: tuple[str, ...]
    """Tracepoints that this kernel lacks."""
    why_no_memory: str
    """Why what pointers point to is not read; "" where it is."""


@dataclass(frozen=True, slots=True)
class Follow:
    """The request to trace the children of the process that wrote the first mark."""

    interfaces: frozenset[str]
    """At whose arrivals to look."""


@dataclass(slots=True)
class Pages:
    """What one instance has given so far, by CPU."""

    pipes: dict[int, bytearray] = field(default_factory=dict)

    def take(self) -> list[bytes]:
        """Each CPU's pages, which are forgotten."""
        taken = [bytes(data) for data in self.pipes.values()]
        for data in self.pipes.values():
            data.clear()
        return taken

    def drain(self, page_bytes: int) -> None:
        """Read whatever there is, to the last event that has been written."""
        for pipe, data in self.pipes.items():
            # A read gives one page.
            with suppress(BlockingIOError):
                while page := os.read(pipe, page_bytes):
                    data += page

    @property
    def size_bytes(self) -> int:
        """How much is kept."""
        return sum(map(len, self.pipes.values()))


@dataclass(frozen=True, slots=True)
class Collected:
    """What has been collected since the last time."""

    calls: list[bytes]
    """Whole pages, by CPU."""
    kernel: list[bytes]
    lost: int
    """Events for which there was no room."""


Peeked = dict[int, list[PeekFields]]
"""By thread, in the order of its calls. Tuples: the first process, which has no need of what
reads them, would import it to have values of its classes."""


class Collector:
    """Serves the first process over a channel until that is closed."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._calls, self._kernel = Instance("calls"), Instance("kernel")
        self._pages = {self._calls: Pages(), self._kernel: Pages()}
        self._memory = _MemoryOpener()
        self._missing: list[str] = []
        self._formats: dict[int, tuple[str, str]] = {}
        self._lost = 0

    def serve(self) -> None:
        """Make everything ready, then answer; returns when the channel is closed."""
        try:
            self._channel.send(("ready", self._make()))
            # Not before, and beside: a run must not wait for what others have left behind.
            threading.Thread(target=sweep, daemon=True).start()
            self._answer()
        except ChannelClosed:
            return
        except LabError as error:
            self._channel.send(("error", error))
        except OSError as error:
            self._channel.send(("error", InstrumentError(f"the trace's collector failed: {error}")))

    def _make(self) -> Ready:
        with suppress(OSError):  # in some containers even root may not: then it is as others are
            os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        self._memory.start()
        for instance, buffer_kb in ((self._calls, BUFFER_KB), (self._kernel, KERNEL_KB)):
            instance.make()
            self._enlarge(instance, buffer_kb)
            instance.write("trace_clock", "tai")
            # Instances begin with the options of the machine's own trace.
            instance.write("options/markers", "1")
            instance.write("options/overwrite", "1")
            instance.write("buffer_percent", "50")
            for cpu in instance.cpus():
                self._pages[instance].pipes[instance.open_pipe(cpu)] = bytearray()
        self._calls.write("options/event-fork", "1")
        self._layout = parse_page_layout(
            self._calls.read("../../events/header_page"),
            self._calls.read("../../events/header_event"),
        )
        self._mark = self._describe(self._kernel, trace_events.MARK)
        for event in trace_events.OF_KERNEL:
            self._enable(self._kernel, event)
        # Without a process to follow they would tell of all there are.
        self._calls.write("tracing_on", "0")
        for event in trace_events.OF_CALLS:
            self._enable(self._calls, event)
        self._memory.join()
        why = self._memory.refusal
        return Ready(self._formats, self._layout, tuple(self._missing), why)

    def _answer(self) -> None:
        """Answer requests, and empty the buffers when they become half full."""
        while True:
            request = self._wait()
            if isinstance(request, Follow):
                self._ignore_other_interfaces(request.interfaces)
                self._channel.send(("following", self._follow()))
            elif request == "collect":
                # The first process works on the pages while what was read is put together.
                self._channel.send(("collected", self._collect()))
                self._channel.send(("peeked", self._peeked()))

    def _wait(self) -> object:
        """The next request. Meanwhile the buffers are emptied as they fill."""
        poll = select.poll()
        poll.register(self._channel.fileno(), select.POLLIN)
        sources = [pipe for pages in self._pages.values() for pipe in pages.pipes]
        if self._memory.peek is not None:
            sources += self._memory.peek.descriptors()
        for source in sources:
            poll.register(source, select.POLLIN)
        while True:
            readable = {descriptor for descriptor, _ in poll.poll(PATIENT_MS)}
            if self._channel.fileno() in readable:
                return self._channel.receive()
            self._drain()
            if sum(pages.size_bytes for pages in self._pages.values()) > LIMIT_BYTES:
                return self._channel.receive()

    def _drain(self) -> None:
        for pages in self._pages.values():
            pages.drain(self._layout.page_bytes)
        if self._memory.peek is not None:
            self._memory.peek.take()

    def _follow(self) -> int:
        """Trace the children of the process that wrote the first mark; its pid in the trace."""
        self._drain()
        pid = self._find_first()
        self._calls.write("set_event_pid", str(pid))
        self._calls.write("tracing_on", "1")
        return pid

    def _find_first(self) -> int:
        """The pid of the first mark's writer."""
        format_ = parse_format(*self._formats[self._mark])
        read = format_.reader(["common_pid", "buf"])
        for data in self._pages[self._kernel].pipes.values():
            for _, record in parse_pages(self._layout, bytes(data))[0]:
                if trace_events.FIRST_MARK in record:
                    pid = read(record)["common_pid"]
                    assert isinstance(pid, int)
                    return pid
        raise InstrumentError("the first process's mark is not in the trace")

    def _collect(self) -> Collected:
        """Everything up to now. The count of what was lost is the kernel's: pages tell less.

        What BPF had no room for is no event: the call is there, its pointers are shown as such.
        """
        self._drain()
        lost = self._calls.lost() + self._kernel.lost()
        collected = Collected(
            self._pages[self._calls].take(), self._pages[self._kernel].take(), lost - self._lost
        )
        self._lost = lost
        return collected

    def _peeked(self) -> Peeked:
        """What was read of the calls' memory."""
        if self._memory.peek is None:
            return {}
        return {
            tid: list(map(_peek_fields, peeks)) for tid, peeks in self._memory.peek.peeks().items()
        }

    def _enlarge(self, instance: Instance, wanted_kb: int) -> None:
        """Have an instance's buffers be as large as is wanted, which takes a while, if need be."""
        wanted_kb = min(wanted_kb, ALL_BUFFERS_KB // len(instance.cpus()))
        if int(instance.read("buffer_size_kb").split()[0]) < wanted_kb:
            instance.write("buffer_size_kb", str(wanted_kb))

    def _enable(self, instance: Instance, event: str) -> None:
        """Have the instance tell of an event, and keep its format; or note that there is none."""
        folder = f"events/{event.replace(':', '/')}"
        if instance.has(folder):
            self._describe(instance, event)
            instance.write(f"{folder}/enable", "1")
        else:
            self._missing.append(event)

    def _describe(self, instance: Instance, event: str) -> int:
        """Keep an event's format; its ID."""
        system, _, name = event.partition(":")
        text = instance.read(f"events/{system}/{name}/format")
        number = parse_id(text)
        self._formats[number] = (system, text)
        return number

    def _ignore_other_interfaces(self, interfaces: frozenset[str]) -> None:
        """Have the machine's own traffic not fill the buffer, as far as names tell it apart."""
        if all(map(PLAIN_NAME.fullmatch, interfaces)):
            names = " || ".join(f'name == "{name}"' for name in sorted(interfaces))
            self._kernel.write(f"events/{trace_events.ARRIVAL.replace(':', '/')}/filter", names)


def _peek_fields(peek: Peek) -> PeekFields:
    memory = [(m.argument, m.part, m.at_exit, m.data, m.length) for m in peek.memory]
    return peek.number, peek.time_ns, peek.at_exit, tuple(memory)


class _MemoryOpener(threading.Thread):
    """Opens the instrument for memory while the kernel is waited for elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.peek: MemoryPeek | None = None
        self.refusal = ""

    def run(self) -> None:
        # Not at the top: this process alone needs it, and the first one must not wait for it.
        from lab.kernel.trace.bpf.memory import MemoryPeek

        try:
            self.peek = MemoryPeek.open()
        except KernelRefused as error:
            self.refusal = str(error)
