from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import traced as t
import traced_tcp as w
from event_ids import event

from lab.analysis.correlate.evidence import gather_evidence
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.remarks import find_remarks
from lab.model.event import EventId
from lab.records import Obtained, SocketState, Syscall


def remarks(times: w.Times, *more: Any, **options: Any) -> dict[EventId, list[str]]:
    found: dict[EventId, list[str]] = {}
    for id, text in w.timeline_of(w.traced(times, *more, **options)).correlation.remarks:
        found.setdefault(id, []).append(text)
    return found


def early_but(place: int, entry: float, end: float) -> w.Times:
    """Everything as early as it may be, but for one call."""
    return w.times_by(w.earliest, {place: (entry, end)})


ACCEPT = w.place_of("accept4")


def test_an_accept_that_waited_returned_when_the_handshake_was_over() -> None:
    came = w.us_of(5, arrival=True)
    told = remarks(early_but(ACCEPT, 0, came + 40))
    assert told[event("server#4")] == [
        "accept() returns when the handshake is over: 0.040 ms after its last ACK (f5) arrived."
    ]
    assert event("f4") not in told


def test_an_accept_that_came_late_had_no_part_in_the_handshake() -> None:
    came = w.us_of(5, arrival=True)
    told = remarks(early_but(ACCEPT, came + 1, came + 2))
    assert told[event("server#4")][0].startswith("The connection was complete before accept() was")
    assert told[event("f4")][0].startswith(
        "The server's kernel answers the SYN by itself: server#4"
    )


def test_a_send_may_return_before_its_bytes_leave() -> None:
    left = w.us_of(6, arrival=False)
    told = remarks(early_but(w.place_of("sendto", program="client"), left - 5, left - 2))
    assert told[event("client#3")] == [
        "sendto() returned 0.002 ms before its first byte left (f6): it has only put the bytes "
        "into the send buffer.",
    ]
    assert not any("the peer's ACK" in text for texts in told.values() for text in texts)


def test_a_send_may_return_before_its_bytes_are_acknowledged() -> None:
    left, came = w.us_of(6, arrival=False), w.us_of(7, arrival=True)
    told = remarks(w.times_by(fixed={w.place_of("sendto", program="client"): (left - 5, left + 1)}))
    assert told[event("client#3")] == [
        f"sendto() returned {(came - left - 1) / 1000:.3f} ms before the peer's ACK of its bytes "
        "(f7) arrived: they are in the send buffer then, which does not mean that they were "
        "received.",
    ]


def test_a_read_of_nothing_is_the_end() -> None:
    told = remarks(w.times_by())
    ends = [text for texts in told.values() for text in texts if text.startswith("0 is the end")]
    assert len(ends) == 1
    assert "the peer's FIN (f1" in ends[0]


CLIENT_READ = w.place_of("recvfrom", program="client")


@pytest.mark.parametrize("waited_us", [1_000, 3_000])
def test_the_longest_wait_is_remarked_on(waited_us: int) -> None:
    came = w.us_of(17, arrival=True)
    told = remarks(early_but(CLIENT_READ, came - waited_us, came + 1))
    assert (
        f"recvfrom() blocked for {waited_us / 1000:.3f} ms until f17 arrived."
        in told[event("client#7")]
    )


def test_a_short_wait_is_not_remarked_on() -> None:
    came = w.us_of(17, arrival=True)
    told = remarks(early_but(CLIENT_READ, came - 999, came + 1))
    assert not any("blocked" in text for texts in told.values() for text in texts)


@pytest.mark.parametrize(
    ("old", "new", "number", "text"),
    [("LISTEN", "SYN_RECV", 5, "Linux reports SYN_RECV"), ("FIN_WAIT2", "CLOSE", 19, "TIME-WAIT")],
)
def test_a_state_that_the_rfc_has_otherwise_is_explained(
    old: str, new: str, number: int, text: str
) -> None:
    ends = ("198.51.100.1", 40858), ("198.51.100.2", 4242)
    local, remote = ends if new == "CLOSE" else ends[::-1]
    seen = t.state(
        "sk 1", new, local, remote, w.us_of(number, arrival=True) + 1, old=old, step="conversation"
    )
    times = w.times_by()
    assert text in remarks(times, seen)[event("state 1")][0]
    assert event("state 1") not in remarks(times, replace(seen, obtained=Obtained.SAMPLED))


def test_a_state_that_a_syn_caused_is_a_simultaneous_open() -> None:
    ends = ("198.51.100.1", 40858), ("198.51.100.2", 4242)
    seen = t.state("sk 9", "SYN_RECV", *ends, 1, old="SYN_SENT", step="conversation")
    told = [each for texts in remarks(w.times_by(), seen).values() for each in texts]
    assert any("the peer's SYN. That is a simultaneous open" in each for each in told)
    assert not any("Linux reports SYN_RECV" in each for each in told)


def test_each_kind_is_remarked_on_once() -> None:
    found = w.timeline_of(w.traced(w.times_by(w.earliest))).correlation.remarks
    kinds = [text.split(":")[0] for _, text in found]
    assert len(kinds) == len(set(kinds))


def test_untraced_steps_have_no_remarks() -> None:
    def omit(call: Syscall) -> None:
        return None

    assert remarks(w.times_by(), change=omit) == {}


def state_at(time_us: float) -> SocketState:
    """The client's socket closing for the kernel, as FIN-WAIT-2 does."""
    ends = ("198.51.100.1", 40858), ("198.51.100.2", 4242)
    return t.state("sk 1", "CLOSE", *ends, time_us, old="FIN_WAIT2", step="conversation")


def test_a_socket_that_closes_before_the_peers_fin_is_not_said_to_be_in_time_wait() -> None:
    came = w.us_of(19, arrival=True)
    assert "TIME-WAIT" in remarks(w.times_by(), state_at(came + 1))[event("state 1")][0]
    assert event("state 1") not in remarks(w.times_by(), state_at(came - 1))


def test_a_rst_acknowledges_no_bytes() -> None:
    left, came = w.us_of(6, arrival=False), w.us_of(7, arrival=True)
    times = w.times_by(fixed={w.place_of("sendto", program="client"): (left - 5, came - 1)})
    timeline = w.timeline_of(w.traced(times))
    (talk,) = timeline.conversations
    segments = (
        s if s.from_client else replace(s, flags=s.flags | TcpFlags.RST) for s in talk.segments
    )
    told = []
    for each in (talk, replace(talk, segments=tuple(segments))):
        evidence = gather_evidence(
            crossings=timeline.crossings,
            flows=timeline.flows,
            conversations=[each],
            system_calls=timeline.system_calls,
            endpoints=timeline.endpoints,
        )
        told.append(
            "the peer's ACK of its bytes (f7)" in str(find_remarks(evidence, timeline.correlation))
        )
    assert told == [True, False]
