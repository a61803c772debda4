"""Records of the network programs: bytes in, values out."""

from __future__ import annotations

import socket
import struct
from ipaddress import ip_address

import pytest

from lab.kernel.trace.networks.network_records import (
    ABSENT,
    ANSWERED_BYTES,
    CLOSED,
    DROP,
    DROP_HEADER,
    OTHER,
    PACKET_BYTES,
    RESET_RECEIVED,
    RESET_SENT,
    RETRANSMITTED,
    SOCKET,
    STATE,
    SYNACK_RETRANSMITTED,
    ClosedOfRun,
    DropOfRun,
    EventOfRun,
    Sight,
    SocketEnds,
    StateOfRun,
    family_name,
    parse_network_records,
    protocol_name,
)

SK, TID, NAMESPACE = 0xFFFF888100C88D80, 77, 40
CLIENT, SERVER = "198.51.100.1", "198.51.100.2"
CLIENT_6, SERVER_6 = "2001:db8::1", "2001:db8::2"
ENDS = {
    "sport": 40858, "dport": 4242, "family": "AF_INET", "saddr": CLIENT, "daddr": SERVER,
    "saddr_v6": CLIENT, "daddr_v6": SERVER,
}  # fmt: skip


def packed(address: str) -> bytes:
    return ip_address(address).packed


def record(
    kind: int,
    first: int = 0,
    second: int = ABSENT,
    *,
    family: int = socket.AF_INET,
    protocol: int = 6,
    address: int = SK,
    ends_4: tuple[str, str] = (CLIENT, SERVER),
    ends_6: tuple[str, str] = ("::", "::"),
) -> bytes:
    local, remote = map(packed, ends_4)
    local_6, remote_6 = map(packed, ends_6)
    local_port = 40858 if kind == SYNACK_RETRANSMITTED else socket.htons(40858)
    return SOCKET.pack(
        5, address, NAMESPACE, kind, TID, family, protocol, first, second,
        local_port, socket.htons(4242), local, remote, local_6, remote_6,
    )  # fmt: skip


def state_of(data: bytes) -> StateOfRun:
    (state,) = parse_network_records([data]).states
    return state


def event_of(data: bytes) -> EventOfRun:
    (event,) = parse_network_records([data]).events
    assert (event.time_ns, event.tid) == (5, TID)
    return event


def test_a_state_has_both_ends_and_both_states() -> None:
    ends = SocketEnds(socket.AF_INET, 6, CLIENT, 40858, SERVER, 4242, CLIENT, SERVER)
    assert parse_network_records([record(STATE, 7, 2)]) == Sight(
        [StateOfRun(5, SK, NAMESPACE, TID, 7, 2, ends, None)]
    )


def test_times_are_so_much_less() -> None:
    data = record(STATE, 7, 2), record(RESET_RECEIVED), drop(60, 0, b"")
    sight = parse_network_records(data, ahead_ns=3)
    assert [each[0] for each in (*sight.states, *sight.events, *sight.drops)] == [2, 2, 2]


def test_ends_of_ipv6_are_read_from_their_own_members() -> None:
    ends = state_of(record(STATE, 7, 2, family=10, ends_6=(CLIENT_6, SERVER_6))).ends
    assert (ends.local, ends.remote) == (CLIENT_6, SERVER_6)


def test_a_mapped_address_is_the_ipv4_address_that_it_stands_for() -> None:
    mapped = f"::ffff:{CLIENT}", f"::ffff:{SERVER}"
    ends = state_of(record(STATE, 7, 2, family=10, ends_6=mapped)).ends
    assert (ends.local, ends.remote) == (CLIENT, SERVER)


def test_a_closed_socket_has_what_it_had_then() -> None:
    numbers = range(100, 100 + len(ClosedOfRun._fields))
    state = state_of(record(STATE, 9, 7) + CLOSED.pack(*numbers))
    assert state.closed == ClosedOfRun._make(numbers)


def test_a_received_rst_has_its_sockets_ends() -> None:
    event = event_of(record(RESET_RECEIVED))
    assert event.name == "tcp:tcp_receive_reset"
    assert event.fields == {"skaddr": "sk ffff888100c88d80", **ENDS}


def test_an_event_of_ipv6_has_the_addresses_of_both_families() -> None:
    data = record(
        RESET_RECEIVED, family=10, ends_4=("0.0.0.0", "0.0.0.0"), ends_6=(CLIENT_6, SERVER_6)
    )
    fields = event_of(data).fields
    assert (fields["family"], fields["saddr"], fields["daddr"]) == (
        "AF_INET6", "0.0.0.0", "0.0.0.0",
    )  # fmt: skip
    assert (fields["saddr_v6"], fields["daddr_v6"]) == (CLIENT_6, SERVER_6)


@pytest.mark.parametrize(("number", "said"), [(-105, {"err": -105}), (ABSENT, {})])
def test_a_retransmission_says_how_it_ended_where_the_kernel_does(
    number: int, said: dict[str, int]
) -> None:
    event = event_of(record(RETRANSMITTED, 9, number) + OTHER.pack(0xFFFF888106386C00))
    assert event.name == "tcp:tcp_retransmit_skb"
    assert event.fields == {
        "skbaddr": "0xffff888106386c00", "skaddr": "sk ffff888100c88d80", "state": 9, **ENDS,
        **said,
    }  # fmt: skip


def test_a_syn_ack_that_is_sent_again_has_its_request() -> None:
    event = event_of(record(SYNACK_RETRANSMITTED) + OTHER.pack(0xFFFF8881))
    assert event.name == "tcp:tcp_retransmit_synack"
    assert event.fields == {"skaddr": "sk ffff888100c88d80", "req": "0xffff8881", **ENDS}


@pytest.mark.parametrize(("number", "said"), [(11, {"reason": 11}), (ABSENT, {})])
def test_an_rst_of_a_sockets_has_whole_ends_and_a_reason_where_there_are_any(
    number: int, said: dict[str, int]
) -> None:
    event = event_of(record(RESET_SENT, 7, number) + OTHER.pack(0) + bytes(ANSWERED_BYTES))
    assert event.name == "tcp:tcp_send_reset"
    assert event.fields == {
        "skbaddr": "0x0", "skaddr": "sk ffff888100c88d80", "state": 7, **said,
        "saddr": f"{CLIENT} 40858", "daddr": f"{SERVER} 4242",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("near", "far", "packet"),
    [
        (SERVER, CLIENT, b"\x45" + bytes(11) + packed(CLIENT) + packed(SERVER) + bytes(20)),
        (SERVER_6, CLIENT_6, b"\x60" + bytes(7) + packed(CLIENT_6) + packed(SERVER_6)),
    ],
)
def test_an_rst_of_nobodys_goes_back_to_where_the_packet_came_from(
    near: str, far: str, packet: bytes
) -> None:
    data = record(RESET_SENT, 0, 1, family=0, address=0) + OTHER.pack(0xFFFF8881) + packet
    assert event_of(data).fields == {
        "skbaddr": "0xffff8881", "skaddr": "sk 0000000000000000", "state": 0, "reason": 1,
        "saddr": f"{near} 4242", "daddr": f"{far} 40858",
    }  # fmt: skip


def test_families_and_protocols_have_the_names_of_the_tracepoints() -> None:
    assert [family_name(each) for each in (2, 10, 1)] == ["AF_INET", "AF_INET6", 1]
    assert [protocol_name(each) for each in (6, 132, 262, 17)] == [
        "IPPROTO_TCP", "IPPROTO_SCTP", "IPPROTO_MPTCP", 17,
    ]  # fmt: skip


def drop(left: int, passed: int, packet: bytes) -> bytes:
    as_on_the_wire = struct.unpack("=H", b"\x86\xdd")[0]
    header = DROP_HEADER.pack(
        5, SK, NAMESPACE, DROP, TID, 3, 7, left, passed, as_on_the_wire, len(packet)
    )
    return header + packet.ljust(PACKET_BYTES, b"?")


def test_a_drop_has_its_packet_from_the_network_header_on() -> None:
    assert parse_network_records([drop(60, 0, b"E\0packet")]) == Sight(
        drops=[DropOfRun(5, NAMESPACE, 3, 7, 60, 0x86DD, b"E\0packet")]
    )


def test_a_length_counts_the_headers_that_the_kernel_had_passed() -> None:
    at_tcp, at_link = parse_network_records([drop(40, 20, b""), drop(74, -14, b"")]).drops
    assert (at_tcp.length, at_link.length) == (60, 60)
