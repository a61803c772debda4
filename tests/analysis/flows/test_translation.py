from __future__ import annotations

from ipaddress import ip_address

import nat_packets as n
import pytest

from lab.analysis.flows.translation import (
    Bindings,
    PacketEnds,
    ends_of_packet,
    packet_bytes,
    routed_part,
    translated_part,
)
from lab.analysis.packets.dissect import dissect
from lab.model.address import SocketAddress
from lab.records import Direction, Frame, Translation

VERSIONS = pytest.mark.parametrize("version", [4, 6])
SYN = 0x02


def pairs(version: int) -> dict[str, tuple[bytes, bytes]]:
    """Packets before a NAT and behind it."""
    client, server = (n.CLIENTS[version][0], n.SAME), (n.SERVER[version], n.PORT)
    outer = n.OUTSIDE[version], n.FIRST
    asked = n.datagram(outer, server, ttl=63)
    wanted = n.datagram(client, server, ttl=63)
    return {
        "datagram": (n.datagram(client, server), n.datagram(outer, server, ttl=63)),
        "answer": (n.datagram(server, outer), n.datagram(server, client, ttl=63)),
        "segment": (n.segment(client, server, 7, SYN), n.segment(outer, server, 7, SYN, ttl=63)),
        "echo": (
            n.echo(client[0], server[0], 7),
            n.echo(outer[0], server[0], n.FIRST, ttl=63),
        ),
        "error": (
            n.unreachable(server[0], outer[0], asked),
            n.unreachable(server[0], client[0], wanted, ttl=63),
        ),
        "cut error": (
            n.unreachable(server[0], outer[0], asked[: len(asked) - 6]),
            n.unreachable(server[0], client[0], wanted[: len(wanted) - 6], ttl=63),
        ),
    }


@VERSIONS
@pytest.mark.parametrize("kind", ["datagram", "answer", "segment", "echo", "error", "cut error"])
def test_what_a_nat_leaves_is_the_same_on_both_its_sides(version: int, kind: str) -> None:
    before, after = pairs(version)[kind]
    assert before != after
    assert translated_part(before) == translated_part(after)
    assert routed_part(before) != routed_part(after)


@VERSIONS
def test_another_payload_number_or_code_is_another_packet(version: int) -> None:
    client, server = (n.CLIENTS[version][0], n.SAME), (n.SERVER[version], n.PORT)
    one = translated_part(n.datagram(client, server))
    assert one != translated_part(n.datagram(client, server, b"texT"))
    assert translated_part(n.segment(client, server, 7, SYN)) != translated_part(
        n.segment(client, server, 8, SYN)
    )
    asked = n.datagram(client, server)
    error = n.unreachable(server[0], client[0], asked)
    assert translated_part(error) != translated_part(
        n.unreachable(server[0], client[0], n.datagram(client, server, b"else"))
    )


def test_the_identification_of_a_datagram_is_left_and_that_of_new_fragments_is_not() -> None:
    ends = (("10.0.0.2", 1), ("198.51.100.2", 2))
    assert translated_part(n.datagram(*ends, ident=1)) != translated_part(
        n.datagram(*ends, ident=2)
    )
    whole = n.datagram(("fd00::2", 1), ("2001:db8::2", 2), bytes(100))
    for one, other in zip(
        n.fragments(whole, 64, ident=1), n.fragments(whole, 64, ident=2), strict=True
    ):
        assert one != other
        assert translated_part(one) == translated_part(other)


@VERSIONS
def test_of_fragments_the_first_alone_has_ports(version: int) -> None:
    client, server = (n.CLIENTS[version][0], n.SAME), (n.SERVER[version], n.PORT)
    outer = n.OUTSIDE[version], n.FIRST
    before = n.fragments(n.datagram(client, server, bytes(range(100))), 64)
    after = n.fragments(n.datagram(outer, server, bytes(range(100)), ttl=63), 64)
    assert [translated_part(each) for each in before] == [translated_part(each) for each in after]
    assert [ends_of_packet(each) for each in before] == [
        ends(17, client, server), ends(17, (client[0], 0), (server[0], 0)),
    ]  # fmt: skip


@VERSIONS
def test_a_packet_goes_between_its_ends_and_an_error_as_an_answer_would(version: int) -> None:
    client, server = (n.CLIENTS[version][0], n.SAME), (n.SERVER[version], n.PORT)
    sent = n.datagram(client, server)
    assert ends_of_packet(sent) == ends(17, client, server)
    assert ends_of_packet(n.unreachable(server[0], client[0], sent)) == ends(17, server, client)
    protocol = 1 if version == 4 else 58
    assert ends_of_packet(n.echo(client[0], server[0], 7)) == ends(
        protocol, (client[0], 7), (server[0], 7)
    )


@VERSIONS
@pytest.mark.parametrize("kind", ["datagram", "segment", "echo", "error"])
def test_every_truncation_is_taken(version: int, kind: str) -> None:
    whole = pairs(version)[kind][0]
    for length in range(len(whole)):
        assert len(translated_part(whole[:length])) == length
        ends_of_packet(whole[:length])
    assert ends_of_packet(b"") is None


@VERSIONS
def test_padding_of_a_short_frame_is_none_of_its_packet(version: int) -> None:
    packet = n.datagram((n.CLIENTS[version][0], 1), (n.SERVER[version], 2))
    data = n.framed(packet) + bytes(20)
    frame = Frame(0, "a/eth0", Direction.OUT, data, len(data))
    assert packet_bytes(dissect(frame)) == packet


def ends(protocol: int, source: n.End, destination: n.End) -> PacketEnds:
    return PacketEnds(
        protocol,
        SocketAddress(ip_address(source[0]), source[1]),
        SocketAddress(ip_address(destination[0]), destination[1]),
    )


OUTER = n.OUTSIDE[4]
SERVER: n.End = (n.SERVER[4], n.PORT)
ONE, TWO = (ends(17, (client, n.SAME), SERVER) for client in n.CLIENTS[4])
AS_FIRST, AS_SECOND = (ends(17, (OUTER, port), SERVER) for port in (n.FIRST, n.SECOND))


def translation(port: int = n.FIRST, client: str = n.CLIENTS[4][0]) -> Translation:
    return Translation(
        0, "nat", 17, client, n.SAME, *SERVER, OUTER, port, *SERVER, "step"
    )  # fmt: skip


def bindings(*recorded: Translation) -> Bindings:
    return Bindings({"nat": frozenset({ip_address(OUTER)})}, recorded)


def test_what_left_under_a_nats_address_may_be_any_that_waits_for_there() -> None:
    assert bindings().choose("nat", [ONE], AS_FIRST) == [0]
    assert bindings().choose("nat", [ONE, ONE], AS_FIRST) == [0]
    elsewhere = ends(17, (n.CLIENTS[4][0], n.SAME), (SERVER[0], 9))
    assert bindings().choose("nat", [elsewhere, ONE], AS_FIRST) == [1]
    assert bindings().choose("nat", [elsewhere], AS_FIRST) == []
    assert bindings().choose("nat", [ends(6, *map(pair, ONE[1:]))], AS_FIRST) == []


def pair(address: SocketAddress) -> n.End:
    return str(address.address), address.port


def test_two_that_nothing_tells_apart_are_both_named() -> None:
    assert bindings().choose("nat", [ONE, TWO], AS_FIRST) == [0, 1]


def test_a_nats_own_table_tells_them_apart() -> None:
    known = bindings(translation(), translation(n.SECOND, n.CLIENTS[4][1]))
    assert known.choose("nat", [ONE, TWO], AS_SECOND) == [1]
    assert known.choose("nat", [ONE, TWO], AS_FIRST) == [0]
    assert known.choose("nat", [AS_SECOND.back, AS_FIRST.back], ONE.back) == [1]


def test_what_is_known_of_one_tells_of_the_other() -> None:
    assert bindings(translation()).choose("nat", [ONE, TWO], AS_SECOND) == [1]


def test_what_frames_have_shown_tells_them_apart_there_and_back() -> None:
    known = bindings()
    known.learn("nat", ONE, AS_FIRST)
    known.learn("nat", TWO, AS_SECOND)
    assert known.choose("nat", [TWO, ONE], AS_FIRST) == [1]
    assert known.choose("nat", [AS_FIRST.back, AS_SECOND.back], TWO.back) == [1]
    assert known.expected("nat", AS_FIRST.back) == ONE.back
    assert known.expected("other", AS_FIRST.back) is None


def test_a_packet_that_left_as_it_came_was_routed() -> None:
    assert bindings().choose("nat", [TWO, ONE], ONE) == [1]


def test_what_left_from_an_address_that_is_not_the_nats_is_of_none() -> None:
    other = ends(17, ("203.0.113.9", n.FIRST), SERVER)
    assert bindings().choose("nat", [ONE], other) == []


def test_a_port_that_was_given_anew_is_believed() -> None:
    known = bindings()
    known.learn("nat", ONE, AS_FIRST)
    assert known.choose("nat", [ONE], AS_SECOND) == [0]
    known.learn("nat", ONE, AS_SECOND)
    assert known.expected("nat", ONE) == AS_SECOND


def test_frames_that_contradict_the_table_are_said_and_a_port_given_anew_is_none() -> None:
    known = bindings(translation(n.SECOND))
    assert known.contradictions() == []
    known.learn("nat", ONE, AS_FIRST)
    (said,) = known.contradictions()
    assert said == (
        "nat translates 10.0.0.2:4000 > 198.51.100.2:4242 into 198.51.100.1:61001 > "
        "198.51.100.2:4242 by its own table, and into 198.51.100.1:61000 > 198.51.100.2:4242 "
        "by the frames: one of the two is wrong"
    )
    known.learn("nat", ONE, AS_SECOND)
    assert known.contradictions() == []


def test_a_record_without_addresses_tells_nothing() -> None:
    assert bindings(translation(client="")).expected("nat", ONE) is None
