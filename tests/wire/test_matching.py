"""Whether a frame is one that a rule is about."""

from __future__ import annotations

import frame_bytes as fb
import pytest

from lab.wire.grammar import parse_rule
from lab.wire.headers import Headers
from lab.wire.matching import NO_TERMS, Past, SentNumbers, Windows, any_of, matcher_of
from lab.wire.rule import Term

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
FRAMES = {
    "arp": fb.ethernet(bytes(28), kind=0x0806),
    "syn": fb.ethernet(fb.ipv4(fb.tcp(b"", flags=SYN))),
    "syn-ack": fb.ethernet(fb.ipv4(fb.tcp(b"", flags=SYN | ACK, sport=80, dport=40000))),
    "ack": fb.ethernet(fb.ipv4(fb.tcp(b"", flags=ACK))) + bytes(6),
    "data": fb.ethernet(fb.ipv4(fb.tcp(b"hello", flags=PSH | ACK))),
    "fin": fb.ethernet(fb.ipv4(fb.tcp(b"", flags=FIN | ACK))),
    "rst": fb.ethernet(fb.ipv4(fb.tcp(b"", flags=RST))),
    "udp": fb.ethernet(fb.ipv4(fb.udp(b"hello"), protocol=17)),
    "empty": fb.ethernet(fb.ipv4(fb.udp(b""), protocol=17)),
    "ping": fb.ethernet(fb.ipv4(fb.icmp(8, 0, bytes(4)), protocol=1)),
    "ping6": fb.ethernet(fb.ipv6(fb.icmpv6(128, 0, bytes(4)), next_header=58), kind=0x86DD),
    "tcp6": fb.ethernet(fb.ipv6(fb.tcp6(b"hello", flags=PSH | ACK)), kind=0x86DD),
    "piece": fb.ethernet(fb.ipv4(bytes(16), protocol=17, flags=1, offset=32)),
    "short": bytes(9),
}
SEGMENTS = {"syn", "syn-ack", "ack", "data", "fin", "rst", "tcp6"}


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ("", set(FRAMES)),
        ("arp", {"arp"}),
        ("ip", set(FRAMES) - {"arp", "ping6", "tcp6", "short"}),
        ("ip6", {"ping6", "tcp6"}),
        ("icmp", {"ping", "ping6"}),
        ("tcp", SEGMENTS),
        ("udp", {"udp", "empty", "piece"}),
        ("fragment", {"piece"}),
        ("SYN", {"syn"}),
        ("SYN-ACK", {"syn-ack"}),
        ("FIN", {"fin"}),
        ("RST", {"rst"}),
        ("PSH", {"data", "tcp6"}),
        ("data", {"data", "udp", "tcp6"}),
        ("ack", {"ack"}),
        ("tcp data ip", {"data"}),
        ("port 80", SEGMENTS),
        ("sport 80", {"syn-ack"}),
        ("dport 80", SEGMENTS - {"syn-ack"}),
        ("length <20", {"short"}),
        ("length >59", {"ack", "tcp6", "ping6"}),
    ],
)
def test_what_a_rule_is_about(words: str, about: set[str]) -> None:
    rule = parse_rule(f"a>b drop {words}")
    found = {
        name for name, frame in FRAMES.items() if matcher_of(rule, {})(Headers(frame), NO_TERMS)
    }
    assert found == about


def test_an_expression_is_asked_about_the_whole_frame() -> None:
    rule = parse_rule("a>b drop bpf 'some words'")
    asked: list[bytes] = []

    def describes(frame: bytes) -> bool:
        asked.append(frame)
        return len(frame) < 10

    matcher = matcher_of(rule, {"some words": describes})
    for frame in FRAMES.values():
        assert matcher(Headers(frame), NO_TERMS) == (len(frame) < 10)
    assert asked == list(FRAMES.values())


def test_a_rewriting_rule_is_about_frames_that_have_the_field() -> None:
    rule = parse_rule("a>b rewrite window=0")
    for name, frame in FRAMES.items():
        found = matcher_of(rule, {})(Headers(frame), NO_TERMS)
        assert found == (name in SEGMENTS)


@pytest.mark.parametrize(
    ("rules", "about"),
    [
        ((), set()),
        (("SYN",), {"syn"}),
        (("SYN", "arp", "FIN"), {"syn", "arp", "fin"}),
    ],
)
def test_what_any_of_several_rules_is_about(rules: tuple[str, ...], about: set[str]) -> None:
    matcher = any_of(matcher_of(parse_rule(f"a>b drop {words}"), {}) for words in rules)
    assert {name for name, frame in FRAMES.items() if matcher(Headers(frame), NO_TERMS)} == about


def segment(seq: int, payload: bytes = b"", flags: int = ACK, sport: int = 40000) -> Headers:
    return Headers(fb.ethernet(fb.ipv4(fb.tcp(payload, seq=seq, flags=flags, sport=sport))))


def test_a_segment_that_begins_before_what_was_sent_is_a_retransmission() -> None:
    sent = SentNumbers()
    story = [
        (segment(99, flags=SYN), False),
        (segment(99, flags=SYN), True),
        (segment(100), False),
        (segment(100, b"abc"), False),
        (segment(103, b"def"), False),
        (segment(100, b"abc"), True),
        (segment(103, b"defghi"), True),
        (segment(109), False),
        (segment(109, flags=FIN | ACK), False),
        (segment(109, flags=FIN | ACK), True),
        (segment(5, b"x", sport=40001), False),
    ]
    assert [sent.is_retransmission(headers) for headers, _ in story] == [x for _, x in story]


def window(size: int, flags: int = ACK, sport: int = 40000) -> Headers:
    return Headers(fb.ethernet(fb.ipv4(fb.tcp(b"", flags=flags, window=size, sport=sport))))


def test_a_segment_that_opens_a_closed_window_is_its_update() -> None:
    windows = Windows()
    story = [
        (window(0, flags=SYN), False),
        (window(5), False),
        (window(0), False),
        (window(0), False),
        (window(9, sport=40001), False),
        (window(9, flags=RST), False),
        (window(9), True),
        (window(9), False),
        (window(0), False),
        (window(1), True),
    ]
    assert [windows.is_update(headers) for headers, _ in story] == [x for _, x in story]
    assert not windows.is_update(Headers(FRAMES["udp"]))
    assert not windows.is_update(Headers(FRAMES["short"]))


def test_of_the_past_only_that_is_followed_which_rules_ask_for() -> None:
    closed, opened, again = window(0), window(9), segment(100, b"abc")
    nothing = Past([parse_rule("a>b drop data")])
    assert [nothing.terms_of(each) for each in (closed, opened, again)] == [NO_TERMS] * 3
    both = Past([parse_rule("a>b drop window-update 1"), parse_rule("a>b drop retransmission")])
    assert [both.terms_of(each) for each in (closed, opened, again, again)] == [
        NO_TERMS,
        {Term.WINDOW_UPDATE},
        NO_TERMS,
        {Term.RETRANSMISSION},
    ]


def test_sequence_numbers_wrap() -> None:
    sent = SentNumbers()
    assert not sent.is_retransmission(segment(2**32 - 2, b"abcd"))
    assert not sent.is_retransmission(segment(2, b"ef"))
    assert sent.is_retransmission(segment(2**32 - 2, b"abcd"))


def test_what_is_no_segment_is_no_retransmission() -> None:
    sent = SentNumbers()
    for _ in range(2):
        assert not sent.is_retransmission(Headers(FRAMES["udp"]))
        assert not sent.is_retransmission(Headers(FRAMES["short"]))
