from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from event_ids import event
from hypothesis import given
from hypothesis import strategies as st
from system_calls import decoded, pipe, unix

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.correlate.correlation import Channel
from lab.analysis.correlate.kernel_channels import kernel_channels
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.sockets.socket_calls import SocketCalls


def channels(endpoints: Sequence[Endpoint], *calls: SystemCall) -> list[Channel]:
    return list(kernel_channels(endpoints, SocketCalls(calls)))


cuts = st.lists(st.integers(1, 40), min_size=1, max_size=8)


@given(cuts, cuts)
def test_a_streams_reads_return_the_sends_whose_bytes_overlap(
    sends: list[int], reads: list[int]
) -> None:
    calls = [decoded(n, "write", (n, n), moved=size) for n, size in enumerate(sends)]
    calls += [
        decoded(100 + n, "read", (100 + n, 100 + n), socket="s2", moved=size)
        for n, size in enumerate(reads)
    ]
    (channel,) = channels([pipe("s1", "write", "s2"), pipe("s2", "read", "s1")], *calls)
    owner = [event(f"client#{n}") for n, size in enumerate(sends) for _ in range(size)]
    reader = [event(f"client#{100 + n}") for n, size in enumerate(reads) for _ in range(size)]
    both = list(zip(owner, reader, strict=False))
    for part in channel.parts:
        expected = dict.fromkeys(read for sent, read in both if sent == part.call)
        assert part.reads == tuple(expected)
    assert (channel.sent, channel.carried, channel.read) == (sum(sends), None, sum(reads))


def test_a_unix_stream_has_a_channel_each_way_that_was_used() -> None:
    ends = [unix("s1", "s2"), unix("s2", "s1")]
    (channel,) = channels(
        ends,
        decoded(1, "sendto", (0, 1), moved=5),
        decoded(2, "recvfrom", (2, 3), socket="s2", moved=5),
    )
    assert (channel.sender, channel.receiver, channel.counts) == ("s1", "s2", "1 send → 1 read")


def datagram(
    number: int, size: int, data: bytes, socket: str = "s1", to: str = "NULL"
) -> SystemCall:
    return decoded(
        number, "sendto", (number, number), socket=socket, moved=size, data=data,
        arguments={"dest_addr": to},
    )  # fmt: skip


def read(number: int, size: int, data: bytes, room: int = 100) -> SystemCall:
    return decoded(
        number, "recvfrom", (number, number), socket="s2", moved=size, data=data,
        arguments={"len": str(room)},
    )  # fmt: skip


def test_messages_are_joined_one_by_one_and_may_be_cut() -> None:
    ends = [unix("s1", "s2", "SOCK_DGRAM"), unix("s2", "s1", "SOCK_DGRAM")]
    (channel,) = channels(
        ends, datagram(1, 5, b"Hello"), datagram(2, 9, b"and there"), datagram(3, 0, b""),
        read(4, 5, b"Hello"), read(5, 3, b"and", room=3), read(6, 0, b""),
    )  # fmt: skip
    assert [part.reads for part in channel.parts] == [
        (event("client#4"),),
        (event("client#5"),),
        (event("client#6"),),
    ]
    assert (channel.sent, channel.read) == (14, 8)


def test_a_message_goes_where_its_address_says() -> None:
    ends = [
        unix("s1", type="SOCK_DGRAM"),
        unix("s2", type="SOCK_DGRAM", local="/run/a"),
        unix("s3", type="SOCK_DGRAM", local="/run/b"),
        unix("s4", type="SOCK_DGRAM", remote="/run/a"),
    ]
    found = channels(
        ends, datagram(1, 1, b"x", to='"/run/b"'), datagram(2, 1, b"y", socket="s4"),
        datagram(3, 1, b"z", to='"/run/c"'),
    )  # fmt: skip
    assert [(each.sender, each.receiver) for each in found] == [("s1", "s3"), ("s4", "s2")]


def test_equal_messages_are_read_in_the_order_in_which_they_were_sent() -> None:
    ends = [unix("s1", "s2", "SOCK_SEQPACKET"), unix("s2", "s1", "SOCK_SEQPACKET")]
    (channel,) = channels(
        ends, datagram(1, 1, b"x"), datagram(2, 1, b"x"), read(3, 1, b"x"), read(4, 1, b"x")
    )
    assert [part.reads for part in channel.parts] == [(event("client#3"),), (event("client#4"),)]


def test_messages_that_moved_at_once_are_joined_by_their_lengths() -> None:
    ends = [unix("s1", "s2", "SOCK_SEQPACKET"), unix("s2", "s1", "SOCK_SEQPACKET")]
    both = replace(decoded(1, "sendmmsg", (1, 1), result=2, moved=8), lengths=(3, 5))
    second = decoded(3, "recvfrom", (4, 4), socket="s2", moved=5, data=b"later")
    first = replace(decoded(2, "recvmmsg", (3, 3), socket="s2", moved=3, result=1), lengths=(3,))
    (channel,) = channels(ends, both, first, second)
    assert (channel.sent, channel.read, channel.uncounted) == (8, 8, None)
    assert [part.reads for part in channel.parts] == [(first.id,), (second.id,)]


@pytest.mark.parametrize("type", ["SOCK_STREAM", "SOCK_DGRAM"])
@pytest.mark.parametrize(("name", "socket"), [("sendmmsg", "s1"), ("recvmmsg", "s2")])
def test_where_several_messages_moved_at_once_bytes_are_not_counted(
    type: str, name: str, socket: str
) -> None:
    ends = [unix("s1", "s2", type), unix("s2", "s1", type)]
    several = decoded(3, name, (3, 3), socket=socket, result=2)
    forth, back = datagram(1, 1, b"x"), datagram(4, 1, b"y", socket="s2")
    back_read = decoded(5, "recvfrom", (5, 5), socket="s1", moved=1, data=b"y")
    found = channels(ends, forth, several, read(3, 1, b"x"), back, back_read)
    assert [(each.sender, each.uncounted) for each in found] == [
        ("s1", event("client#3")),
        ("s2", None),
    ]
    assert found[1].parts[0].reads == (event("client#5"),)
    if type == "SOCK_DGRAM":
        assert found[0].parts == found[0].read_parts == ()
