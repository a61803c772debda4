"""A step's calls made one after another, and the frames beside them.

The crossings' times are microseconds after START_NS, like those of the calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shown import ShownEndpoint, shown
from traced import AF_INET, SOCK_STREAM, START_NS, Given, address4, call, trace
from transcript import crossings

from lab.analysis.calls.decode import decode
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow, group_flows
from lab.analysis.sockets.endpoints import find_endpoints
from lab.records import ProgramRun, Trace
from lab.syscalls.descriptors import follow

NOWHERE = 0x7000
SERVER = address4("10.0.0.2", 80)
RUNS = tuple(
    ProgramRun(name, host, (), 0, None, 1, 0, "", "")
    for name, host in (("client", "client"), ("server", "server"), ("second", "client"))
)


class Story:
    """Calls one after another, each 2 microseconds long, 10 after the one before."""

    def __init__(self) -> None:
        self.records: list[object] = []
        self.now = 0

    def call(
        self,
        program: str,
        name: str,
        *arguments: Given,
        result: int | None = 0,
        at: tuple[float, float] | None = None,
        **more: Any,
    ) -> Story:
        self.now += 10
        at = at or (self.now, self.now + 2)
        self.now = max(self.now, int(at[0]))
        self.records.append(call(program, name, *arguments, result=result, at=at, **more))
        return self

    def add(self, *records: object) -> Story:
        self.records += records
        return self

    def listen(self, place: bytes = SERVER, domain: int = AF_INET) -> Story:
        self.call("server", "socket", domain, SOCK_STREAM, 0, result=3)
        self.call("server", "bind", 3, place, len(place))
        return self.call("server", "listen", 3, 5)

    def socket(self, program: str = "client", result: int = 3, type: int = SOCK_STREAM) -> Story:
        return self.call(program, "socket", AF_INET, type, 0, result=result)

    def connect(self, program: str = "client", descriptor: int = 3, **more: object) -> Story:
        return self.call(program, "connect", descriptor, SERVER, 16, **more)  # type: ignore[arg-type]

    def accept(self, result: int = 4, place: bytes | None = None, **more: object) -> Story:
        length = NOWHERE if place else None
        return self.call("server", "accept4", 3, place, length, 0, result=result, **more)  # type: ignore[arg-type]

    @property
    def trace(self) -> Trace:
        return trace(*self.records)  # type: ignore[arg-type]

    def endpoints(self, wire: str = "") -> dict[str, ShownEndpoint]:
        return {each.id: each for each in found_in(self.trace, flows_of(wire))[0]}


def found_in(
    whole: Trace, flows: Sequence[Flow] = ()
) -> tuple[tuple[ShownEndpoint, ...], tuple[str, ...]]:
    followed = follow(whole)
    found, owners = find_endpoints(whole, followed, decode(whole, followed, RUNS), RUNS, flows)
    return tuple(map(shown, found)), owners


def flows_of(wire: str) -> tuple[Flow, ...]:
    return group_flows(map(_timed, crossings(wire)))


def _timed(crossing: Crossing) -> Crossing:
    """The same with "15" for 15 microseconds, and hosts without their ports."""

    def time_of(stamp_ns: int | None) -> int | None:
        return None if stamp_ns is None else START_NS + stamp_ns // 10**6

    return replace(
        crossing,
        sender=crossing.sender.partition(":")[0],
        receiver=crossing.receiver.partition(":")[0],
        sent_ns=time_of(crossing.sent_ns),
        received_ns=time_of(crossing.received_ns),
    )


def opening(at: int, client: str = "client", seq: int = 100) -> str:
    """A handshake, from that time on."""
    return f"""
        {at} {client} > server SYN seq={seq}
        {at + 1} server > {client} SYN,ACK seq=900 ack={seq + 1}
        {at + 2} {client} > server ACK seq={seq + 1} ack=901
    """


def refusal(at: int, client: str = "client") -> str:
    return f"""
        {at} {client} > server SYN seq=100
        {at + 1} server > {client} RST,ACK seq=0 ack=101
    """


def datagrams(at: int, client: str = "client") -> str:
    return f"""
        {at} {client} > server UDP data=ask
        {at + 30} server > {client} UDP data=answer
    """


def connection() -> Story:
    """listen 10 to 30, socket 40, connect 50, accept 60: of which calls alone were recorded."""
    return Story().listen().socket().connect().accept()
