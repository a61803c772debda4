"""Where else a program listens than where the SYN came."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.elsewhere import Came, Elsewhere, where_else
from lab.analysis.causes.facts.step_facts import StepFacts
from lab.analysis.sockets.endpoint import Endpoint
from lab.model.address import SocketAddress

(TIMELINE,) = build_timelines(s.recording_of("traced-tcp4"))
(LISTENER,) = (each for each in TIMELINE.endpoints if each.listening)
PLACE = TIMELINE.flows[0].b
LISTEN = StepFacts(TIMELINE).listen_call(LISTENER)
assert LISTEN is not None
LISTEN_NS = LISTEN.exit_ns or 0


def asked(place: SocketAddress = PLACE, later_ns: int = 1000, **changes: object) -> Elsewhere:
    """What is said of a SYN to the address, where the listening socket is another."""
    moved: Endpoint = replace(LISTENER, **changes)  # type: ignore[arg-type]
    timeline = replace(TIMELINE, endpoints=(moved,))
    sent_ns = LISTEN_NS + later_ns
    came = Came("server", "tcp", TIMELINE.flows[0].a, place, sent_ns, sent_ns + 100)
    return where_else(StepFacts(timeline), came)


def at(address: str, port: int) -> SocketAddress:
    return SocketAddress(ip_address(address), port)


def test_a_socket_that_takes_it_listens() -> None:
    assert asked().takes
    assert asked(local=at("0.0.0.0", PLACE.port)).takes


@pytest.mark.parametrize(
    ("local", "text"),
    [
        (at("127.0.0.1", PLACE.port), "which takes only what programs of the same host send there"),
        (at("198.51.100.9", PLACE.port), "which takes only what is for that address"),
        (at("0.0.0.0", 37392), "listens on port 37392, which is htons(4242): the bytes of the"),
        (at("0.0.0.0", 4243), "server listens on port 4243."),
    ],
)
def test_a_socket_bound_elsewhere_is_named(local: SocketAddress, text: str) -> None:
    assert PLACE.port == 4242
    found = asked(local=local)
    assert text in found.text
    assert not found.takes
    assert found.evidence


def test_ipv6_alone_takes_no_ipv4() -> None:
    assert asked(local=at("::", PLACE.port)).takes, "mapped, as IPV6_V6ONLY is off"


def test_who_listens_too_late_or_no_more_is_named_with_the_time_between() -> None:
    assert "came" in asked(later_ns=-50_000_000).text
    assert "later" in asked(later_ns=-50_000_000).text
    closed_ns = StepFacts(TIMELINE).ended_ns(LISTENER) - LISTEN_NS
    found = asked(later_ns=closed_ns + 40_000_000)
    assert found.text.startswith(" server had listened there, and server#")
    assert found.text.endswith("(close) closed it 40 ms before.")


def test_another_host_with_that_port_is_named() -> None:
    assert "of another host, client" in asked(host="client").text


def test_a_port_of_udp_is_not_one_of_tcp() -> None:
    found = asked(protocol="udp", listening=False)
    assert "has a UDP socket at that port" in found.text


def test_where_nothing_is_near_nothing_is_said() -> None:
    assert asked(local=None, host="elsewhere") == Elsewhere("")
