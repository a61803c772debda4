from __future__ import annotations

import nat_packets as n
import pytest

from lab.analysis.flows.changes import changes
from lab.analysis.packets.dissect import dissect
from lab.analysis.packets.packet import Packet
from lab.records import Direction, Frame

VERSIONS = pytest.mark.parametrize("version", [4, 6])
CHECKSUMS = {"header_checksum", "checksum"}


def seen(packet: bytes, station: int = 1) -> Packet:
    data = n.framed(packet)
    data = data[:5] + bytes((station,)) + data[6:11] + bytes((station + 1,)) + data[12:]
    return dissect(Frame(0, "a/eth0", Direction.OUT, data, len(data)))


def changed(one: bytes, other: bytes) -> dict[str, tuple[int | str, int | str]]:
    """The changed fields but checksums, whose values are seldom of interest."""
    found = changes(seen(one), seen(other))
    return {each.field: (each.before, each.after) for each in found if each.field not in CHECKSUMS}


def shown(end: n.End) -> str:
    return f"[{end[0]}]:{end[1]}" if ":" in end[0] else f"{end[0]}:{end[1]}"


def syn(source: n.End, destination: n.End) -> bytes:
    return n.segment(source, destination, 7, 2)


@VERSIONS
def test_a_packet_is_as_it_was_where_nothing_is_changed(version: int) -> None:
    packet = n.datagram((n.CLIENTS[version][0], 1), (n.SERVER[version], 2))
    assert changes(seen(packet), seen(packet)) == ()


@VERSIONS
def test_a_router_changes_the_lifetime_and_the_hardware_addresses(version: int) -> None:
    ends = (n.CLIENTS[version][0], 1), (n.SERVER[version], 2)
    before, after = seen(n.datagram(*ends)), seen(n.datagram(*ends, ttl=63), station=3)
    found = {each.field: (each.before, each.after) for each in changes(before, after)}
    assert found.pop("ttl" if version == 4 else "hop_limit") == (64, 63)
    assert ("header_checksum" in found) == (version == 4)
    found.pop("header_checksum", None)
    assert found == {
        "hardware_source": ("02:00:00:00:00:02", "02:00:00:00:00:04"),
        "hardware_destination": ("02:00:00:00:00:01", "02:00:00:00:00:03"),
    }


@VERSIONS
@pytest.mark.parametrize("make", [n.datagram, syn])
def test_a_nat_changes_an_address_with_its_port_and_the_checksum(
    version: int, make: object
) -> None:
    assert callable(make)
    client, server = (n.CLIENTS[version][0], n.SAME), (n.SERVER[version], n.PORT)
    outer = n.OUTSIDE[version], n.FIRST
    there, back = (
        (make(client, server), make(outer, server)),
        (make(server, outer), make(server, client)),
    )
    assert changed(*there) == {"source": (shown(client), shown(outer))}
    assert changed(*back) == {"destination": (shown(outer), shown(client))}
    assert "checksum" in {each.field for each in changes(*map(seen, there))}


@VERSIONS
def test_of_an_error_what_it_quotes_is_changed_as_well(version: int) -> None:
    client, server = (n.CLIENTS[version][0], n.SAME), (n.SERVER[version], n.PORT)
    outer = n.OUTSIDE[version], n.FIRST
    found = changed(
        n.unreachable(server[0], outer[0], n.datagram(outer, server)),
        n.unreachable(server[0], client[0], n.datagram(client, server)),
    )
    assert found == {
        "destination": (outer[0], client[0]),
        "quoted_source": (shown(outer), shown(client)),
    }
    found = changed(
        n.unreachable(client[0], server[0], n.datagram(server, client)),
        n.unreachable(outer[0], server[0], n.datagram(server, outer)),
    )
    assert found == {
        "source": (client[0], outer[0]),
        "quoted_destination": (shown(client), shown(outer)),
    }


@VERSIONS
def test_of_an_echo_the_identifier_is_changed(version: int) -> None:
    client, server, outer = n.CLIENTS[version][0], n.SERVER[version], n.OUTSIDE[version]
    assert changed(n.echo(client, server, 7), n.echo(outer, server, n.FIRST)) == {
        "source": (client, outer),
        "identifier": (7, n.FIRST),
    }


def test_fragments_that_are_made_anew_have_another_identification() -> None:
    whole = n.datagram(("fd00::2", 1), ("2001:db8::2", 2), bytes(100))
    one, other = n.fragments(whole, 64, ident=1)[1], n.fragments(whole, 64, ident=2)[1]
    assert changed(one, other) == {"fragment_identification": (1, 2)}


def test_what_is_no_ip_packet_has_hardware_addresses_alone() -> None:
    data = bytes(6) + b"\x02" * 6 + b"\x88\xb5" + b"x" * 46
    one = dissect(Frame(0, "a/eth0", Direction.OUT, data, len(data)))
    other = dissect(Frame(0, "a/eth0", Direction.OUT, b"\x04" * 6 + data[6:], len(data)))
    assert [each.field for each in changes(one, other)] == ["hardware_destination"]
