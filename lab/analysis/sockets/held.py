"""Sockets as their kernels held them at moments of a step, to be asked for and to be shown."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from lab.analysis.calls.address import socket_address
from lab.analysis.sockets.facts import takes
from lab.analysis.sockets.time_wait import LENGTH_MS
from lab.frozen import frozen
from lab.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.model.address import SocketAddress
    from lab.records import Held, HeldSocket, Recording, TcpInfo

_MOMENTS: dict[Held, str] = {
    "waiting": "while nothing moved",
    "served": "when the clients had ended",
    "end": "at the end",
    "close": "closed",
}
_MOST_ROWS = 200
_MOST_HOLDERS = 4


@frozen
class HeldRow:
    """What is shown of a socket at one moment."""

    time_ns: int
    moment: str
    host: str
    socket: str
    """ "tcp 198.51.100.2:4242"; with its peer where it has one."""
    state: str
    queues: str
    """What waits in them, and who has it open where that are several; "" where nothing does."""
    tcp: str
    """How TCP was doing; "" if unknown."""


def held_of_step(recording: Recording, step: str) -> tuple[HeldSocket, ...]:
    """The sockets that were looked at in a step, and those that were closed, in order of time."""
    trace = recording.trace
    closings = [each for each in trace.closings if each.step == step]
    if any(not each.host for each in closings):
        hosts = {run.name: run.host for run in recording.programs if run.step == step}
        calls = (call for call in trace.syscalls if call.step == step and call.socket)
        host_of = {call.socket: hosts.get(call.program, "") for call in calls}
        closings = [replace(c, host=c.host or host_of.get(c.socket, "")) for c in closings]
    held = (each for each in recording.held_sockets if each.step == step)
    return tuple(sorted((*held, *closings), key=lambda each: each.time_ns))


def full_accept_queue(
    held: Sequence[HeldSocket], host: str, place: SocketAddress, from_ns: int, until_ns: int
) -> HeldSocket | None:
    """The socket that listens on a place of the host and whose accept queue was full in a time.

    None where none was seen so. Source: Linux, sk_acceptq_is_full().
    """
    for each in held:
        if each.host == host and from_ns <= each.time_ns <= until_ns and _is_full(each):
            local = socket_address(each.local_address, each.local_port)
            if takes(local, place):
                return each
    return None


def _is_full(held: HeldSocket) -> bool:
    if held.state != "LISTEN" or held.receive_queue is None or held.send_queue is None:
        return False
    return held.receive_queue > held.send_queue


def places_of(held: HeldSocket) -> tuple[SocketAddress | None, SocketAddress | None]:
    """A socket's own address and its peer's."""
    local = socket_address(held.local_address, held.local_port)
    return local, socket_address(held.remote_address, held.remote_port)


def held_rows(recording: Recording, step: str) -> tuple[HeldRow, ...]:
    """What is shown of the sockets of a step, _MOST_ROWS at most.

    Without those that were in TIME-WAIT when an earlier step ended.
    """
    before: set[tuple[object, ...]] = set()
    for each in recording.held_sockets:
        if each.step == step:
            break
        before.add(_lingering(each))
    own = (each for each in held_of_step(recording, step) if _lingering(each) not in before)
    return tuple(map(_row, islice(own, _MOST_ROWS)))


def _lingering(held: HeldSocket) -> tuple[object, ...]:
    """What is the same of a socket in TIME-WAIT however often it is looked at."""
    if held.state != "TIME_WAIT":
        return held.time_ns, held.moment, held.socket
    ends = held.local_address, held.local_port, held.remote_address, held.remote_port
    return held.host, *ends


def _row(held: HeldSocket) -> HeldRow:
    return HeldRow(
        time_ns=held.time_ns,
        moment=_MOMENTS[held.moment],
        host=held.host,
        socket=f"{held.protocol} {_place(held)}",
        state=held.state,
        queues=", ".join(_queues(held)),
        tcp="" if held.info is None else ", ".join(_of_tcp(held.info)),
    )


def _place(held: HeldSocket) -> str:
    if held.protocol == "unix":
        return held.local_address or "unnamed"
    local, remote = places_of(held)
    return f"{local} – {remote}" if held.remote_port else str(local)


def _queues(held: HeldSocket) -> Iterator[str]:
    if held.state == "LISTEN":
        if held.receive_queue is not None:
            full = ": full" if _is_full(held) else ""
            yield f"{held.receive_queue} to be accepted, limit {held.send_queue}{full}"
    else:
        if held.receive_queue and held.protocol == "udp":
            of = "" if held.receive_buffer is None else f" of {held.receive_buffer}"
            yield f"{held.receive_queue}{of} bytes of memory hold what is to be read"
        elif held.receive_queue:
            yield f"{counted(held.receive_queue, 'byte')} to be read"
        if held.send_queue and held.state != "SYN_SENT":
            yield f"{counted(held.send_queue, 'byte')} not acknowledged"
    if held.drops:
        yield f"{held.drops} thrown away for lack of room"
    if held.expires_ms:
        yield f"{held.expires_ms / 1000:.2f} s of {LENGTH_MS // 1000} to go"
    if len(held.holders) > 1:
        listed = ", ".join(f"{each.pid} ({each.command})" for each in held.holders[:_MOST_HOLDERS])
        more = "" if len(held.holders) <= _MOST_HOLDERS else ", …"
        yield f"open in {len(held.holders)} processes: {listed}{more}"


def _of_tcp(info: TcpInfo) -> Iterator[str]:
    if info.rtt_us:
        yield f"rtt {info.rtt_us / 1000:g} ms ± {info.rttvar_us / 1000:g}"
    yield f"cwnd {info.cwnd}"
    if info.ssthresh is not None:
        yield f"ssthresh {info.ssthresh}"
    if info.retransmissions:
        yield f"{info.retransmissions} sent again"
    if info.lost:
        yield f"{info.lost} taken for lost"
    if info.unacked:
        yield f"{info.unacked} on their way"
    yield f"mss {info.mss_bytes}"
    yield f"{info.bytes_acked} acknowledged, {info.bytes_received} received"
