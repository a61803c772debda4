"""Runs in which calls failed, made of the recording traced-tcp4."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address

import step_edits as s
import trace_edits as t
from causes_found import causes_in

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.cause import Cause
from lab.records import Memory, RanAs, Recording, Syscall

TCP = s.recording_of("traced-tcp4")
(TIMELINE,) = build_timelines(TCP)
(FLOW,) = TIMELINE.flows
STEP = TIMELINE.step
LATE_NS = FLOW.crossings[-1].time_ns + 1_000


def sockaddr(address: str, port: int, scope: int = 0, argument: int = 1) -> Memory:
    """What bind(2) and connect(2) point to; sendto(2) by its argument 4."""
    ip = ip_address(address)
    start = struct.pack("<H", 2 if ip.version == 4 else 10) + struct.pack("!H", port)
    rest = (
        ip.packed + bytes(8) if ip.version == 4 else bytes(4) + ip.packed + struct.pack("<I", scope)
    )
    return Memory(argument, "", False, start + rest, len(start + rest))


def found(run: Recording) -> Mapping[str, Cause]:
    return causes_in(run, STEP)


def bound(address: str, port: int, errno: int, at_ns: int = LATE_NS) -> Recording:
    """The client made another socket, and bound it in vain."""
    sockets = t.call_of(TCP, "client", "socket")
    made = replace(sockets, entry_ns=at_ns, exit_ns=at_ns + 1, result=90, socket="")
    bind = replace(
        made, name="bind", arguments=(90, 1, 16), memory=(sockaddr(address, port),),
        entry_ns=at_ns + 2, exit_ns=at_ns + 3, result=-errno,
    )  # fmt: skip
    return t.with_calls(TCP, [*TCP.trace.syscalls, made, bind])


def attempted(
    name: str,
    errno: int,
    arguments: tuple[int, ...] = (90, 1, 16),
    memory: Memory | None = None,
    *,
    kind: tuple[int, int, int] = (2, 1, 0),
    before: tuple[str, ...] = (),
    at_ns: int = LATE_NS,
) -> Recording:
    """The client made another socket, of domain, type and protocol, and called that in vain.

    `before` are calls on it with the same arguments that succeeded.
    """
    sockets = t.call_of(TCP, "client", "socket")
    made = replace(sockets, arguments=kind, entry_ns=at_ns, exit_ns=at_ns + 1, result=90, socket="")
    calls = [made]
    for each, result in (*((name, 0) for name in before), (name, -errno)):
        at_ns += 2
        known = () if memory is None else (memory,)
        calls.append(
            replace(
                made, name=each, arguments=arguments, memory=known, entry_ns=at_ns,
                exit_ns=at_ns + 1, result=result,
            )
        )  # fmt: skip
    return t.with_calls(TCP, [*TCP.trace.syscalls, *calls])


def failing(name: str, errno: int, nth: int = 0, program: str = "client") -> Recording:
    def fails(call: Syscall) -> Syscall:
        return replace(call, result=-errno, memory=call.memory[:1])

    return t.changed(program, name, fails, nth)(TCP)


def ran_as(run: Recording, *capabilities: str) -> Recording:
    return replace(run, ran_as=RanAs("nobody", 65534, capabilities, (), (), False))
