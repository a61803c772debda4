"""Why datagrams were refused, and who learns of it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
import step_edits as s
import trace_edits as t
from causes_found import causes_of
from event_ids import event

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.datagrams.refused import refused_datagrams
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts
from lab.model.address import SocketAddress
from lab.records import Recording

(NOBODY,) = (
    each for each in build_timelines(s.recording_of("traced-udp4")) if each.step == "nobody"
)
(READER,) = (
    each
    for timeline in build_timelines(s.recording_of("traced-udp4"))
    for each in timeline.endpoints
    if (timeline.step, each.host, each.protocol) == ("conversation", "server", "udp")
)


def test_the_call_that_fails_by_the_icmp_error_is_named() -> None:
    cause = causes_of("traced-udp4", "nobody")["datagram-refused"]
    assert cause.text == (
        "asker#7 (recvfrom) fails with ECONNREFUSED by the ICMP error (f24) of server about a "
        "datagram sent before (f23): no UDP socket of server takes what comes to "
        "198.51.100.2:4343. The call itself sends and receives nothing."
    )
    assert cause.evidence == (event("asker#7"), event("f23"), event("f24"))


def test_a_socket_that_is_not_connected_learns_nothing() -> None:
    cause = causes_of("traced-udp4", "nobody")["datagram-nobody"]
    assert cause.text.endswith(
        "The socket of asker#2 (sendto) is not connected, so that no call on it fails by that: "
        "asker is told nothing."
    )
    assert cause.evidence == (event("asker#2"), event("f21"), event("f22"))


@pytest.mark.parametrize("step", ["conversation", "truncation", "fragments"])
def test_what_is_taken_is_not_refused(step: str) -> None:
    assert not {"datagram-nobody", "datagram-refused"} & causes_of("traced-udp4", step).keys()


def test_without_calls_it_is_only_likely() -> None:
    cause = causes_of("udp4", "nobody")["datagram-nobody"]
    assert cause.times == 2
    assert "ss -lun" in cause.decided_by
    assert "told nothing" not in cause.text


def without_its_calls(program: str) -> dict[str, Cause]:
    def edit(run: Recording) -> Recording:
        return t.unseen(program, "recvfrom")(run)

    return causes_of("traced-udp4", "nobody", edit)


def test_an_error_that_no_call_takes_waits_for_one() -> None:
    found = without_its_calls("asker")
    assert "datagram-refused" not in found
    assert found["datagram-nobody"].times == 2


@pytest.mark.parametrize("name", ["traceroute4"])
def test_who_looks_for_a_path_wants_to_be_refused(name: str) -> None:
    for timeline in build_timelines(s.recording_of(name)):
        assert not [*refused_datagrams(StepFacts(timeline))]


@pytest.mark.parametrize(
    ("address", "port", "text"),
    [
        ("127.0.0.1", 4343, "is bound to 127.0.0.1:4343"),
        ("0.0.0.0", 63248, "is bound to port 63248, which is htons(4343)"),
        ("0.0.0.0", 4344, "server is bound to port 4344."),
    ],
)
def test_what_is_bound_near_it_is_named(address: str, port: int, text: str) -> None:
    found = beside(replace(READER, id="x1", local=SocketAddress(ip_address(address), port)))
    assert all(text in each.text and each.surprise is Surprise.ELSEWHERE for each in found)
    assert len(found) == 2


def beside(socket: object) -> list[Cause]:
    """What is said where the server has a socket, with the calls that the reader's has."""
    run = s.recording_of("traced-udp4")
    (talk,) = (each for each in build_timelines(run) if each.step == "conversation")
    calls = tuple(
        replace(each, socket="x1") if each.socket == READER.id else each
        for each in talk.system_calls
        if each.program == "server"
    )
    timeline = replace(
        NOBODY,
        endpoints=(*NOBODY.endpoints, socket),  # type: ignore[arg-type]
        system_calls=(*calls, *NOBODY.system_calls),
    )
    return [*refused_datagrams(StepFacts(timeline))]
