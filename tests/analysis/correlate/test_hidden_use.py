"""What a socket did beyond the calls on it, where a ring may have done it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from event_ids import event
from shown import flow_id
from system_calls import decoded

from lab.analysis.correlate.correlation import Channel
from lab.analysis.correlate.hidden_use import with_hidden_use
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.sockets.socket_calls import why_uncounted
from lab.records import RingUse

TCP = flow_id("tcp 0")
CHANNEL = Channel("s1", "s2", TCP, (), sent=7, carried=7, read=7, sends=1, segments=1, reads=1)
ENDPOINTS = {
    id: Endpoint(
        id, host, host, "AF_INET", "SOCK_STREAM", "tcp", None, None, False, event(f"{host}#1")
    )
    for id, host in (("s1", "client"), ("s2", "server"))
}
RING = replace(decoded(1, "io_uring_setup", (0, 1)), host="client")


@pytest.mark.parametrize("name", ["io_uring_setup", "io_submit", "pidfd_getfd", "i386:write"])
@pytest.mark.parametrize(
    ("host", "counts", "is_hidden"),
    [
        ("client", {}, False),
        ("client", {"sent": 0}, True),
        ("server", {"sent": 0}, False),
        ("server", {"read": 0}, True),
        ("client", {"read": 0}, False),
        ("server", {"receiver": "", "read": 0}, True),
        ("client", {"receiver": "", "read": 0}, False),
        ("client", {"sender": "", "sent": 0}, True),
        ("client", {"carried": None, "sent": 3}, True),
        ("server", {"carried": None, "read": 3}, True),
        ("server", {"carried": None, "sent": 3}, False),
    ],
)
def test_a_channel_is_uncounted_where_its_calls_account_for_less_than_went(
    name: str, host: str, counts: dict[str, int | str | None], is_hidden: bool
) -> None:
    hider = replace(RING, name=name, host=host)
    channel = replace(CHANNEL, **counts)  # type: ignore[arg-type]
    (found,) = with_hidden_use([channel], ENDPOINTS, [hider])
    assert found == replace(channel, uncounted=hider.id if is_hidden else None)


def test_a_ring_that_could_not_be_made_hides_nothing() -> None:
    failed = replace(RING, error="EPERM", result=-1)
    channel = replace(CHANNEL, sent=0)
    assert with_hidden_use([channel], ENDPOINTS, [failed]) == (channel,)


@pytest.mark.parametrize(
    ("host", "counts", "is_hidden"),
    [
        ("client", {}, False),
        ("client", {"sent": 8}, True),
        ("server", {"sent": 8}, False),
        ("server", {"read": 8}, True),
        ("client", {"read": 8}, False),
        ("server", {"carried": None, "read": 8}, True),
    ],
)
def test_after_a_call_that_moves_descriptors_unseen_more_may_be_counted_than_went(
    host: str, counts: dict[str, int | None], is_hidden: bool
) -> None:
    """dup2(2) of 32 bits puts another socket where a call of 64 bits is made."""
    channel = replace(CHANNEL, **counts)  # type: ignore[arg-type]
    for name, hides in (("i386:dup2", is_hidden), ("i386:write", False)):
        call = replace(RING, name=name, host=host)
        (found,) = with_hidden_use([channel], ENDPOINTS, [call])
        assert bool(found.uncounted) == hides


@pytest.mark.parametrize(
    ("use", "socket", "is_hidden"),
    [
        (RingUse(1), "", False),  # it makes the ring, whose operations are followed
        (RingUse(0), "", False),
        (RingUse(1, "send"), "", False),  # on a descriptor that is no socket's of the run
        (RingUse(1, "send", is_fixed=True), "", True),
        (RingUse(1, "send", is_fixed=True), "s1", False),
        (RingUse(1, "splice", is_whole=False), "", True),
        (RingUse(1, "splice", is_whole=False), "s1", True),
    ],
)
def test_of_a_ring_that_is_followed_only_what_says_too_little_hides(
    use: RingUse, socket: str, is_hidden: bool
) -> None:
    name = "sendto" if use.operation else RING.name
    call = replace(RING, name=name, ring=use, socket=socket)
    channel = replace(CHANNEL, sent=0)
    (found,) = with_hidden_use([channel], ENDPOINTS, [call])
    assert bool(found.uncounted) == is_hidden
    (failed,) = with_hidden_use([channel], ENDPOINTS, [replace(call, error="EPERM")])
    assert not failed.uncounted


def test_it_is_said_what_of_a_ring_is_not_followed() -> None:
    splice = replace(RING, name="io_uring:splice", ring=RingUse(1, "splice", is_whole=False))
    assert why_uncounted(splice) == "io_uring splice of client is not followed"
    send = replace(RING, name="sendto", ring=RingUse(1, "send", is_fixed=True))
    assert why_uncounted(send) == (
        "io_uring send of client uses a registered file of its ring, and which that is was not seen"
    )
