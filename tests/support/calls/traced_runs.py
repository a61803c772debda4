"""Timelines with system calls: the recorded conversation, as calls might have gone with it.

Times are in microseconds after the first frame of tests/recordings/tcp4.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import recorded as r
from event_ids import event
from shown import argument, flow_id

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.correlate.correlation import Channel, Correlation, Dropped, SentPart
from lab.analysis.order.events import Event, EventPart, Order
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.sockets.states import StateSeen
from lab.analysis.sockets.unix_queues import QueueSeen
from lab.analysis.timeline import Timeline
from lab.model.event import EventId, EventKind
from lab.records import DropNotice, Obtained, QueueSample, SocketState
from lab.syscalls.table import CALLS

CLIENT, SERVER = "198.51.100.1", "198.51.100.2"
PORTS = (40858, 4242)

Told = tuple[str, float, float | None, str, str]
"""A call: program, entry, exit, text with its arguments, result with errno."""

TALK: tuple[Told, ...] = (
    ("server", -900, -895, "socket(AF_INET, SOCK_STREAM, IPPROTO_IP)", "3"),
    ("server", -880, -878, "bind(3, 198.51.100.2:4242, 16)", "0"),
    ("server", -870, -860, "listen(3, 1)", "0"),
    ("server", -850, 80, "accept4(3, 198.51.100.1:40858, [16], SOCK_CLOEXEC)", "4"),
    ("client", -30, -20, "socket(AF_INET, SOCK_STREAM, IPPROTO_IP)", "3"),
    ("client", -10, 60, "connect(3, 198.51.100.2:4242, 16)", "0"),
    ("server", 85, 118, "recvfrom(4, 'Hello. ', 16, 0, NULL, NULL)", "7"),
    ("client", 100, 115, "sendto(3, 'Hello. ', 7, 0, NULL, 0)", "7"),
    ("client", 120, 131, "sendto(3, 'These are three messages, ', 26, 0, NULL, 0)", "26"),
    ("client", 133, 142, "sendto(3, 'or so I think.\\n', 15, 0, NULL, 0)", "15"),
    ("client", 145, 155, "shutdown(3, SHUT_WR)", "0"),
    ("server", 160, 161, "recvfrom(4, 'These are three ', 16, 0, NULL, NULL)", "16"),
    ("client", 160.5, 1320, "recvfrom(3, 'I read ', 4096, 0, NULL, NULL)", "7"),
    ("server", 290, 320, "sendto(4, 'I read ', 7, 0, NULL, 0)", "7"),
    ("server", 330, 341, "sendto(4, 'what you wrote, ', 16, 0, NULL, 0)", "16"),
    ("server", 350, 354, "sendto(4, 'not how you cut it.\\n', 20, 0, NULL, 0)", "20"),
    ("server", 365, 370, "close(4)", "0"),
    ("client", 1330, 1332, "recvfrom(3, 0x7f5500, 4096, 0, NULL, NULL)", "-1 ECONNRESET"),
    ("client", 1340, None, "poll([{fd=3, events=POLLIN}], 1, -1)", "?"),
)


@cache
def zero_ns() -> int:
    (timeline,), _ = r.judged(r.recorded(4))
    return timeline.crossings[0].time_ns


def at_ns(microseconds: float) -> int:
    return zero_ns() + round(microseconds * 1000)


def system_calls(told: tuple[Told, ...]) -> list[SystemCall]:
    """The calls, numbered for each program in order of entry."""
    counts: dict[str, int] = {}
    calls = []
    for program, entry, end, text, returned in sorted(told, key=lambda each: each[1]):
        counts[program] = counts.get(program, 0) + 1
        calls.append(system_call(program, counts[program], (entry, end), text, returned))
    return calls


def system_call(
    program: str, number: int, at: tuple[float, float | None], text: str, returned: str
) -> SystemCall:
    name, _, rest = text[:-1].partition("(")
    names = CALLS[name].arguments
    texts = _split(rest)
    told, _, error = returned.partition(" ")
    result = None if told == "?" else int(told)
    return SystemCall(
        id=EventId(EventKind.SYSTEM_CALL, number, program),
        program=program,
        host=program.partition("-")[0],
        pid=7,
        tid=7,
        name=name,
        arguments=tuple(map(argument, names, texts)),
        entry_ns=at_ns(at[0]),
        exit_ns=None if at[1] is None else at_ns(at[1]),
        result=result,
        error=error,
        data=b"",
        moved=max(0, result or 0) if name in ("sendto", "recvfrom") else 0,
        descriptor=None,
        socket="",
    )


def _split(text: str) -> list[str]:
    """Arguments, whose data may hold a comma."""
    texts, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == "'"
        depth += (character in "[{") - (character in "]}")
        if character == "," and not depth and not quoted:
            texts.append("")
        else:
            texts[-1] += character
    return [each.removeprefix(" ") for each in texts]


def order_of(timeline: Timeline, concurrent: tuple[str, ...] = ()) -> Order:
    """All events by time; the entries and exits of calls so named ("entry client#2") are
    concurrent with what came before."""
    happened = [
        Event(time_ns, part, call.id, call.host)
        for call in timeline.system_calls
        for part, time_ns in ((EventPart.ENTRY, call.entry_ns), (EventPart.EXIT, call.exit_ns))
        if time_ns is not None
    ]
    for crossing in timeline.crossings:
        if crossing.sent_ns is not None:
            left = Event(crossing.sent_ns, EventPart.DEPARTURE, crossing.id, crossing.sender)
            happened.append(left)
        if crossing.received_ns is not None:
            came = Event(crossing.received_ns, EventPart.ARRIVAL, crossing.id, crossing.receiver)
            happened.append(came)
    for seen in timeline.states:
        host = "client" if seen.state.local_address == CLIENT else "server"
        happened.append(Event(seen.state.time_ns, EventPart.STATE, seen.id, host))
    for drop in timeline.drops:
        happened.append(Event(drop.notice.time_ns, EventPart.DROP, drop.id, "server"))
    for queue in timeline.queues:
        time_ns, host = queue.sample.time_ns, queue.call.host
        happened.append(Event(time_ns, EventPart.QUEUE, queue.id, host))
    happened.sort(key=lambda each: each.time_ns)
    marked = {
        at for at, each in enumerate(happened) if f"{each.part.value} {each.id}" in concurrent
    }
    return Order(tuple(happened), frozenset(marked), 1000, len(happened), ())


def client_state(number: int, at: float, old: str, new: str) -> StateSeen:
    state = SocketState(
        at_ns(at), Obtained.MEASURED, "sk 1", old, new, CLIENT, PORTS[0], SERVER, PORTS[1], 7
    )
    return StateSeen(EventId(EventKind.STATE, number), state, (flow_id("tcp 0"), True), "s2")


def server_state(number: int, at: float, new: str) -> StateSeen:
    state = SocketState(
        at_ns(at), Obtained.SAMPLED, "sk 2", "", new, SERVER, PORTS[1], CLIENT, PORTS[0], 7
    )
    return StateSeen(EventId(EventKind.STATE, number), state, (flow_id("tcp 0"), False), "s3")


def talk(*, told: tuple[Told, ...] = TALK, silent: bool = False) -> Timeline:
    """The conversation, traced; `silent` without a frame, as over a unix socket."""
    recording = r.without(*range(1, 21))(r.recorded(4)) if silent else r.recorded(4)
    (timeline,), _ = r.judged(recording)
    timeline = replace(
        timeline,
        system_calls=tuple(system_calls(told)),
        endpoints=(
            endpoint("s1", "server", listening=True),
            endpoint("s2", "client", flow="tcp 0", peer="s3"),
            endpoint("s3", "server", flow="tcp 0", peer="s2"),
        ),
    )
    if not silent:
        timeline = replace(
            timeline,
            states=(
                client_state(1, -5, "CLOSE", "SYN_SENT"),
                client_state(2, 48, "SYN_SENT", "ESTABLISHED"),
                server_state(3, 80, "ESTABLISHED"),
            ),
            correlation=Correlation(
                channels=(channel("s2", "s3", 48), channel("s3", "s2", 43, read=7)),
                remarks=(
                    (event("server#4"), "accept() returned 0.021 ms after the handshake was over."),
                    (event("f4"), "The server's kernel answers by itself."),
                ),
            ),
        )
    return replace(timeline, order=order_of(timeline, ("entry server#6", "exit client#3")))


def endpoint(
    name: str, program: str, *, listening: bool = False, flow: str = "", peer: str = ""
) -> Endpoint:
    return Endpoint(
        id=name,
        program=program,
        host=program,
        domain="AF_INET",
        type="SOCK_STREAM",
        protocol="tcp",
        local=None,
        remote=None,
        listening=listening,
        made_by=event(f"{program}#1"),
        peer=peer,
        flow=flow_id(flow) if flow else None,
    )


def channel(sender: str, receiver: str, count: int, read: int | None = None) -> Channel:
    read = count if read is None else read
    return Channel(sender, receiver, flow_id("tcp 0"), (), count, count, read, 3, 3, 4)


def dropped() -> Timeline:
    """The conversation, in which the kernel drops what the client sends first."""
    timeline = talk()
    notice = DropNotice(at_ns(29), "NO_SOCKET", "eth0", at_ns(28), 60)
    timeline = replace(
        timeline,
        drops=(Dropped(event("drop 1"), notice, event("f3")),),
    )
    return replace(timeline, order=order_of(timeline))


def unix_talk() -> Timeline:
    """A few bytes each way through a unix socket."""
    timeline = talk(
        told=(
            ("client", 0, 5, "sendto(3, 'Hello. ', 7, 0, NULL, 0)", "7"),
            ("server", -10, 8, "recvfrom(4, 'Hello. ', 16, 0, NULL, NULL)", "7"),
            ("server", 20, 25, "sendto(4, '!', 1, 0, NULL, 0)", "1"),
            ("client", 30, 31, "recvfrom(3, '!', 16, 0, NULL, NULL)", "1"),
        ),
        silent=True,
    )
    to_server = SentPart(event("client#1"), 0, 7, (), (event("server#1"),))
    to_client = SentPart(event("server#2"), 0, 1, (), (event("client#2"),))
    channels = (
        Channel("s2", "s3", None, (to_server,), 7, None, 7, 1, 0, 1),
        Channel("s3", "s2", None, (to_client,), 1, None, 1, 1, 0, 1),
    )
    return replace(timeline, correlation=Correlation(channels=channels))


def unread(type: str = "SOCK_STREAM") -> Timeline:
    """The same, where the server found four bytes more, and later none; and the client one."""
    timeline = unix_talk()
    by_id = {call.id: replace(call, socket="s3") for call in timeline.system_calls}
    told = (("server#1", 9, 4), ("server#2", 26, 0), ("client#2", 32, 1))
    queues = tuple(
        QueueSeen(
            EventId(EventKind.QUEUE, number),
            QueueSample(at_ns(at), "inode 9", type, left, 7),
            by_id[event(call)],
        )
        for number, (call, at, left) in enumerate(told, 1)
    )
    timeline = replace(timeline, queues=queues)
    return replace(timeline, order=order_of(timeline))
