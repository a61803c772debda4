"""The TCP header of every frame as tshark reads it, and as the lab does."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import frame_bytes as fb
import link_bytes as lb
import pytest

from lab.analysis.packets.dissect import Reassembler, dissect
from lab.pcap.pcapng_writing import write_pcapng
from lab.records import Direction, Frame, LinkType
from tests.against.tshark import tshark_version

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

DATA = b"hello world!"
SYN_OPTIONS = bytes.fromhex("020405b40402080a000000010000000001030307")
SEGMENT, SEGMENT6 = fb.tcp(DATA), fb.tcp6(DATA)


class Header(NamedTuple):
    """What is compared; None where a reader gives no value."""

    seq: int | None
    ack: int | None
    flags: int | None
    payload_bytes: int | None


NONE = Header(None, None, None, None)
DATA_HEADER = Header(1000, 2000, fb.ACK, len(DATA))


class Sent(NamedTuple):
    """One frame of a capture. `tshark` is what tshark says where it differs, with why.

    It differs in the version `since` and later ones; an older one says what the lab says.
    """

    name: str
    data: bytes
    wire_bytes: int | None = None
    tshark: Header | None = None
    why: str = ""
    since: tuple[int, int] = (0, 0)


def v4(name: str, payload: bytes, protocol: int = 6, **fields: Any) -> Sent:
    return Sent(name, fb.ethernet(fb.ipv4(payload, protocol, **fields)))


def v6(name: str, payload: bytes, next_header: int = 6, **fields: Any) -> Sent:
    return Sent(name, fb.ethernet(fb.ipv6(payload, next_header, **fields), fb.IPV6))


def cut(sent: Sent, size: int) -> Sent:
    return sent._replace(
        name=f"{sent.name}, {size} bytes captured", data=sent.data[:size], wire_bytes=len(sent.data)
    )


def differs(sent: Sent, tshark: Header, why: str, since: tuple[int, int] = (0, 0)) -> Sent:
    return sent._replace(tshark=tshark, why=why, since=since)


def fragments4(name: str, identification: int, *parts: tuple[int, int]) -> list[Sent]:
    segment = fb.tcp(bytes(range(100)))
    return [
        v4(
            f"{name} {start}-{end}",
            segment[start:end],
            flags=int(end < len(segment)),
            offset=start,
            identification=identification,
        )
        for start, end in parts
    ]


def fragments6(name: str, identification: int, *parts: tuple[int, int]) -> list[Sent]:
    segment = fb.tcp6(bytes(range(100)))
    return [
        v6(
            f"{name} {start}-{end}",
            fb.fragment_header(start, end < len(segment), identification) + segment[start:end],
            44,
        )
        for start, end in parts
    ]


PLAIN = [
    Sent("llc/snap", fb.ethernet(b"\xaa\xaa\3\0\0\0\x08\0" + fb.ipv4(SEGMENT), 60)),
    v4("data", SEGMENT),
    v4("syn", fb.tcp(flags=fb.SYN, options=SYN_OPTIONS)),
    v4("reserved bits", fb.tcp(DATA, flags=0xE10)),
    v4("all nine flags", fb.tcp(flags=0x1FF)),
    v4("ipv4 options", SEGMENT, options=b"\x94\4\0\0"),
    v4("authentication header", b"\6\4\0\0" + bytes(20) + SEGMENT, 51),
    v4("udp", fb.udp(DATA), 17),
    v4("icmp that quotes a segment", fb.icmp(3, 1, bytes(4), fb.ipv4(SEGMENT)), 1),
    v4("icmp that quotes 8 bytes", fb.icmp(3, 1, bytes(4), fb.ipv4(SEGMENT)[:28]), 1),
    v4("ack with padding", fb.tcp() + b""),
    Sent("padded to the minimum", fb.ethernet(fb.ipv4(fb.tcp())) + bytes(6)),
    Sent("802.3 length", fb.ethernet(b"\x42\x42\3" + bytes(43), 3)),
    v6("ipv6", SEGMENT6),
    v6("ipv6 with icmpv6 error", fb.icmpv6(1, 0, bytes(4) + fb.ipv6(SEGMENT6)), 58),
    Sent("ipv6 with a trailer", fb.ethernet(fb.ipv6(SEGMENT6) + bytes(9), fb.IPV6)),
]  # fmt: skip

VLANS = [
    Sent(name, fb.ethernet(inner, kind, tags))
    for inner, kind in ((fb.ipv4(SEGMENT), fb.IPV4), (fb.ipv6(SEGMENT6), fb.IPV6))
    for name, tags in (
        ("802.1Q", ((0x8100, 5),)),
        ("QinQ", ((0x88A8, 5), (0x8100, 6))),
        ("QinQ by the old type", ((0x9100, 5), (0x8100, 6))),
        ("three tags", ((0x8100, 1), (0x8100, 2), (0x8100, 3))),
    )
]

EXTENSIONS = [
    v6("hop-by-hop", bytes.fromhex("0600050200000100") + SEGMENT6, 0),
    v6("destination options", bytes.fromhex("0600010400000000") + SEGMENT6, 60),
    v6("routing", bytes.fromhex("0602000100000000") + bytes(16) + SEGMENT6, 43),
    v6("authentication", b"\6\4\0\0" + bytes(20) + SEGMENT6, 51),
    v6("mobility", bytes.fromhex("3b00000000000000") + SEGMENT6, 135),
    v6("no next header", SEGMENT6, 59),
    v6("a chain", bytes.fromhex("3c000104000000002b000104000000000600" + "00" * 6) + SEGMENT6, 0),
    v6("hop-by-hop second", bytes.fromhex("00000104000000000600010400000000") + SEGMENT6, 60),
    v6("whole in one fragment", fb.fragment_header(0, False) + SEGMENT6, 44),
    v6("unreadable option", bytes.fromhex("0600052200000100") + SEGMENT6, 0),
    v6("header past the packet", bytes.fromhex("0640050200000100") + SEGMENT6, 0),
    v6("host identity protocol", bytes.fromhex("0600050200000100") + SEGMENT6, 139),
]  # fmt: skip

MALFORMED = [
    v4("option length 0", fb.tcp(DATA, options=b"\2\0\5\xb4")),
    v4("option length past the header", fb.tcp(DATA, options=b"\2\x0a\5\xb4")),
    v4("mss of length 3", fb.tcp(DATA, options=b"\2\3\5\1")),
    v4("ihl 4", SEGMENT, header=16),
    v4("ihl past the packet", b"1234", header=60),
    v4("total length below the header", SEGMENT, total=19),
    v4("total length 0", SEGMENT, total=0),
    v4("total length past the link", SEGMENT, total=100),
    v4("total length in the TCP header", SEGMENT, total=30),
    v4("version 5", SEGMENT, version=5),
    v4("ipv4 option of length 0", SEGMENT, options=b"\7\0\1\1"),
    v4("ipv4 option past the header", SEGMENT, options=b"\7\x09\1\1"),
    Sent("ipv4 under the ipv6 type", fb.ethernet(fb.ipv4(SEGMENT), fb.IPV6)),
    v6("payload length past the link", SEGMENT6, length=100),
    v6("payload length 0", SEGMENT6, length=0),
    v6("jumbogram", bytes.fromhex("0600c20400000028") + SEGMENT6, 0, length=0),
    *(v4(f"{size} bytes of TCP header", SEGMENT[:size]) for size in (0, 4, 8, 12, 13)),
]

FRAGMENTS = [
    *fragments4("in order", 1, (0, 48), (48, 96), (96, 120)),
    *fragments4("in reverse", 2, (96, 120), (48, 96), (0, 48)),
    *fragments4("missing one", 3, (0, 48), (96, 120)),
    *fragments4("header split", 4, (0, 8), (8, 16), (16, 120)),
    *fragments4("twice", 5, (0, 48), (0, 48), (48, 120)),
    *fragments6("in order", 1, (0, 48), (48, 96), (96, 120)),
    *fragments6("in reverse", 2, (96, 120), (48, 96), (0, 48)),
    *fragments6("missing one", 3, (0, 48), (96, 120)),
    *fragments6("header split", 4, (0, 8), (8, 16), (16, 120)),
    *fragments6("twice", 5, (0, 48), (0, 48), (48, 120)),
    *fragments4("overlapping", 6, (0, 64), (32, 96), (96, 120)),
    cut(fragments6("cut", 7, (0, 48))[0], 80),
    *fragments6("rest of cut", 7, (48, 120)),
    cut(fragments4("cut end", 8, (48, 120))[0], 80),
    *fragments4("rest of cut end", 8, (0, 48)),
]

CUT = [
    *(cut(v4("data", SEGMENT), size) for size in (20, 34, 38, 54, 60)),
    *(cut(v6("data", SEGMENT6), size) for size in (20, 54, 58, 74, 80)),
    cut(v4("data", fb.tcp(DATA, options=b"\2\4\5\xb4\1\1\1\0")), 56),
    cut(v4("icmp", fb.icmp(3, 1, bytes(4), fb.ipv4(SEGMENT)), 1), 60),
]

ONLY_SEQ = Header(1000, None, None, 16)
NO_LENGTH = Header(1000, 2000, fb.ACK, None)
UP_TO_FLAGS = (4, 6)
"""tshark that shows a header which ends behind its flags: 4.6.9; 4.2.2 wants the window as well.

4.4 was not tried."""

DIFFERENT = [
    *(
        differs(
            v4(f"{size} bytes of TCP header", SEGMENT[:size]),
            NO_LENGTH,
            "tshark shows fields of a header that is not all there; the lab its first 8 bytes",
            since,
        )
        for size, since in ((14, UP_TO_FLAGS), (16, (0, 0)), (19, (0, 0)))
    ),
    *(
        differs(
            cut(sent, size),
            DATA_HEADER,
            "as above, where the capture cut it",
            since,
        )
        for sent, size, since in (
            (v4("TCP header", SEGMENT), 34 + 14, UP_TO_FLAGS),
            (v4("TCP header", SEGMENT), 34 + 16, (0, 0)),
            (v6("TCP header", SEGMENT6), 54 + 14, UP_TO_FLAGS),
        )
    ),
    differs(
        v4("data offset 4", fb.tcp(DATA, data_offset=16)),
        ONLY_SEQ,
        "tshark shows what comes before the impossible data offset",
    ),
    differs(
        v4("data offset past the segment", fb.tcp(DATA, data_offset=60)),
        NO_LENGTH,
        "tshark gives no length, the lab none of payload",
    ),
    differs(
        Sent("ipv6 under the ipv4 type", fb.ethernet(fb.ipv6(SEGMENT6))),
        DATA_HEADER,
        "a host drops a packet whose version is not its type's",
    ),
    differs(
        cut(fragments4("cut", 20, (0, 48))[0], 80),
        Header(1000, 2000, fb.ACK, None),
        "tshark shows the header in a first fragment that was cut; the lab only whole segments",
    ),
    *fragments6("overlapping", 21, (0, 64))[:1],
    differs(
        fragments6("overlapping", 21, (32, 120))[0],
        Header(1000, 2000, fb.ACK, 100),
        "RFC 5722: overlapping fragments discard the datagram",
    ),
    *fragments6("not a multiple of 8", 22, (0, 51)),
    differs(
        fragments6("not a multiple of 8", 22, (48, 120))[0],
        Header(1000, 2000, fb.ACK, 100),
        "RFC 8200, 4.5: such a fragment is discarded",
    ),
    differs(v4("ip in ip", fb.ipv4(SEGMENT), 4), DATA_HEADER, "the lab does not enter tunnels"),
]

ETHERNET = [*PLAIN, *VLANS, *EXTENSIONS, *MALFORMED, *FRAGMENTS, *CUT, *DIFFERENT]


def cooked(make: Callable[[bytes, int], bytes]) -> list[Sent]:
    return [
        Sent("ipv4", make(fb.ipv4(SEGMENT), fb.IPV4)),
        Sent("ipv6", make(fb.ipv6(SEGMENT6), fb.IPV6)),
        Sent("vlan", make(struct.pack("!HH", 5, fb.IPV4) + fb.ipv4(SEGMENT), 0x8100)),
        Sent("llc", make(bytes(20), 4)),
        cut(Sent("ipv4", make(fb.ipv4(SEGMENT), fb.IPV4)), 30),
        cut(Sent("ipv4", make(fb.ipv4(SEGMENT), fb.IPV4)), 62),
    ]


def loopback(order: str) -> list[Sent]:
    return [
        Sent(f"ipv4 {order}", struct.pack(order, 2) + fb.ipv4(SEGMENT)),
        *(
            Sent(f"ipv6 as {family} {order}", struct.pack(order, family) + fb.ipv6(SEGMENT6))
            for family in (24, 28, 30)
        ),
        Sent(f"another family {order}", struct.pack(order, 7) + bytes(60)),
    ]


def refused_by_tshark(frames: list[Sent]) -> list[Sent]:
    why = "tshark reads LINKTYPE_LOOP in network byte order only; old captures have either"
    return [differs(sent, NONE, why) for sent in frames]


UNREAD_BY_TSHARK = {
    LinkType.PPP_PPPD: "tshark does not know this link type",
    LinkType.C_HDLC_WITH_DIR: "tshark does not know this link type",
    LinkType.FRELAY_WITH_DIR: "tshark does not know this link type",
    LinkType.DSA_TAG_BRCM: "tshark does not know this link type",
    LinkType.DSA_TAG_BRCM_PREPEND: "tshark does not know this link type",
    LinkType.DSA_TAG_DSA: "tshark does not know this link type",
    LinkType.DSA_TAG_EDSA: "tshark does not know this link type",
    (LinkType.ATM_CLIP, "llc"): "tshark reads IP alone; tcpdump reads LLC as well",
    (LinkType.NFLOG, "big"): "tshark goes by the byte order of the file, which may be a copy",
}
"""By the link type, or by that and the name of a frame: why tshark finds no TCP in it."""


def below(link: LinkType) -> list[Sent]:
    found = []
    for name, data in lb.WITH_IP[link].items():
        why = UNREAD_BY_TSHARK.get(link) or UNREAD_BY_TSHARK.get((link, name))
        sent = Sent(name, data)
        found.append(differs(sent, NONE, why) if why else sent)
    return found


RAW4, RAW6 = Sent("ipv4", fb.ipv4(SEGMENT)), Sent("ipv6", fb.ipv6(SEGMENT6))
CAPTURES = {
    LinkType.ETHERNET: ETHERNET,
    LinkType.LINUX_SLL: cooked(fb.cooked_v1),
    LinkType.LINUX_SLL2: cooked(fb.cooked_v2),
    LinkType.NULL: [*loopback("<I"), *loopback(">I")],
    LinkType.LOOP: [*refused_by_tshark(loopback("<I")[:4]), *loopback(">I")],
    LinkType.RAW: [RAW4, RAW6, Sent("version 5", b"\x50" + bytes(40))],
    LinkType.IPV4: [RAW4, cut(RAW4, 32), cut(RAW4, 41)],
    LinkType.IPV6: [RAW6, cut(RAW6, 52), cut(RAW6, 61)],
    **{link: below(link) for link in lb.WITH_IP},
}


def frames_of(link: LinkType) -> list[Frame]:
    return [
        Frame(
            number * 1_000_000, link.name, Direction.UNKNOWN,
            sent.data, sent.wire_bytes or len(sent.data), link,
        )
        for number, sent in enumerate(CAPTURES[link])
    ]  # fmt: skip


@cache
def by_lab(link: LinkType) -> tuple[Header, ...]:
    reassembler = Reassembler()
    found = []
    for frame in frames_of(link):
        tcp = reassembler.add(dissect(frame)).tcp
        found.append(Header(tcp.seq, tcp.ack, int(tcp.flags), tcp.payload_bytes) if tcp else NONE)
    return tuple(found)


@pytest.fixture(scope="module")
def by_tshark(tmp_path_factory: pytest.TempPathFactory) -> dict[LinkType, list[Header]]:
    """The first TCP header of each frame, but not one that follows ICMP: it is quoted.

    One file has a capture for each interface: to start tshark takes longer than to read them all.
    """
    frames = [frame for link in CAPTURES for frame in frames_of(link)]
    file = tmp_path_factory.mktemp("tshark") / "captures.pcapng"
    with file.open("wb") as opened:
        write_pcapng(opened, [link.name for link in CAPTURES], frames, {}, "wirelab")
    names = (
        "frame.interface_name", "frame.protocols",
        "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.len",
    )  # fmt: skip
    fields = [argument for name in names for argument in ("-e", name)]
    command = ["tshark", "-n", "-r", str(file), "-T", "fields", "-E", "occurrence=f", *fields]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[LinkType, list[Header]] = {link: [] for link in CAPTURES}
    for line in done.stdout.splitlines():
        link, protocols, *values = line.split("\t")
        quoted = ":icmp" in protocols
        header = NONE if quoted else Header(*(int(v, 0) if v else None for v in values))
        found[LinkType[link]].append(header)
    return found


@pytest.mark.programs
@pytest.mark.parametrize("link", CAPTURES, ids=lambda link: link.name)
def test_tcp_headers_agree_with_tshark(
    link: LinkType, by_tshark: dict[LinkType, list[Header]]
) -> None:
    frames = CAPTURES[link]
    ours, theirs = by_lab(link), by_tshark[link]
    assert len(ours) == len(theirs) == len(frames)
    installed = tshark_version()
    wrong = [
        (sent.name, lab, tshark)
        for sent, lab, tshark in zip(frames, ours, theirs, strict=True)
        if tshark != (lab if sent.tshark is None or installed < sent.since else sent.tshark)
    ]
    assert wrong == []


@pytest.mark.parametrize("link", CAPTURES, ids=lambda link: link.name)
def test_known_differences_from_tshark_are_differences(link: LinkType) -> None:
    frames = CAPTURES[link]
    same = [
        sent.name
        for sent, lab in zip(frames, by_lab(link), strict=True)
        if sent.why and lab == sent.tshark
    ]
    assert same == []


@pytest.mark.parametrize("link", CAPTURES, ids=lambda link: link.name)
def test_captures_hold_frames_with_tcp(link: LinkType) -> None:
    assert any(header != NONE for header in by_lab(link))
