"""What the hosts' kernels say of themselves at moments of a step: sockets, counters, NATs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from lab.errors import KernelRefused
from lab.kernel.network.conntrack import read_tracked
from lab.kernel.network.counters import CounterReading, changes, names, read_counters
from lab.kernel.network.holders import read_holders
from lab.kernel.network.namespace import Namespace
from lab.kernel.network.sockets import held_sockets, unix_sockets_seen
from lab.model.program import Step
from lab.records import (
    CountersSeen,
    Held,
    HeldSocket,
    Instrument,
    InstrumentKind,
    Obtained,
    SocketSeen,
    Translation,
)

UNIX_DIAG = Instrument(
    InstrumentKind.UNIX_SOCKETS, Obtained.SAMPLED, 0, "sock_diag, while their programs wait"
)
NO_UNIX_DIAG = Instrument(
    InstrumentKind.UNIX_SOCKETS, None, 0, "none, this kernel has no unix_diag"
)
CONNTRACK = Instrument(
    InstrumentKind.TRANSLATIONS, Obtained.SAMPLED, 0, "conntrack, at the end of each step"
)
COUNTERS = Instrument(
    InstrumentKind.COUNTERS,
    Obtained.SAMPLED,
    0,
    "/proc/net/netstat, snmp, snmp6 and dev of each host, before and after each step",
)
INET_DIAG = Instrument(
    InstrumentKind.SOCKETS,
    Obtained.SAMPLED,
    0,
    "sock_diag, at the end of each step and where nothing had moved for 0.2 s",
)
NO_INET_DIAG = Instrument(InstrumentKind.SOCKETS, None, 0, "none, this kernel has no inet_diag")

QUIET_NS = 200_000_000
"""When no frame has come for so long while programs run, something waits."""
STARTING_NS = 300_000_000
"""As long as programs may take to start before that counts."""
SPREAD = 4
"""Sockets are looked at again after this part of the time since the step began, at the earliest:
of a step of a minute, 30 times at most."""


class HostReadings:
    """What was read of a run's hosts so far."""

    def __init__(self, namespaces: Mapping[str, Namespace]) -> None:
        self._namespaces = namespaces
        self.sockets: list[SocketSeen] = []
        self.held: list[HeldSocket] = []
        self.translations: list[Translation] = []
        self.counters: list[CountersSeen] = []
        self.counter_names: tuple[str, ...] = ()
        self.instruments: list[Instrument] = []
        self._step = Step("", ())
        self._busy: dict[str, None] = {}
        """The hosts that run the step's programs."""
        self._since_ns = self._moved_ns = self._next_ns = 0
        self._frames: int | None = None
        """As many had been captured at the last turn of the step."""
        self._last: dict[tuple[object, ...], HeldSocket] = {}

    def begin(self, step: Step) -> Mapping[str, CounterReading]:
        """What the hosts' kernels have counted until now, by the hosts' names."""
        self._step = step
        self._busy = dict.fromkeys(program.host for program in step.programs)
        self._since_ns = time.monotonic_ns()
        self._moved_ns = self._since_ns + STARTING_NS
        self._next_ns, self._frames = 0, None
        self._last.clear()
        return self._read_counters()

    def watch(self, host: str) -> None:
        """Look at this host's sockets as well: it runs a program that the step did not name."""
        self._busy[host] = None

    def end(self, before: Mapping[str, CounterReading]) -> None:
        """Record the sockets that there are, and what the kernels have counted since."""
        self.hold("end")
        after = self._read_counters()
        for host in [host for host in after if host in before]:
            changed = changes(before[host], after[host])
            self.counters.append(CountersSeen(host, changed, self._step.name))
        if after and not self.counter_names:
            self.counter_names = names(next(iter(after.values())))
            self.instruments.append(COUNTERS)

    def take_turn(self, frames: int) -> None:
        """Look at the sockets if something waits. `frames` is how many have been captured so far.

        It is called every few milliseconds while programs run. What is as it was the last time is
        not recorded again.
        """
        now_ns = time.monotonic_ns()
        if self._frames is None:
            self._frames = frames
        elif frames != self._frames:
            self._frames, self._moved_ns = frames, now_ns
        elif now_ns >= max(self._moved_ns + QUIET_NS, self._next_ns):
            self.hold("waiting")
            self._next_ns = now_ns + max(QUIET_NS, (now_ns - self._since_ns) // SPREAD)

    def hold(self, moment: Held) -> None:
        """Record the sockets of the hosts that run the step's programs."""
        holders = {} if moment == "end" else read_holders()
        for host in self._busy:
            try:
                namespace = self._namespaces[host]
                held = held_sockets(namespace, moment, self._step.name, holders)
            except (KernelRefused, OSError) as error:
                why = f"none of {host} in step {self._step.name}: {error}"
                self.instruments.append(Instrument(InstrumentKind.SOCKETS, None, 0, why))
                continue
            self.instruments.append(NO_INET_DIAG if held is None else INET_DIAG)
            self.held += held or () if moment != "waiting" else self._changed(held or ())

    def see_unix_sockets(self, checkpoint: str) -> None:
        """Record every host's unix sockets while a program waits at a checkpoint.

        Raises KernelRefused.
        """
        for namespace in self._namespaces.values():
            seen = unix_sockets_seen(namespace, checkpoint, self._step.name)
            self.instruments.append(NO_UNIX_DIAG if seen is None else UNIX_DIAG)
            self.sockets += seen or ()

    def read_translations(self, nat: str) -> None:
        """Record what a NAT has changed and not forgotten. Raises KernelRefused."""
        self.instruments.append(CONNTRACK)
        self.translations += _translations(self._namespaces[nat], self._step.name)

    def _changed(self, held: Sequence[HeldSocket]) -> Iterator[HeldSocket]:
        for each in held:
            key = (
                each.host, each.protocol, each.socket, each.local_address, each.local_port,
                each.remote_address, each.remote_port,
            )  # fmt: skip
            last = self._last.get(key)
            if last is None or _queues(last) != _queues(each):
                self._last[key] = each
                yield each

    def _read_counters(self) -> Mapping[str, CounterReading]:
        found: dict[str, CounterReading] = {}
        for host, namespace in self._namespaces.items():
            try:
                found[host] = read_counters(namespace)
            except OSError as error:
                where = f"{host} in step {self._step.name}"
                why = f"none of {where}: {error.filename}: {error.strerror}"
                self.instruments.append(Instrument(InstrumentKind.COUNTERS, None, 0, why))
        return found


def _queues(each: HeldSocket) -> tuple[object, ...]:
    return each.state, each.receive_queue, each.send_queue, each.drops, each.holders


def _translations(nat: Namespace, step: str) -> list[Translation]:
    with nat.entered():
        tracked = read_tracked()
    time_ns = time.time_ns()
    return [
        Translation(
            time_ns, nat.name, each.protocol,
            each.original.source, each.original.source_port,
            each.original.destination, each.original.destination_port,
            each.reply.destination, each.reply.destination_port,
            each.reply.source, each.reply.source_port,
            step,
        )
        for each in tracked
        if each.reply != each.original.reversed
    ]  # fmt: skip
