"""Captures that were once misread: each is of a kind, and here is what is right of it."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from random import Random
from typing import Any

import frame_bytes as fb
import link_bytes as lb
import pytest
import wire_talks as w
from captured import NAME, capture_of

from lab.capture_files import show_capture, shown_document
from lab.errors import CaptureFileError
from lab.report.document.writing import write_document

Document = dict[str, Any]
SECOND = 10**9

OPEN = """
    0.00 > S seq=100
    0.01 < SA seq=500 ack=101
    0.02 > A seq=101 ack=501
"""
SYN = w.talk("0 > S seq=100", 1000)[0]


def document_of(data: bytes) -> Document:
    return shown_document(show_capture(capture_of(data)))


def talked(text: str, link: int = 1, **how: Any) -> Document:
    return document_of(w.pcap(w.talk(text, 1000, **how), link))


def notes(document: Document) -> list[list[str]]:
    return [frame["tcp"]["notes"] for frame in document["frames"]]


def section(link: int = 1, major: int = 1, *packets: tuple[int, w.Sent]) -> bytes:
    """A section of pcapng with two interfaces, Ethernet and `link`; packets with their times."""
    data = struct.pack("<3I2HqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, major, 0, -1, 28)
    for each in (1, link):
        data += struct.pack("<2I2H2I", 1, 20, each, 0, 0, 20)
    for number, (time, sent) in enumerate(packets):
        padded = sent.data + bytes(-len(sent.data) % 4)
        size = 32 + len(padded)
        where = number if link != 1 else 0
        head = (6, size, where, time >> 32, time & 0xFFFF_FFFF, len(sent.data), len(sent.data))
        data += struct.pack("<7I", *head) + padded + struct.pack("<I", size)
    return data


def test_a_clock_that_steps_back_puts_nothing_out_of_order() -> None:
    sent = w.talk(OPEN + "0.03 > PA seq=101 ack=501 len=3\n0.04 < A seq=501 ack=104", 1000)
    stepped = [
        each._replace(time_ns=each.time_ns + (SECOND if n < 2 else 0))
        for n, each in enumerate(sent)
    ]
    document = document_of(w.pcap(stepped))
    assert notes(document) == [[]] * 5
    assert document["clock_steps"]["first"] == {"packet": 3, "back_ns": 990_000_000}
    assert document["frames"][-1]["tcp"]["server_state"] == "ESTABLISHED"


@pytest.mark.parametrize("kept", [1, 15, 20, 69])
def test_a_file_that_is_cut_is_shown_up_to_there(kept: int) -> None:
    whole = w.pcap(w.talk(OPEN, 1000))
    document = document_of(whole[: len(whole) - 70 + kept])
    assert len(document["frames"]) == 2
    assert document["broken"].startswith(
        f"at byte {len(whole) - 70} (packet 3): the file ends inside "
    )


def test_a_section_that_is_cut_or_of_another_version_ends_the_reading() -> None:
    first = section(1, 1, (1, SYN))
    for rest in (section(1, 1, (2, SYN))[:-20], section(1, 2, (2, SYN))):
        document = document_of(first + rest)
        assert len(document["frames"]) == 1
        assert document["broken"].startswith("at byte ")


def test_an_interface_that_is_not_dissected_costs_its_own_packets() -> None:
    document = document_of(section(220, 1, (1, SYN), (2, SYN)))
    assert [frame["packet"] for frame in document["frames"]] == [1]
    (left_out,) = document["left_out"]
    assert (left_out["point"], left_out["packets"], left_out["first"]) == ("if1", 1, 2)


def test_a_packet_with_an_impossible_time_is_shown_and_said() -> None:
    document = document_of(section(1, 1, (1000, SYN), (2**63, SYN)))
    assert len(document["frames"]) == 2
    assert document["untimed"] == [{"impossible": True, "packets": 1, "first": 2}]


def test_the_copy_with_the_right_checksum_is_the_one_that_counts() -> None:
    document = talked(
        OPEN
        + """
        0.03 > PA seq=101 ack=501 len=7 sum=dead
        0.04 > PA seq=101 ack=501 len=7
        0.05 < A seq=501 ack=108
    """
    )
    assert notes(document)[3:] == [["wrong checksum"], [], []]
    assert document["flows"][0]["client_to_server"]["bytes"] == 7


def test_checksums_that_are_all_wrong_are_left_to_the_network_card() -> None:
    document = talked("""
        0.03 > PA seq=101 ack=501 len=7 sum=dead
        0.04 > PA seq=108 ack=501 len=7 sum=beef
        0.05 < A seq=501 ack=115
    """)
    assert notes(document) == [[], [], []]
    judged = [frame["tcp"]["checksum"]["judged"] for frame in document["frames"]]
    assert judged == ["left to the network card"] * 2 + ["right"]


def test_a_syn_ack_alone_proves_that_windows_are_scaled() -> None:
    document = talked("""
        0.01 < SA seq=500 ack=101 win=29200 opt=mss,ws7
        0.02 > A seq=101 ack=501 win=229
        0.03 < PA seq=501 ack=101 win=229 len=10
    """)
    assert [frame["tcp"]["window"] for frame in document["frames"]] == [29200, 229, 29312]


def test_what_an_empty_ack_overtook_is_out_of_order() -> None:
    document = talked(
        OPEN
        + """
        0.03 > FA seq=101 ack=501
        0.04 < A seq=502 ack=102
        0.05 < FA seq=501 ack=101
    """
    )
    assert notes(document)[3:] == [[], ["previous segment not captured"], ["out of order"]]


def test_retransmissions_are_told_by_what_was_known_when_they_were_sent() -> None:
    late = talked(
        OPEN
        + """
        0.03 > A seq=101 ack=501 len=100
        0.03 > A seq=301 ack=501 len=100
        0.04 < A seq=501 ack=201
        0.30 > A seq=201 ack=501 len=100
    """
    )
    assert notes(late)[-1] == ["after a timeout", "first copy not captured", "retransmission"]
    needless = talked("""
        0.01 > PA seq=101 ack=501 len=10
        0.02 < PA seq=401 ack=111 len=100
    """)
    assert "spurious: acknowledged before" in notes(needless)[-1]


@pytest.mark.parametrize(
    ("size", "summary"),
    [
        (42, "TCP 1000 > 80 seq=101, cut off in the header"),
        (38, "TCP 1000 > 80, cut off in the header"),
    ],
)
def test_a_tcp_header_cut_after_its_ports_is_a_flow(size: int, summary: str) -> None:
    document = talked(f"0.01 > A seq=101 ack=501 cut={size}")
    (flow,) = document["flows"]
    assert (flow["a"], flow["b"], len(flow["parts"])) == ("192.0.2.1:1000", "192.0.2.2:80", 1)
    (frame,) = document["frames"]
    assert frame["source"] == "192.0.2.1:1000"
    assert frame["summary"] == summary


WRAPPED: dict[str, tuple[Callable[[bytes], bytes], int, list[int], list[str]]] = {
    "802.3": (lambda packet: fb.ethernet(lb.snap(packet), 8 + len(packet)), 1, [], []),
    "vlans": (lambda packet: fb.ethernet(packet, tags=((0x88A8, 5), (0x8100, 6))), 1, [5, 6], []),
    "gre": (lambda packet: lb.gre(packet, fb.IPV4), 1, [], ["GRE"]),
    "vxlan": (lambda packet: lb.vxlan(fb.ethernet(packet)), 1, [], ["VXLAN"]),
    "pppoe": (lb.pppoe_frame, 1, [], ["PPPoE session"]),
    "mpls": (lambda packet: lb.on_link(lb.label(3) + packet, 0x8847), 1, [], ["MPLS"]),
    "ppp": (lambda packet: lb.PPP + packet, 9, [], []),
    "Cisco HDLC": (lambda packet: b"\x0f\0\x08\0" + packet, 104, [], []),
    "radiotap": (lambda packet: lb.radiotap() + lb.wireless(packet), 127, [], []),
    "nflog": (lb.nflog, 239, [], []),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_what_carries_a_flow_is_passed_and_said(name: str) -> None:
    wrap, link, vlans, tunnels = WRAPPED[name]
    document = talked(OPEN, link, wrap=wrap)
    (flow,) = document["flows"]
    assert (flow["a"], flow["handshake"]["client_isn"]) == ("192.0.2.1:1000", 100)
    frame = document["frames"][0]
    assert frame["vlans"] == vlans
    assert [tunnel["name"] for tunnel in frame["tunnels"]] == tunnels


def test_fragments_come_with_their_datagram_in_whatever_order() -> None:
    datagram = fb.udp(bytes(200))
    pieces = [
        fb.ethernet(fb.ipv4(datagram[at : at + 80], 17, flags=int(at < 160), offset=at))
        for at in (160, 0, 80, 80)
    ]
    document = document_of(w.pcap(w.Sent(n, each, len(each)) for n, each in enumerate(pieces)))
    (flow,) = document["flows"]
    assert (len(flow["frames"]), len(flow["parts"])) == (1, 3)


def test_an_icmp_error_is_in_the_flow_that_it_quotes() -> None:
    quoted = w.packet(">", "S", {"seq": "100"}, 1000)
    error = fb.ethernet(fb.ipv4(fb.icmp(3, 1, bytes(4), quoted[:28]), 1))
    document = document_of(w.pcap([SYN, w.Sent(1, error, len(error))]))
    (flow,) = document["flows"]
    assert [event["number"] for event in flow["errors"]] == [2]


def test_a_modified_pcap_is_read() -> None:
    data = struct.pack("<I2H4I", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
    for each in w.talk(OPEN, 1000):
        size = len(each.data)
        data += struct.pack("<4I", 0, 0, size, size) + struct.pack("<IHBB", 2, 0x0800, 0, 0)
        data += each.data
    assert document_of(data)["flows"][0]["handshake"]["server_isn"] == 500


BASES = (
    w.pcap(w.talk(OPEN, 1000)),
    w.pcap(w.talk(OPEN, 1000, version=6)),
    w.pcap([w.Sent(0, data, len(data)) for data in list(lb.TUNNELS.values())[::9]]),
    section(220, 1, (1, SYN), (2, SYN)) + section(1, 1, (3, SYN)),
    gzip.compress(w.pcap(w.talk(OPEN, 1000))),
)


def mutated(random: Random) -> bytes:
    """One of the files with some bytes changed, taken away, doubled or made extreme."""
    data = bytearray(random.choice(BASES))
    for _ in range(random.choice((1, 2, 5, 20))):
        at, size = random.randrange(len(data)), random.randrange(1, 20)
        match random.randrange(5):
            case 0:
                data[at] = random.randrange(256)
            case 1:
                data[at] ^= 1 << random.randrange(8)
            case 2 if len(data) > 100:
                del data[at : at + size]
            case 3:
                data[at:at] = data[at : at + size]
            case _:
                data[at : at + 4] = random.choice((b"\xff" * 4, bytes(4), b"\0\0\0\x80"))
    return bytes(data)


def test_no_file_is_too_damaged_to_be_shown_or_refused() -> None:
    random = Random(12)
    shown = 0
    for _ in range(500):
        data = mutated(random)
        try:
            write_document(document_of(data))
        except CaptureFileError as error:
            assert str(error).isprintable()
            assert str(error).startswith(f"cannot read {NAME}"), data
        else:
            shown += 1
    assert 100 < shown < 500
