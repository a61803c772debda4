"""The collector: a process beside the init that fills the tracefs instances and empties them.

The init forks it, or is lent it (keeper.py). It makes everything ready while the init builds the
topology, then sleeps until a CPU's buffer is half full or the init sends a request. The events of
calls come from the init's children alone: if the init read them itself, each read would cause
events of its own.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from lab.errors import InstrumentError, KernelRefused, LabError
from lab.frozen import frozen
from lab.kernel.system.limits import as_refusal
from lab.kernel.system.message_socket import MessageSocket, PeerGone
from lab.kernel.trace.bpf.pid_namespace import PidNamespace
from lab.kernel.trace.tracefs import events as trace_events
from lab.kernel.trace.tracefs.format import parse_format, parse_id
from lab.kernel.trace.tracefs.instance import TRACEFS, Instance, Owner, sweep
from lab.kernel.trace.tracefs.instance_pair import InstancePair
from lab.kernel.trace.tracefs.pages import PageLayout, parse_page_layout, parse_pages
from lab.kernel.trace.tracefs.pointer_arguments import PointerFields

if TYPE_CHECKING:
    from lab.kernel.trace.bpf.network_reader import NetworkReader
    from lab.kernel.trace.bpf.pointer_reader import PointerReader
    from lab.kernel.trace.bpf.records import CompatCall, PointerArguments
    from lab.kernel.trace.rings.ring_reader import RingReader

Reader = TypeVar("Reader")

LIMIT_BYTES = 64 << 20
"""The most that is kept of a step. Beyond it the buffers overflow, and the kernel counts."""
END_DEADLINE_S = 10.0
"""So long after its run is over a sandbox may take to end: the kernel's part of it is slow."""
PATIENT_MS = 100
"""How often the buffers are read without a wake-up: some kernels have missed wake-ups."""


@frozen
class Ready:
    """What the collector found when it made everything ready."""

    owner: Owner
    """Whose instances it fills."""
    formats: dict[int, tuple[str, str]]
    """By a tracepoint's ID: its subsystem, and the text of its format file."""
    layout: PageLayout
    missing: tuple[str, ...]
    """Tracepoints that this kernel lacks."""
    why_no_pointers: str
    """Why pointer arguments are not read; "" if they are."""
    why_no_networks: str
    """Why the run's network namespaces are not distinguished from others; "" if they are."""
    why_no_closings: str
    """Why it is not read what sockets had when they were closed; "" if it is."""
    why_no_rings: str
    """Why rings of io_uring(7) are not followed; "" if they are, or if the kernel has none."""


@frozen
class Attach:
    """The request to trace, after `Follow`, the children of the process that wrote INIT_MARK."""

    inside: PidNamespace
    """The sandbox's."""


@frozen
class Attached:
    """The answer."""

    starter: int
    """That process's pid in the trace."""
    marked_ns: int
    """When it wrote the mark, by the trace's clock: what is older is not the run's."""


@frozen
class Follow:
    """The request to begin."""

    namespaces: frozenset[int]
    """The run's network namespaces, by their inodes."""


@dataclass(slots=True)
class Pages:
    """The pages read from one instance so far."""

    pipes: dict[int, bytearray] = field(default_factory=dict)
    """By the descriptor of each CPU's pipe."""

    def take(self) -> list[bytes]:
        """Each CPU's pages. They are removed."""
        taken = [bytes(data) for data in self.pipes.values()]
        for data in self.pipes.values():
            data.clear()
        return taken

    def drain(self, page_bytes: int) -> None:
        """Read everything that has been written so far."""
        for pipe, data in self.pipes.items():
            # A read gives one page.
            with suppress(BlockingIOError):
                while page := os.read(pipe, page_bytes):
                    data += page

    @property
    def size_bytes(self) -> int:
        """How many bytes are kept."""
        return sum(map(len, self.pipes.values()))


@frozen
class Collected:
    """What has been collected since the last request."""

    calls: list[bytes]
    """Whole pages, an item for each CPU."""
    kernel: list[bytes]
    network: list[bytes] | None
    """What BPF recorded in the run's network namespaces; None if it does not."""
    rings: list[bytes]
    """What it recorded of rings."""
    lost_of_rings: int
    """How many of those records were lost: then none of them can be relied on."""
    compat: list[CompatCall]
    """Calls by the i386 table, in order of time, where BPF finds them; else they are in `calls`."""
    lost: int
    """How many events were lost for lack of room."""


PointerArgumentsByThread = dict[int, list[PointerFields]]
"""Each thread's calls in order, by its tid. Tuples, because the init would have to import
lab.kernel.trace.bpf to unpickle values of its classes."""


class Collector:
    """Serves one init after another, each over a message socket until that is closed."""

    def __init__(self, instances: InstancePair, without: Collection[int]) -> None:
        """`without` are the pids, in the sandboxes, of processes that are not traced."""
        self._instances = instances
        self._ready: Ready | None = None
        self._calls, self._kernel = instances.calls, instances.kernel
        self._pages = {self._calls: Pages(), self._kernel: Pages()}
        self._pointers = _Opener(partial(_open_pointer_reader, without))
        self._networks = _Opener(_open_network_reader)
        self._rings = _Opener(_open_ring_reader)
        self._missing: list[str] = []
        self._formats: dict[int, tuple[str, str]] = {}
        self._network: list[bytes] = []
        self._of_rings: list[bytes] = []
        self._lost = 0
        self._lost_of_rings = 0

    def serve(self, messages: MessageSocket) -> bool:
        """Make everything ready, unless it is, then answer; returns when `messages` is closed.

        Whether nothing has failed: only then may it serve another, after `forget`.
        """
        self._messages = messages
        try:
            if self._ready is None:
                self._ready = self._make()
                messages.send(("ready", self._ready))
                # Afterwards, and in a thread: a run must not wait for what others left behind.
                threading.Thread(target=sweep, daemon=True).start()
            else:
                # Since the last run it was off, or what others do would have filled the buffer.
                self._kernel.write("tracing_on", "1")
                messages.send(("ready", self._ready))
            self._answer()
        except PeerGone:
            return True
        except LabError as error:
            self._fail(as_refusal(error) or error)
        except OSError as error:
            failure = InstrumentError(f"the trace's collector failed: {error}")
            self._fail(as_refusal(error) or failure)
        return False

    def _fail(self, error: LabError) -> None:
        with suppress(PeerGone):
            self._messages.send(("error", error))

    def forget(self, init: int) -> None:
        """Keep nothing of the run that was served, so that another can be.

        `init` is the pidfd of that run's init, whose end is waited for: then all of its sandbox's
        processes have ended. Raises InstrumentError and KernelRefused where something may be left:
        then it may serve no other.
        """
        self._calls.write("tracing_on", "0")
        self._kernel.write("tracing_on", "0")
        if not select.select([init], [], [], END_DEADLINE_S)[0]:
            raise InstrumentError("a sandbox goes on though its run is over")
        for reader in self._readers():
            reader.forget()
        self._drain()
        for pages in self._pages.values():
            pages.take()
        self._network, self._of_rings = [], []
        # The kernel takes the processes off set_event_pid when it frees them, some time after their
        # end. Whoever had the pid of one until then would be traced, but followed by nobody.
        self._count_lost()

    def close(self) -> None:
        """Free all that it has, but for the instances themselves: they can be removed then."""
        for reader in self._readers():
            reader.close()
        for pages in self._pages.values():
            for pipe in pages.pipes:
                os.close(pipe)

    def _readers(self) -> list[PointerReader | NetworkReader | RingReader]:
        found = self._pointers.reader, self._networks.reader, self._rings.reader
        return [reader for reader in found if reader is not None]

    def _make(self) -> Ready:
        self._pointers.start()
        self._networks.start()
        has_rings = os.path.lexists(f"{TRACEFS}/{_folder(trace_events.RING)}")
        if has_rings:
            self._rings.start()
        self._instances.wait_until_made()
        for instance in (self._calls, self._kernel):
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
        # Without a pid to follow, the instance traces every process.
        self._calls.write("tracing_on", "0")
        for event in trace_events.OF_CALLS:
            self._enable(self._calls, event)
        self._pointers.join()
        if self._pointers.reader is None or not self._pointers.reader.finds_compat:
            self._enable_raw()
        self._networks.join()
        if has_rings:
            self._rings.join()
        if self._networks.reader is None:
            self._enable(self._kernel, trace_events.DROP)
        elif self._kernel.has(_folder(trace_events.DROP)):
            self._describe(self._kernel, trace_events.DROP)  # for the names of the reasons
        missing = tuple(self._missing)
        refusals = self._pointers.refusal, self._networks.refusal
        reader = self._networks.reader
        no_closings = self._networks.refusal if reader is None else reader.why_no_closings
        no_rings = self._rings.refusal
        return Ready(
            self._instances.owner,
            self._formats,
            self._layout,
            missing,
            *refusals,
            no_closings,
            no_rings,
        )

    def _answer(self) -> None:
        """Answer requests, and empty the buffers when they become half full."""
        while True:
            request = self._wait()
            if isinstance(request, Attach):
                self._messages.send(("attached", self._attach(request.inside)))
            elif isinstance(request, Follow):
                self._follow(request.namespaces)
                self._messages.send(("following", None))
            elif request == "collect":
                # The init works on the pages while the pointer arguments are put together.
                self._messages.send(("collected", self._collect()))
                self._messages.send(("pointer arguments", self._pointer_arguments()))

    def _wait(self) -> object:
        """Wait for the next request; meanwhile empty the buffers as they fill."""
        poll = select.poll()
        poll.register(self._messages.fileno(), select.POLLIN)
        sources = [pipe for pages in self._pages.values() for pipe in pages.pipes]
        if self._pointers.reader is not None:
            sources += self._pointers.reader.descriptors()
        if self._rings.reader is not None:
            sources += self._rings.reader.descriptors()
        for source in sources:
            poll.register(source, select.POLLIN)
        while True:
            readable = {descriptor for descriptor, _ in poll.poll(PATIENT_MS)}
            if self._messages.fileno() in readable:
                return self._messages.receive()
            self._drain()
            if sum(pages.size_bytes for pages in self._pages.values()) > LIMIT_BYTES:
                return self._messages.receive()

    def _drain(self) -> None:
        for pages in self._pages.values():
            pages.drain(self._layout.page_bytes)
        if self._pointers.reader is not None:
            self._pointers.reader.take()
        if self._networks.reader is not None:
            self._network += self._networks.reader.take()
        if self._rings.reader is not None:
            self._of_rings += self._rings.reader.take()

    def _attach(self, inside: PidNamespace) -> Attached:
        """Choose the init's children; for a second init, the kernel waits some 40 ms."""
        for reader in (self._pointers.reader, self._rings.reader):
            if reader is not None:
                reader.follow(inside)
        self._drain()
        attached = self._find_init()
        # Emptying the list would take the kernel longer than adding to it.
        self._calls.write("set_event_pid", str(attached.starter), adds=True)
        return attached

    def _follow(self, namespaces: frozenset[int]) -> None:
        """Start to trace them."""
        if self._networks.reader is not None:
            self._networks.reader.follow(namespaces)
        self._calls.write("tracing_on", "1")

    def _find_init(self) -> Attached:
        """The process that wrote INIT_MARK."""
        format_ = parse_format(*self._formats[self._mark])
        read = format_.reader(["common_pid", "buf"])
        for data in self._pages[self._kernel].pipes.values():
            for time_ns, record in parse_pages(self._layout, bytes(data))[0]:
                if trace_events.INIT_MARK in record:
                    pid = read(record)["common_pid"]
                    assert isinstance(pid, int)
                    return Attached(pid, time_ns)
        raise InstrumentError("the mark of the sandbox's init is not in the trace")

    def _collect(self) -> Collected:
        """Everything since the last request.

        `lost` is the kernel's count, since the pages do not show every loss. Pointer arguments
        that BPF lost are not counted: the call is there and shows the pointers themselves.
        """
        self._drain()
        lost, lost_of_rings = self._count_lost()
        network, self._network = self._network, []
        of_rings, self._of_rings = self._of_rings, []
        pointers = self._pointers.reader
        return Collected(
            self._pages[self._calls].take(),
            self._pages[self._kernel].take(),
            network if self._networks.reader is not None else None,
            of_rings,
            lost_of_rings,
            [] if pointers is None else pointers.read_compat(),
            lost,
        )

    def _count_lost(self) -> tuple[int, int]:
        """How much was lost since it was counted last: events, and records of rings."""
        lost = self._calls.lost() + self._kernel.lost()
        lost += 0 if self._networks.reader is None else self._networks.reader.lost
        lost += 0 if self._pointers.reader is None else self._pointers.reader.lost_compat
        of_rings = 0 if self._rings.reader is None else self._rings.reader.lost
        more = lost - self._lost, of_rings - self._lost_of_rings
        self._lost, self._lost_of_rings = lost, of_rings
        return more

    def _pointer_arguments(self) -> PointerArgumentsByThread:
        """What was read of the calls' pointer arguments."""
        if self._pointers.reader is None:
            return {}
        return {
            tid: list(map(_fields_of, calls)) for tid, calls in self._pointers.reader.read().items()
        }

    def _enable(self, instance: Instance, event: str) -> None:
        """Enable an event and keep its format, or note that the kernel has no such event."""
        folder = _folder(event)
        if instance.has(folder):
            self._describe(instance, event)
            instance.write(f"{folder}/enable", "1")
        else:
            self._missing.append(event)

    def _enable_raw(self) -> None:
        """Enable the raw events of the calls by the i386 table, if the kernel has them.

        They are enabled last: at an entry the kernel writes events in the order in which they were
        enabled, so that a call's own comes before its raw one. A call of the same number that has
        no tracepoint is none that the kernel has been built with.
        """
        raw = (trace_events.RAW_ENTER, trace_events.RAW_EXIT)
        if not trace_events.RAW_FILTER or not all(self._calls.has(_folder(each)) for each in raw):
            return
        for event in trace_events.SAME_NUMBERED:
            if self._calls.has(_folder(event)):
                self._enable(self._calls, event)
        for event in raw:
            self._calls.write(f"{_folder(event)}/filter", trace_events.RAW_FILTER)
            self._enable(self._calls, event)

    def _describe(self, instance: Instance, event: str) -> int:
        """Keep an event's format; its ID."""
        system, _, name = event.partition(":")
        text = instance.read(f"events/{system}/{name}/format")
        number = parse_id(text)
        self._formats[number] = (system, text)
        return number


def _folder(event: str) -> str:
    """An event's folder in an instance."""
    return f"events/{event.replace(':', '/')}"


def _fields_of(call: PointerArguments) -> PointerFields:
    memory = [(m.argument, m.part, m.at_exit, m.data, m.length) for m in call.memory]
    return call.number, call.time_ns, call.at_exit, tuple(memory)


class _Opener(threading.Thread, Generic[Reader]):
    """Opens a reader while the collector waits for the kernel."""

    def __init__(self, open_: Callable[[], Reader]) -> None:
        super().__init__()
        self.reader: Reader | None = None
        self.refusal = ""
        self._open = open_

    def run(self) -> None:
        try:
            self.reader = self._open()
        except (LabError, OSError) as error:
            self.refusal = str(error)


# The imports are not at the top: this process alone needs them, and the init must not wait.


def _open_pointer_reader(without: Collection[int]) -> PointerReader:
    from lab.kernel.trace.bpf.pointer_reader import PointerReader

    return PointerReader.open(without)


def _open_network_reader() -> NetworkReader:
    from lab.kernel.trace.bpf.network_reader import NetworkReader

    system, _, name = trace_events.DROP.partition(":")
    try:
        text = Path(TRACEFS, "events", system, name, "format").read_text("utf-8")
    except OSError as error:
        raise KernelRefused(f"the kernel has no tracepoint {trace_events.DROP}") from error
    drop = parse_format(system, text)
    reasons = {name: number for number, name in drop.symbols.get("reason", {}).items()}
    if trace_events.UNEXPLAINED not in reasons:
        raise KernelRefused("the kernel gives no reasons for drops (Linux does since 5.17)")
    return NetworkReader(reasons[trace_events.UNEXPLAINED], names_receiver=drop.has("rx_sk"))


def _open_ring_reader() -> RingReader:
    from lab.kernel.trace.rings.ring_reader import RingReader

    return RingReader()
