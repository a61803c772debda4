from __future__ import annotations

import re
from pathlib import Path

import frame_bytes as fb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.packets.dissect import dissect
from lab.analysis.select.filter import ANY, NOTES, PROTOCOLS, SeenFrame, parse_filter, words
from lab.analysis.tcp.segment import Note
from lab.errors import PointedError
from lab.records import Direction, Frame

DOCS = Path(__file__).parents[3] / "docs" / "capture-files.md"
ZERO_NS = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
SEGMENT = fb.ethernet(fb.ipv4(fb.tcp(b"x", sport=1000, dport=80)))
DATAGRAM = fb.ethernet(fb.ipv4(fb.udp(b"x"), 17), tags=((0x8100, 7),))
SIX = fb.ethernet(fb.ipv6(fb.tcp6(b"x"), source=fb.V6_A, destination=fb.V6_B), fb.IPV6)
ERROR = fb.ethernet(
    fb.ipv4(
        fb.icmp(3, 3, bytes(4), fb.ipv4(fb.udp(b"ask"), 17)[:28]),
        1, source=fb.V4_B, destination=fb.V4_A,
    )
)  # fmt: skip


def seen(data: bytes = SEGMENT, *notes: Note, after_ns: int = 0) -> SeenFrame:
    frame = Frame(ZERO_NS + after_ns, "if0", Direction.UNKNOWN, data, len(data))
    return SeenFrame(dissect(frame), frozenset(notes), frame.time_ns, ZERO_NS)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("tcp", (SEGMENT, SIX)),
        ("udp", (DATAGRAM, ERROR)),
        ("icmp", (ERROR,)),
        ("ip6", (SIX,)),
        ("vlan", (DATAGRAM,)),
        ("port 80", (SEGMENT, SIX)),
        ("port 5000-5001", (DATAGRAM, ERROR)),
        ("port 5002-9999", ()),
        ("host 192.0.2.1", (SEGMENT, DATAGRAM, ERROR)),
        ("host 192.0.2.128/25", ()),
        ("host 2001:db8::/32", (SIX,)),
        ("not tcp", (DATAGRAM, ERROR)),
        ("not not tcp", (SEGMENT, SIX)),
        ("tcp and ip", (SEGMENT,)),
        ("icmp or ip6", (SIX, ERROR)),
        ("not tcp and udp or ip6", (DATAGRAM, SIX, ERROR)),
        ("icmp or tcp and ip6", (SIX, ERROR)),
        ("(icmp or tcp) and ip6", (SIX,)),
        ("not (icmp or tcp)", (DATAGRAM,)),
    ],
)
def test_a_filter_is_true_of_some_frames(text: str, matches: tuple[bytes, ...]) -> None:
    test = parse_filter(text)
    every = (SEGMENT, DATAGRAM, SIX, ERROR)
    assert tuple(data for data in every if test(seen(data))) == matches


def test_the_addresses_of_arp_are_a_hosts() -> None:
    addresses = fb.MAC_A + fb.V4_A.packed + bytes(6) + fb.V4_B.packed
    arp = seen(fb.ethernet(b"\0\1\x08\0\6\4\0\1" + addresses, 0x0806))
    assert [parse_filter(text)(arp) for text in ("arp", "host 192.0.2.2", "ip")] == [
        True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("note", Note)
def test_every_note_has_a_word(note: Note) -> None:
    (word,) = (word for word, each in NOTES.items() if each is note)
    assert parse_filter(f"note {word}")(seen(SEGMENT, note))
    assert parse_filter(f"note {ANY}")(seen(SEGMENT, note))
    assert not parse_filter(f"note {word}")(seen())
    assert not parse_filter(f"note {ANY}")(seen())


@pytest.mark.parametrize(
    ("text", "after_ns"),
    [
        ("1.5", 1_500_000_000),
        ("0.000000001", 1),
        ("-2", -2_000_000_000),
        ("2023-11-14T22:13:21", 1_000_000_000),
        ("2023-11-14T22:13:20.000000001Z", 1),
        ("2023-11-14T22:13Z", -20_000_000_000),
    ],
)
def test_after_is_at_a_time_or_later_and_before_is_earlier(text: str, after_ns: int) -> None:
    after, before = parse_filter(f"after {text}"), parse_filter(f"before {text}")
    at = [seen(after_ns=after_ns + step) for step in (-1, 0, 1)]
    assert [after(each) for each in at] == [False, True, True]
    assert [before(each) for each in at] == [True, False, False]


WRONG = {
    "": ("", "expected a word of a filter"),
    "   ": ("", "expected a word of a filter"),
    "prot 80": ("prot", "did you mean 'port'?"),
    "tcp adn udp": ("adn", "did you mean 'and'?"),
    "tcp udp": ("udp", "expected and, or, or the end"),
    "tcp and": ("", "expected a word of a filter"),
    "not": ("", "expected a word of a filter"),
    "port": ("", "expected a port"),
    "(port)": (")", "expected a port"),
    "port 65536": ("65536", "no port from 0 to 65535"),
    "port 80-": ("80-", "no port from 0 to 65535"),
    "port 90-80": ("90-80", "ends before it begins"),
    "port http": ("http", "no port"),
    "host example.org": ("example.org", "no IP address"),
    "host 1.2.3.4/33": ("1.2.3.4/33", "no IP address"),
    "note retransmision": ("retransmision", "did you mean 'retransmission'?"),
    "after noon": ("noon", "no number of seconds"),
    "after NaN": ("NaN", "no number of seconds"),
    "after 1e99": ("1e99", "no number of seconds"),
    "after 2023-13-14T22:13:20": ("2023-13-14T22:13:20", "no number of seconds"),
    "after 2023-11-14T22:13:20.x": ("2023-11-14T22:13:20.x", "no number of seconds"),
    "after 2023-11-14": ("2023-11-14", "no number of seconds"),
    "after 2023-11-14T22:13:20+02:00": ("2023-11-14T22:13:20+02:00", "no number of seconds"),
    "after 2023-11-14T22:13:20.5+02:00": ("2023-11-14T22:13:20.5+02:00", "no number of seconds"),
    "after 2023-11-14T22:13:20.0123456789": ("2023-11-14T22:13:20.0123456789", "no number of s"),
    "(tcp": ("(", "not closed"),
    "tcp)": (")", "not opened"),
    "()": (")", "expected a word"),
    "(" * 200 + "tcp": ("(", "more than 100 parentheses"),
    "TCP": ("TCP", "did you mean 'tcp'?"),
}


@pytest.mark.parametrize("text", WRONG)
def test_the_word_that_is_wrong_is_pointed_at(text: str) -> None:
    wrong, what = WRONG[text]
    with pytest.raises(PointedError) as refused:
        parse_filter(text)
    error = refused.value
    assert text[error.start : error.end] == wrong
    assert what in str(error)


@given(st.lists(st.sampled_from([*sorted(words()), "(", ")", "80", "::1", "\x1b", "1-2"])))
def test_any_words_are_a_filter_or_a_fault_within_the_text(some: list[str]) -> None:
    text = " ".join(some)
    try:
        parse_filter(text)(seen())
    except PointedError as error:
        assert 0 <= error.start <= error.end <= len(text)


def test_thousands_of_words_are_no_harm() -> None:
    assert parse_filter("not " * 20_000 + "tcp")(seen())
    assert parse_filter(" or ".join(["udp"] * 20_000 + ["tcp"]))(seen())


def test_the_documentation_has_every_word() -> None:
    text = DOCS.read_text("utf-8").partition("## Choosing frames")[2].partition("\n## ")[0]
    documented = {word for code in re.findall(r"`([^`]+)`", text) for word in code.split()}
    assert words() <= documented
    assert set(PROTOCOLS) <= words()
