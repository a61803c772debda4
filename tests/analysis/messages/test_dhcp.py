from __future__ import annotations

from typing import Any

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP

from lab.analysis.messages.dhcp import DhcpMessage, parse_dhcp

HARDWARE = bytes.fromhex("020000000101")


def message(*options: tuple[str | int, Any], op: int = 1, **fields: Any) -> bytes:
    """As scapy makes it."""
    return bytes(
        BOOTP(op=op, xid=0x1A2B3C4D, chaddr=HARDWARE, **fields) / DHCP(options=[*options, "end"])
    )


def said(data: bytes) -> DhcpMessage:
    found = parse_dhcp(data)
    assert found is not None
    return found


OFFER = message(
    ("message-type", "offer"), ("server_id", "192.0.2.1"), ("lease_time", 60),
    ("subnet_mask", "255.255.255.0"), op=2, yiaddr="192.0.2.9", flags="B",
)  # fmt: skip


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            message(("message-type", "discover")),
            "DHCP DISCOVER 0x1a2b3c4d from 02:00:00:00:01:01",
        ),
        (OFFER, "DHCP OFFER 0x1a2b3c4d 192.0.2.9 for 60 s"),
        (
            message(
                ("message-type", "request"),
                ("requested_addr", "192.0.2.9"),
                ("server_id", "192.0.2.1"),
            ),
            "DHCP REQUEST 0x1a2b3c4d 192.0.2.9 of 192.0.2.1",
        ),
        (
            message(("message-type", "ack"), ("lease_time", 60), op=2, yiaddr="192.0.2.9"),
            "DHCP ACK 0x1a2b3c4d 192.0.2.9 for 60 s",
        ),
        (message(("message-type", "nak"), op=2), "DHCP NAK 0x1a2b3c4d"),
        (message(("message-type", "release"), ciaddr="192.0.2.9"), "DHCP RELEASE 0x1a2b3c4d"),
        (message(("message-type", 77)), "DHCP type 77 0x1a2b3c4d"),
    ],
)
def test_a_message_is_said_in_words(data: bytes, words: str) -> None:
    assert str(said(data)) == words


def test_the_fields_are_scapys() -> None:
    offer = said(OFFER)
    assert (offer.kind, offer.identifier, offer.is_reply) == (2, 0x1A2B3C4D, True)
    assert offer.wants_broadcast and offer.hardware == "02:00:00:00:01:01"
    assert str(offer.mask) == "255.255.255.0" and offer.requested is None
    assert offer.own.is_unspecified and offer.lease_s == 60


def test_a_message_that_is_cut_off_is_none() -> None:
    assert [size for size in range(len(OFFER)) if parse_dhcp(OFFER[:size]) is not None] == []


def test_what_is_no_message_is_none() -> None:
    assert parse_dhcp(message(("lease_time", 60))) is None  # plain BOOTP
    assert parse_dhcp(b"\3" + OFFER[1:]) is None
    assert parse_dhcp(OFFER.replace(bytes((99, 130, 83, 99)), b"what")) is None
    assert parse_dhcp(OFFER[:2] + b"\x20" + OFFER[3:]) is None  # a hardware address of 32 bytes
    short = message(("message-type", "offer"), (50, b"\1\2\3"))
    assert parse_dhcp(short) is None


def test_padding_is_left_out() -> None:
    padded = OFFER[:240] + b"\0\0" + OFFER[240:] + bytes(40)
    assert parse_dhcp(padded) == parse_dhcp(OFFER)


def test_an_option_that_is_there_twice_is_joined() -> None:
    twice = OFFER[:240] + b"\x36\2\1\2" + b"\x36\2\3\4" + b"\x35\1\2\xff"
    assert str(said(twice).server) == "1.2.3.4"


@examples(500)
@given(st.binary(max_size=40))
def test_no_bytes_raise(options: bytes) -> None:
    parse_dhcp(options)
    parse_dhcp(OFFER[:240] + options)
