from __future__ import annotations

from collections import Counter
from dataclasses import replace

import frame_bytes as fb
import pytest
import recorded as r
from transcript import converse

from lab.analysis.flows.crossing import Crossing
from lab.analysis.packets.dissect import Reassembler, dissect
from lab.analysis.packets.packet import Tcp, TcpFlags, TcpOption
from lab.analysis.story import (
    EXPLANATIONS,
    FLAG_ORDER,
    Phase,
    describe_checksum,
    describe_more,
    describe_options,
    describe_packet,
    describe_quoted,
    describe_sack,
    describe_segment,
    flag_names,
    phases,
    roles,
)
from lab.records import Direction, Frame

TRANSFER = """
0.001 client > server SYN seq=100 mss=1460
0.002 server > client SYN,ACK seq=900 ack=101 mss=1460
0.003 client > server ACK seq=101 ack=901
0.004 client > server ACK,PSH seq=101 ack=901 data=hello
0.005 server > client ACK seq=901 ack=106
0.006 client > server FIN,ACK seq=106 ack=901
0.007 server > client FIN,ACK seq=901 ack=107
0.008 client > server ACK seq=107 ack=902
"""


def described(data: bytes, wire_bytes: int | None = None) -> str:
    size = len(data) if wire_bytes is None else wire_bytes
    return describe_packet(dissect(Frame(0, "if0", Direction.IN, data, size)))


@pytest.mark.parametrize("family", [4, 6])
def test_a_recorded_run_has_its_phases_in_order(family: int) -> None:
    (timeline,), _ = r.judged(r.recorded(family))
    phase_of = phases(timeline.crossings, timeline.conversations)
    in_order = [phase_of[crossing.number] for crossing in timeline.crossings]
    assert list(dict.fromkeys(in_order)) == [
        Phase.NEIGHBOUR,
        Phase.OPENING,
        Phase.DATA,
        Phase.CLOSING,
    ]
    assert Counter(in_order).most_common() == [
        (Phase.CLOSING, 9),
        (Phase.DATA, 6),
        (Phase.OPENING, 3),
        (Phase.NEIGHBOUR, 2),
    ]


def test_every_phase_is_explained_in_one_line_of_80_columns() -> None:
    assert set(EXPLANATIONS) == set(Phase)
    assert all(len(text) <= 78 and text[-1] in ".?" for text in EXPLANATIONS.values())


def test_a_frame_of_no_connection_is_beside_the_conversation() -> None:
    (timeline,), _ = r.judged(r.changed(6, lambda data: fb.ethernet(b"?", 0x88B5))(r.recorded(4)))
    assert phases(timeline.crossings, timeline.conversations)[6] is Phase.OTHER


def test_a_connection_whose_opening_was_not_seen_has_data_at_once() -> None:
    conversation = converse("0.1 client > server ACK seq=1 ack=1 data=x")
    assert phases([], [conversation]) == {1: Phase.DATA}


def test_a_reset_begins_a_phase_of_its_own() -> None:
    talk = converse(
        """
        0.1 client > server SYN seq=1
        0.2 server > client RST,ACK seq=0 ack=2
        """
    )
    assert phases([], [talk]) == {1: Phase.OPENING, 2: Phase.RESET}
    assert roles([talk]) == {2: "reset: the connection ends at once"}


def test_opening_and_closing_segments_have_their_roles() -> None:
    found = roles([converse(TRANSFER)])
    assert [found[number].split(":")[0] for number in (1, 2, 3)] == [
        "handshake 1 of 3",
        "handshake 2 of 3",
        "handshake 3 of 3",
    ]
    assert found[6] == "the client has nothing more to send"
    assert found[7] == "the server has nothing more to send"
    assert found[8] == "the server's FIN is acknowledged"
    assert 4 not in found


def test_of_a_simultaneous_open_each_sides_segments_have_their_roles() -> None:
    talk = converse(
        """
        0.01 client > server SYN seq=100 recv=0.03
        0.02 server > client SYN seq=900 recv=0.04
        0.05 server > client SYN,ACK seq=900 ack=101 recv=0.07
        0.06 client > server SYN,ACK seq=100 ack=901 recv=0.08
        0.09 client > server ACK seq=101 ack=901 recv=0.10
        """
    )
    assert roles([talk]) == {
        1: "simultaneous open: the client sends its initial sequence number",
        2: "simultaneous open: the server opens as well",
        3: "simultaneous open: the server acknowledges that, and sends its own again",
        4: "simultaneous open: the client acknowledges that, and sends its own again",
    }


def test_a_retransmission_is_a_role() -> None:
    again = TRANSFER.replace(
        "0.005", "0.0045 client > server ACK,PSH seq=101 ack=901 data=hello\n0.005"
    )
    assert roles([converse(again)])[5] == "retransmission"


def test_segments_are_described_by_flags_and_relative_numbers() -> None:
    told = [describe_segment(segment) for segment in converse(TRANSFER).segments]
    assert told[0] == "SYN seq=0 win=1000"
    assert told[1] == "SYN ACK seq=0 ack=1 win=1000"
    assert told[3] == "PSH ACK seq=1 ack=1 len=5"
    assert told[7] == "ACK seq=7 ack=2"


def test_every_flag_has_a_place_in_the_order() -> None:
    assert set(FLAG_ORDER) == set(TcpFlags)
    everything = flag_names(TcpFlags(0x1FF))
    assert everything == "SYN FIN RST PSH ACK URG ECE CWR AE"
    assert flag_names(TcpFlags(0)) == ""


def test_options_are_described_by_name_and_value() -> None:
    options = (
        TcpOption(2, "mss", 1460),
        TcpOption(4, "sack_permitted", None),
        TcpOption(8, "timestamps", (7, 3)),
        TcpOption(1, "nop", None),
        TcpOption(3, "window_scale", 9),
        TcpOption(5, "sack", (1, 2, 5, 6)),
        TcpOption(34, "fast_open", b"cookie"),
        TcpOption(0, "end", None),
    )
    tcp = Tcp(0, 1, 2, 3, 4, 60, TcpFlags.SYN, 5, 0, True, 0, options, 0)
    assert describe_options(tcp) == (
        "mss 1460, SACK ok, TSval 7, TSecr 3, window scale 9, SACK 1-2 5-6, fast open"
    )


ARP_REQUEST = bytes.fromhex("0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202")
TARGET = bytes.fromhex("0000 0000") + fb.V6_B.packed
DESCRIBED = [
    (fb.ethernet(fb.ipv4(fb.tcp(b"hi", flags=fb.PSH | fb.ACK))), "TCP 40000 > 80 PSH ACK len=2"),
    (fb.ethernet(fb.ipv4(fb.udp(b"hi"), 17)), "UDP 5000 > 5001 len=2"),
    (fb.ethernet(ARP_REQUEST, fb.ARP), "ARP who has 192.0.2.2?"),
    (
        fb.ethernet(ARP_REQUEST[:7] + b"\2" + ARP_REQUEST[8:], fb.ARP),
        "ARP 192.0.2.1 is at 02:00:00:00:00:01",
    ),
    (fb.ethernet(ARP_REQUEST[:7] + b"\3" + ARP_REQUEST[8:], fb.ARP), "ARP operation 3"),
    (fb.ethernet(fb.ipv4(fb.icmp(8, 0, bytes(4)), 1)), "ICMP echo request, code 0"),
    (fb.ethernet(fb.ipv4(fb.icmp(99, 1, bytes(4)), 1)), "ICMP type 99, code 1"),
    (
        fb.ethernet(fb.ipv4(fb.icmp(3, 4, b"\0\0\5\0"), 1)),
        "ICMP fragmentation needed, MTU 1280",
    ),
    (
        fb.ethernet(fb.ipv6(fb.icmpv6(2, 0, b"\0\0\5\0"), 58), fb.IPV6),
        "ICMPv6 packet too big, MTU 1280",
    ),
    (
        fb.ethernet(fb.ipv6(fb.icmpv6(135, 0, TARGET), 58), fb.IPV6),
        "ND who has 2001:db8::2?",
    ),
    (
        fb.ethernet(fb.ipv6(fb.icmpv6(136, 0, TARGET + b"\2\1" + fb.MAC_B), 58), fb.IPV6),
        "ND 2001:db8::2 is at 02:00:00:00:00:02",
    ),
    (fb.ethernet(fb.ipv4(b"?", 253)), "IPv4 experiment 253 from 192.0.2.1 to 192.0.2.2"),
    (
        fb.ethernet(fb.ipv6(b"?", 253), fb.IPV6),
        "IPv6 experiment 253 from 2001:db8::1 to 2001:db8::2",
    ),
    (fb.ethernet(b"?", 0x88B5), "Ethernet type 0x88b5"),
    (fb.ethernet(b"?", 0x88B5, ((0x8100, 5),)), "Ethernet type 0x88b5"),
    (fb.ethernet(b"?", 0x88E5), "MACsec, from 02:00:00:00:00:01 to 02:00:00:00:00:02: not entered"),
    (b"short", "malformed Ethernet at byte 0: needs 14 bytes, has 5"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "text"), DESCRIBED, ids=[text for _, text in DESCRIBED])
def test_a_packet_is_described_by_its_innermost_header(data: bytes, text: str) -> None:
    assert described(data) == text


def crossings_of(*frames: bytes) -> list[Crossing]:
    reassembler = Reassembler()
    packets = [dissect(Frame(0, "if0", Direction.IN, data, len(data))) for data in frames]
    return [
        Crossing(number, reassembler.add(packet), "", "", 0, 0)
        for number, packet in enumerate(packets, start=1)
    ]


def fragments_of(datagram: bytes, *, protocol: int = 17) -> list[bytes]:
    """A datagram of 40 bytes in three frames."""
    return [
        fb.ethernet(fb.ipv4(datagram[start:end], protocol, flags=int(end < 40), offset=start))
        for start, end in ((0, 16), (16, 32), (32, 40))
    ]


def port_unreachable(quoted: bytes) -> bytes:
    return fb.ethernet(fb.ipv4(fb.icmp(3, 3, bytes(4), quoted), 1))


def port_unreachable_6(quoted: bytes) -> bytes:
    error = fb.icmpv6(1, 4, bytes(4) + quoted)
    return fb.ethernet(fb.ipv6(error, 58), fb.IPV6)


ASK = fb.ipv4(fb.udp(b"ask"), 17)
ASK_6 = fb.ipv6(fb.udp(b"ask", source=fb.V6_A, destination=fb.V6_B), 17)
ECHO = fb.ethernet(fb.ipv4(fb.icmp(8, 0, bytes(4)), 1))


def test_datagrams_fragments_and_errors_have_phases_of_their_own() -> None:
    seen = crossings_of(
        fb.ethernet(ASK), *fragments_of(fb.udp(bytes(32))), port_unreachable(ASK), ECHO
    )
    assert list(phases(seen, []).values()) == [
        Phase.DATAGRAMS,
        *[Phase.FRAGMENTS] * 3,
        Phase.ERROR,
        Phase.OTHER,
    ]


def test_a_fragment_is_described_by_its_place_and_by_what_it_completes() -> None:
    packets = [crossing.packet for crossing in crossings_of(*fragments_of(fb.udp(bytes(32))))]
    assert [describe_packet(packet) for packet in packets] == [
        "fragment 0-15 of 0x0001, more",
        "fragment 16-31 of 0x0001, more",
        "fragment 32-39 of 0x0001, last",
    ]
    assert [describe_more(packet) for packet in packets] == [
        "",
        "",
        "whole: UDP 5000 > 5001 len=32",
    ]


def test_fragments_have_their_roles() -> None:
    found = roles([], crossings_of(*fragments_of(fb.udp(bytes(32)))))
    assert found == {
        1: "the first fragment, and the only one with the UDP header",
        2: "a fragment in the middle",
        3: "the last fragment; the datagram is whole again",
    }
    only_last = roles([], crossings_of(fragments_of(fb.udp(bytes(32)))[2]))
    assert only_last == {1: "the last fragment"}
    unknown = roles([], crossings_of(fragments_of(bytes(40), protocol=253)[0]))
    assert unknown == {1: "the first fragment, and the only one with the transport header"}


@pytest.mark.parametrize(
    ("data", "text", "more"),
    [
        (port_unreachable(ASK), "ICMP port unreachable", "quotes UDP 5000 > 5001 len=3"),
        (port_unreachable(ASK[:28]), "ICMP port unreachable", "quotes UDP 5000 > 5001 len=3"),
        (port_unreachable(ASK[:24]), "ICMP port unreachable", "quotes UDP 5000 > 5001"),
        (
            port_unreachable(ASK[:23]),
            "ICMP port unreachable",
            "quotes IPv4 UDP from 192.0.2.1 to 192.0.2.2",
        ),
        (port_unreachable(b""), "ICMP port unreachable", ""),
        (port_unreachable(b"\x45"), "ICMP port unreachable", ""),
        (
            port_unreachable(fb.ipv4(fb.tcp())[:28]),
            "ICMP port unreachable",
            "quotes TCP 40000 > 80 seq=1000",
        ),
        (port_unreachable_6(ASK_6), "ICMPv6 port unreachable", "quotes UDP 5000 > 5001 len=3"),
    ],
)
def test_an_icmp_error_is_described_by_name_and_by_what_it_quotes(
    data: bytes, text: str, more: str
) -> None:
    packet = dissect(Frame(0, "if0", Direction.IN, data, len(data)))
    assert (describe_packet(packet), describe_more(packet)) == (text, more)


def test_only_an_error_that_quotes_a_datagram_names_a_port() -> None:
    seen = crossings_of(
        port_unreachable(ASK), port_unreachable_6(ASK_6), port_unreachable(ASK[:20]), ECHO
    )
    told = "nobody listens on UDP port 5001"
    assert roles([], seen) == {1: told, 2: told}


def test_a_frame_cut_by_the_capture_is_not_called_malformed() -> None:
    assert described(b"short", 60).startswith("cut off Ethernet at byte 0")


@pytest.mark.parametrize(
    ("option", "flags", "text"),
    [
        (TcpOption(34, "fast_open_cookie", b""), TcpFlags.SYN, "Fast Open cookie request"),
        (
            TcpOption(254, "experiment_2", b"\xf9\x89"),
            TcpFlags.SYN,
            "Fast Open cookie request (experimental option 254)",
        ),
        (
            TcpOption(253, "experiment_1", b"\xf9\x89" + bytes(8)),
            TcpFlags.SYN | TcpFlags.ACK,
            "Fast Open gives a cookie of 8 bytes (experimental option 253)",
        ),
        (
            TcpOption(34, "fast_open_cookie", bytes(8)),
            TcpFlags.SYN,
            "Fast Open with a cookie of 8 bytes",
        ),
        (
            TcpOption(34, "fast_open_cookie", bytes(3)),
            TcpFlags.SYN,
            "Fast Open with a cookie of 3 bytes, not an even number from 4 to 16",
        ),
        (
            TcpOption(254, "experiment_2", b"\x12\x34"),
            TcpFlags.SYN,
            "experiment 2, ExID 0x1234",
        ),
        (TcpOption(254, "experiment_2", b"\xf9"), TcpFlags.SYN, "experiment 2"),
        (TcpOption(30, "multipath_tcp", b"\x01\x81"), TcpFlags.SYN, "Multipath TCP MP_CAPABLE"),
        (TcpOption(30, "multipath_tcp", b"\x20"), TcpFlags.ACK, "Multipath TCP DSS"),
        (TcpOption(30, "multipath_tcp", b"\xb0"), TcpFlags.ACK, "Multipath TCP subtype 11"),
        (TcpOption(30, "multipath_tcp", b""), TcpFlags.ACK, "multipath tcp"),
    ],
)
def test_options_that_carry_data_are_named_as_their_rfcs_do(
    option: TcpOption, flags: TcpFlags, text: str
) -> None:
    tcp = converse(TRANSFER).flow.crossings[0].packet.tcp
    assert tcp is not None
    assert describe_options(replace(tcp, options=(option,), flags=flags)) == text


def test_sack_blocks_are_named_and_those_of_what_came_twice() -> None:
    talk = converse(
        """
        0.1 client > server SYN seq=100
        0.2 server > client SYN,ACK seq=900 ack=101
        0.3 server > client ACK seq=901 ack=101 blocks=106-116,126-136
        0.4 server > client ACK seq=901 ack=106 blocks=101-106,126-136
        """
    )
    assert [describe_sack(segment) for segment in talk.segments] == [
        "",
        "",
        "SACK 6-16 26-36",
        "D-SACK 1-6, SACK 26-36",
    ]


def test_a_wrong_checksum_is_named_with_the_right_one() -> None:
    right, wrong = (
        dissect(Frame(0, "if0", Direction.IN, data, len(data)))
        for data in (fb.ethernet(fb.ipv4(fb.tcp(checksum=sent))) for sent in (None, 0x1234))
    )
    assert right.tcp is not None and wrong.tcp is not None
    assert describe_checksum(right.tcp) == ""
    ought = fb.tcp()[16:18].hex()
    assert describe_checksum(wrong.tcp) == f"TCP checksum 0x1234, ought to be 0x{ought}"


@pytest.mark.parametrize(
    ("data", "quoted"),
    [
        (port_unreachable(ASK), "UDP 192.0.2.1:5000 > 192.0.2.2:5001"),
        (port_unreachable(ASK[:24]), "UDP 192.0.2.1:5000 > 192.0.2.2:5001"),
        (port_unreachable(ASK[:23]), "UDP 192.0.2.1 > 192.0.2.2"),
        (port_unreachable(fb.ipv4(fb.tcp())[:24]), "TCP 192.0.2.1:40000 > 192.0.2.2:80"),
        (port_unreachable_6(ASK_6), "UDP [2001:db8::1]:5000 > [2001:db8::2]:5001"),
        (port_unreachable(ASK[:19]), ""),
        (ECHO, ""),
        (fb.ethernet(ASK), ""),
    ],
)
def test_what_an_icmp_error_quotes_is_named_with_its_addresses(data: bytes, quoted: str) -> None:
    assert describe_quoted(dissect(Frame(0, "if0", Direction.IN, data, len(data)))) == quoted


@pytest.mark.parametrize(
    ("data", "text", "phase"),
    [
        (fb.ipv4(fb.tcp())[:32], "TCP 40000 > 80 seq=1000, cut off in the header", Phase.DATA),
        (fb.ipv4(fb.tcp())[:24], "TCP 40000 > 80, cut off in the header", Phase.DATA),
        (fb.ipv4(fb.tcp())[:23], "cut off TCP at byte 34: needs 20 bytes, has 3", Phase.OTHER),
        (ASK[:24], "UDP 5000 > 5001, cut off in the header", Phase.DATAGRAMS),
    ],
)
def test_a_header_that_the_capture_cut_says_what_is_left_of_it(
    data: bytes, text: str, phase: Phase
) -> None:
    cut = replace(
        crossings_of(fb.ethernet(data))[0].packet,
        layers=dissect(Frame(0, "if0", Direction.IN, fb.ethernet(data), 100)).layers,
    )
    assert describe_packet(cut) == text
    assert phases([Crossing(1, cut, "", "", 0, 0)], []) == {1: phase}


def test_an_ethernet_header_with_a_length_has_no_type() -> None:
    assert described(fb.ethernet(b"\xff\xff" + bytes(8), 10)) == "802.3 frame of 10 bytes"
