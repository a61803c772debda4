"""The collector: a process beside the init that has BPF programs record, and empties their rings.

The init forks it, or is lent it (pool.py). It makes everything ready while the init builds the
topology, then sleeps until a ring has enough to ask or the init sends a request.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from lab.errors import InstrumentError, LabError
from lab.frozen import frozen
from lab.kernel.system.limits import as_refusal
from lab.kernel.system.message_socket import MessageSocket, PeerGone
from lab.kernel.trace.bpf.followed import FollowedNamespace

if TYPE_CHECKING:
    from lab.kernel.trace.bpf.bpf import ProgramReader
    from lab.kernel.trace.bpf.call_reader import CallReader
    from lab.kernel.trace.networks.network_reader import NetworkReader
    from lab.kernel.trace.rings.ring_reader import RingReader

Reader = TypeVar("Reader")

LIMIT_BYTES = 64 << 20
"""The most that is kept of a step's calls. Beyond it the ring overflows, and that is counted."""
END_DEADLINE_S = 10.0
"""So long after its run is over a sandbox may take to end: the kernel's part of it is slow."""
PATIENT_MS = 100
"""How often the rings are read without a wake-up."""


@frozen
class Ready:
    """What the collector found when it made everything ready."""

    missing: tuple[str, ...]
    """Tracepoints that this kernel lacks."""
    drop_reasons: dict[int, str]
    """Those of dropped packets by their numbers on this kernel."""
    reset_reasons: dict[int, str]
    """The same of RSTs."""
    why_no_closings: str
    """Why it is not read what sockets had when they were closed; "" if it is."""
    why_no_rings: str
    """Why rings of io_uring(7) are not followed; "" if they are, or if the kernel has none."""


@frozen
class Follow:
    """The request to begin."""

    inside: int
    """The inode of the sandbox's pid namespace: what begins in it from now on is traced."""
    namespaces: frozenset[int]
    """The run's network namespaces, by their inodes."""


@frozen
class Collected:
    """What has been collected since the last request: bytes as the rings had them, or records."""

    calls: list[bytes]
    network: list[bytes]
    rings: list[bytes]
    lost_of_rings: int
    """How many of those records were lost: then none of them can be relied on."""
    lost: int
    """How many others were lost for lack of room."""


class Collector:
    """Serves one init after another, each over a message socket until that is closed."""

    def __init__(self) -> None:
        self._ready: Ready | None = None
        self._rings: RingReader | None = None
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
        if not select.select([init], [], [], END_DEADLINE_S)[0]:
            raise InstrumentError("a sandbox goes on though its run is over")
        self._followed.forget()
        for reader in self._readers():
            reader.forget()
        self._network, self._of_rings = [], []
        self._count_lost()

    def _readers(self) -> list[ProgramReader]:
        found = self._calls, self._networks
        return [*found] if self._rings is None else [*found, self._rings]

    def _make(self) -> Ready:
        """Raises LabError and OSError."""
        self._followed = FollowedNamespace()
        calls = _Opener(partial(_open_call_reader, self._followed))
        networks = _Opener(_open_network_reader)
        rings = _Opener(partial(_open_ring_reader, self._followed))
        self._calls, self._networks = calls.result(), networks.result()
        no_rings = ""
        try:
            self._rings = rings.result()
        except (LabError, OSError) as error:
            no_rings = str(error)
        return Ready(
            self._calls.missing,
            self._networks.drop_reasons,
            self._networks.reset_reasons,
            self._networks.why_no_closings,
            no_rings,
        )

    def _answer(self) -> None:
        """Answer requests, and empty the rings as they fill."""
        while True:
            request = self._wait()
            if isinstance(request, Follow):
                self._follow(request)
                self._messages.send(("following", None))
            elif request == "collect":
                self._messages.send(("collected", self._collect()))

    def _wait(self) -> object:
        """Wait for the next request; meanwhile empty the rings as they fill."""
        poll = select.poll()
        poll.register(self._messages.fileno(), select.POLLIN)
        for reader in self._readers():
            for source in reader.descriptors():
                poll.register(source, select.POLLIN)
        while True:
            readable = {descriptor for descriptor, _ in poll.poll(PATIENT_MS)}
            if self._messages.fileno() in readable:
                return self._messages.receive()
            self._drain()
            if self._calls.size_bytes > LIMIT_BYTES:
                return self._messages.receive()

    def _drain(self) -> None:
        self._calls.take()
        self._network += self._networks.take()
        if self._rings is not None:
            self._of_rings += self._rings.take()

    def _follow(self, request: Follow) -> None:
        self._networks.follow(request.namespaces)
        self._followed.follow(request.inside)

    def _collect(self) -> Collected:
        """Everything since the last request."""
        self._drain()
        lost, lost_of_rings = self._count_lost()
        network, self._network = self._network, []
        of_rings, self._of_rings = self._of_rings, []
        return Collected(self._calls.read(), network, of_rings, lost_of_rings, lost)

    def _count_lost(self) -> tuple[int, int]:
        """How many records have been lost since it was counted last, and of those of rings."""
        total = self._calls.lost + self._networks.lost
        of_rings = 0 if self._rings is None else self._rings.lost
        lost = total - self._lost, of_rings - self._lost_of_rings
        self._lost, self._lost_of_rings = total, of_rings
        return lost


class _Opener(threading.Thread, Generic[Reader]):
    """Opens a reader while others are opened."""

    def __init__(self, open_: Callable[[], Reader]) -> None:
        super().__init__()
        self._open = open_
        self._reader: Reader
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._reader = self._open()
        except Exception as error:
            self._error = error

    def result(self) -> Reader:
        """Wait for it. Raises what opening it has raised."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._reader


# The imports are not at the top: this process alone needs them, and the init must not wait.


def _open_call_reader(followed: FollowedNamespace) -> CallReader:
    from lab.kernel.trace.bpf.call_reader import CallReader

    return CallReader(followed)


def _open_network_reader() -> NetworkReader:
    from lab.kernel.trace.networks.network_reader import NetworkReader

    return NetworkReader()


def _open_ring_reader(followed: FollowedNamespace) -> RingReader | None:
    """None where the kernel has no io_uring(7)."""
    from lab.kernel.trace.bpf.btf import kernel_btf
    from lab.kernel.trace.rings.ring_reader import RingReader

    return RingReader(followed) if kernel_btf().has("io_ring_ctx") else None
