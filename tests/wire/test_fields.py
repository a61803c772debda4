"""Header fields rewritten, seen by the dissector; checksums fit, or stay where that is wanted."""

from __future__ import annotations

import frame_bytes as fb
import pytest

from lab.analysis.packets.dissect import dissect
from lab.analysis.packets.packet import Ethernet, IPv4, IPv6, Packet
from lab.records import Direction, Frame
from lab.wire.fields import FIELDS, check_value, has_fields, rewrite
from lab.wire.headers import Headers

OPTIONS = bytes((2, 4, 5, 180, 1, 3, 3, 7))
SYN = fb.ethernet(fb.ipv4(fb.tcp(b"", flags=2, options=OPTIONS)))
SYN6 = fb.ethernet(fb.ipv6(fb.tcp6(b"", flags=2)), kind=0x86DD)
DATAGRAM = fb.ethernet(fb.ipv4(fb.udp(b"abc"), protocol=17))


def dissected(frame: bytes) -> Packet:
    return dissect(Frame(0, "a/eth0", Direction.OUT, frame, len(frame)))


def rewritten(frame: bytes, *fields: tuple[str, str], raw: bool = False) -> Packet:
    headers = Headers(frame)
    assert has_fields(headers, fields)
    return dissected(rewrite(headers, fields, raw=raw))


def are_right(packet: Packet) -> bool:
    return all(getattr(layer, "checksum_ok", True) for layer in packet.layers)


def test_fields_of_ipv4() -> None:
    packet = rewritten(SYN, ("ttl", "1"), ("id", "0x1234"), ("tos", "8"), ("dst", "203.0.113.9"))
    ip = packet.ip
    assert isinstance(ip, IPv4)
    assert (ip.ttl, ip.identification, str(ip.destination)) == (1, 0x1234, "203.0.113.9")
    assert are_right(packet)
    assert SYN[15] == 0 and rewrite(Headers(SYN), [("tos", "8")], raw=False)[15] == 8


def test_fields_of_ipv6() -> None:
    packet = rewritten(SYN6, ("ttl", "3"), ("tos", "0xff"), ("src", "2001:db8::77"))
    ip = packet.ip
    assert isinstance(ip, IPv6)
    assert (ip.hop_limit, str(ip.source)) == (3, "2001:db8::77")
    assert are_right(packet)
    data = rewrite(Headers(SYN6), [("tos", "0xff")], raw=False)
    assert data[14:16] == b"\x6f\xf0"


def test_fields_of_tcp() -> None:
    packet = rewritten(
        SYN, ("sport", "1"), ("dport", "2"), ("seq", "3"), ("ack", "4"), ("window", "5"),
        ("flags", "SA"), ("mss", "500"), ("wscale", "2"),
    )  # fmt: skip
    tcp = packet.tcp
    assert tcp is not None
    assert (tcp.source_port, tcp.destination_port, tcp.seq, tcp.ack) == (1, 2, 3, 4)
    assert (tcp.window, int(tcp.flags)) == (5, 0x12)
    values = {option.name: option.value for option in tcp.options}
    assert (values["mss"], values["window_scale"]) == (500, 2)
    assert are_right(packet)


def test_fields_of_udp() -> None:
    packet = rewritten(DATAGRAM, ("dport", "53"))
    assert packet.udp is not None and packet.udp.destination_port == 53
    assert are_right(packet)


def test_hardware_addresses() -> None:
    ethernet = rewritten(SYN, ("eth.dst", "02:00:00:00:00:09")).layers[0]
    assert isinstance(ethernet, Ethernet) and ethernet.destination == "02:00:00:00:00:09"


def test_dont_fragment_is_set_and_cleared() -> None:
    for value in ("0", "1"):
        data = rewrite(Headers(SYN), [("df", value)], raw=False)
        assert data[20] >> 6 & 1 == int(value)


def test_raw_keeps_the_checksums_that_were() -> None:
    assert not are_right(rewritten(SYN, ("seq", "3"), raw=True))


def test_a_checksum_itself_is_not_put_right_again() -> None:
    packet = rewritten(SYN, ("checksum", "0x1"), ("ttl", "9"))
    assert packet.tcp is not None and packet.tcp.checksum_ok is False
    assert packet.ip is not None and are_right(packet) is False


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        (DATAGRAM, ("seq", "1")),
        (SYN6, ("id", "1")),
        (SYN6, ("df", "1")),
        (SYN, ("dst", "2001:db8::1")),
        (SYN6, ("dst", "192.0.2.1")),
        (SYN6, ("mss", "500")),
        (bytes(20), ("ttl", "1")),
        (bytes(5), ("eth.src", "02:00:00:00:00:01")),
    ],
)
def test_a_frame_without_the_field(frame: bytes, field: tuple[str, str]) -> None:
    assert not has_fields(Headers(frame), [field])


@pytest.mark.parametrize("options", [b"\x02", b"\x02\x00\x01\x01", b"\x00\x02\x04\x05\xb4"])
def test_options_that_are_cut_or_ended_have_none(options: bytes) -> None:
    frame = fb.ethernet(fb.ipv4(fb.tcp(b"", flags=2, options=options.ljust(8, b"\0"))))
    assert not has_fields(Headers(frame), [("mss", "500")])


def test_every_field_takes_a_value() -> None:
    values = {"src": "192.0.2.1", "dst": "192.0.2.1", "flags": "S", "eth.src": "0" * 2 + ":00" * 5}
    values["eth.dst"] = values["eth.src"]
    for name in FIELDS:
        assert check_value(name, values.get(name, "1")) == ""
        assert check_value(name, "none of it") != ""


def test_a_value_with_a_sign_is_added_to_what_is_there() -> None:
    headers = Headers(SYN)
    seq, window = headers.seq, headers.window
    changed = Headers(rewrite(headers, [("seq", "+1000"), ("window", "-0x1")], raw=False))
    assert (changed.seq, changed.window) == ((seq + 1000) % (1 << 32), (window - 1) % (1 << 16))
    again = Headers(rewrite(changed, [("seq", f"-{(seq + 1001) % (1 << 32)}")], raw=False))
    assert again.seq == (1 << 32) - 1
    assert check_value("seq", "+4294967296") == "no difference of up to 4294967295"
    assert check_value("wscale", "-1") == "not from 0 to 14"
