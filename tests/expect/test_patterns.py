from __future__ import annotations

import pytest
from timeline_edits import timeline_of

from lab.analysis.packets.packet import TcpFlags
from lab.errors import UsageError
from lab.expect.frames import Among
from lab.expect.matching import FrameSeen
from lab.expect.patterns import ARP, ICMP, TCP, UDP, AnyFrame, flags_called
from lab.expect.subject import subjects_of_run
from lab.expect.values import at_least, at_most, contains, starts_with

TCP_FRAMES = Among().of(subjects_of_run([timeline_of("tcp4")]))
ARP_REQUEST, SYN, SYN_ACK, DATA = (TCP_FRAMES[place] for place in (0, 2, 3, 5))


@pytest.mark.parametrize(
    ("pattern", "frame"),
    [
        (AnyFrame(), ARP_REQUEST),
        (AnyFrame(src="client", dst="server"), DATA),
        (AnyFrame(src="198.51.100.1"), ARP_REQUEST),
        (ARP(operation=1, dst="198.51.100.2"), ARP_REQUEST),
        (TCP(flags="S", seq=0, dport=4242, length=0), SYN),
        (TCP(flags="SYN", options=["mss", "sack_permitted"]), SYN),
        (TCP(options="mss"), SYN_ACK),
        (TCP(flags="SYN-ACK", ack=1), SYN_ACK),
        (TCP(flags="SYN,ACK", ttl=64), SYN_ACK),
        (TCP(flags="ACK", payload=b"Hello. "), DATA),
        (TCP(flags="PA", payload="Hello. "), DATA),
        (TCP(length=at_least(7), payload=starts_with("Hell")), DATA),
        (TCP(length=at_most(7), payload=contains(b"lo")), DATA),
        (TCP(length=range(1, 8), seq={1, 2}), DATA),
    ],
    ids=str,
)
def test_a_frame_is_as_its_pattern(pattern: AnyFrame, frame: FrameSeen) -> None:
    assert pattern.compare(*frame) == ()


@pytest.mark.parametrize(
    ("pattern", "frame", "different"),
    [
        (TCP(), ARP_REQUEST, "protocol"),
        (UDP(), SYN, "protocol"),
        (ICMP(), SYN, "protocol"),
        (ARP(operation=2), ARP_REQUEST, "operation"),
        (TCP(flags="SYN"), SYN_ACK, "flags"),
        (TCP(flags="SA"), SYN, "flags"),
        (TCP(flags="FIN"), DATA, "flags"),
        (TCP(flags="ACK"), SYN, "flags"),
        (TCP(src="server"), SYN, "src"),
        (TCP(length=range(8, 10)), DATA, "length"),
        (TCP(length=at_most(6)), DATA, "length"),
        (TCP(payload=contains("x")), DATA, "payload"),
        (TCP(options=["md5"]), SYN, "options"),
        (TCP(ack=0), SYN, "ack"),
        (AnyFrame(ttl=63), DATA, "ttl"),
    ],
    ids=str,
)
def test_what_differs_is_named(pattern: AnyFrame, frame: FrameSeen, different: str) -> None:
    (contrast,) = pattern.compare(*frame)
    assert contrast.what == different
    assert contrast.expected != contrast.actual


def test_a_pattern_says_what_it_wants() -> None:
    assert str(TCP(src="client", flags="SYN", length=at_most(3))) == (
        "TCP(src=client, flags=SYN, length=at most 3)"
    )
    assert str(AnyFrame()) == "AnyFrame()"


def test_flags_by_names_and_by_letters_are_the_same() -> None:
    both = TcpFlags.SYN | TcpFlags.ACK
    assert {flags_called(text) for text in ("SA", "SYN-ACK", "syn|ack", "ACK SYN")} == {both}


def test_flags_that_there_are_not_are_refused() -> None:
    for text in ("SYM", "X", "", "SYN-ACKK"):
        with pytest.raises(UsageError, match="flags="):
            flags_called(text)
