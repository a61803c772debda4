from __future__ import annotations

import struct

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRRMX

from lab.analysis.messages.dns import (
    DnsMessage,
    Question,
    code_name,
    parse_dns,
    split_dns,
    type_name,
)

QUERY = bytes(DNS(id=0x1A2B, rd=1, qd=DNSQR(qname="www.example.")))


def answer(*records: object, kind: str = "A", **fields: object) -> bytes:
    return bytes(
        DNS(id=0x1A2B, qr=1, qd=DNSQR(qname="www.example.", qtype=kind), an=list(records), **fields)
    )


def record(kind: str, data: object, name: str = "www.example.") -> DNSRR:
    return DNSRR(rrname=name, type=kind, rdata=data, ttl=60)


def said(data: bytes) -> DnsMessage:
    message = parse_dns(data)
    assert message is not None
    return message


ADDRESS = record("A", "192.0.2.1")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (QUERY, "DNS query 0x1a2b A www.example."),
        (answer(ADDRESS), "DNS answer 0x1a2b A www.example.: 192.0.2.1"),
        (
            answer(record("AAAA", "2001:db8::1"), kind="AAAA"),
            "DNS answer 0x1a2b AAAA www.example.: 2001:db8::1",
        ),
        (answer(*[ADDRESS] * 4), "DNS answer 0x1a2b A www.example.: 192.0.2.1, 192.0.2.1, 2 more"),
        (
            answer(record("CNAME", "other.example."), record("A", "192.0.2.1", "other.example.")),
            "DNS answer 0x1a2b A www.example.: CNAME other.example., 192.0.2.1",
        ),
        (
            answer(DNSRRMX(rrname="www.example.", preference=10, exchange="m.example."), kind="MX"),
            "DNS answer 0x1a2b MX www.example.: 10 m.example.",
        ),
        (
            answer(record("TXT", [b"hello"]), kind="TXT"),
            "DNS answer 0x1a2b TXT www.example.: 6 bytes",
        ),
        (answer(tc=1), "DNS answer 0x1a2b A www.example.: truncated"),
        (answer(ADDRESS, tc=1), "DNS answer 0x1a2b A www.example.: 192.0.2.1, truncated"),
        (answer(rcode=3), "DNS answer 0x1a2b A www.example.: NXDOMAIN"),
        (answer(rcode=11), "DNS answer 0x1a2b A www.example.: RCODE 11"),
        (answer(), "DNS answer 0x1a2b A www.example.: no record"),
        (bytes(DNS(id=7, opcode=4, qd=DNSQR(qname="a."))), "DNS notify 0x0007 A a."),
        (
            bytes(DNS(id=7, qr=1, opcode=5, rcode=5, qd=DNSQR(qname="a."))),
            "DNS answer to update 0x0007 A a.: REFUSED",
        ),
        (struct.pack("!6H", 9, 0x3800, 0, 0, 0, 0), "DNS opcode 7 0x0009"),
    ],
)
def test_a_message_is_said_in_words(data: bytes, words: str) -> None:
    assert str(said(data)) == words


def test_the_fields_are_scapys() -> None:
    message = said(answer(ADDRESS, aa=1, ns=[record("NS", "ns.example.")]))
    assert (message.identifier, message.is_answer, message.is_authoritative) == (0x1A2B, True, True)
    assert message.questions == (Question("www.example.", 1, 1),)
    (found,) = message.answers
    assert (found.name, found.type, found.kind, found.ttl_s) == ("www.example.", 1, 1, 60)
    assert found.data == bytes([192, 0, 2, 1])
    assert [each.value for each in message.others] == ["ns.example."]


def test_a_pointer_leads_to_the_rest_of_a_name() -> None:
    pointing = struct.pack("!6H", 1, 0x8000, 1, 1, 0, 0) + b"\3www\7example\0\0\1\0\1"
    pointing += b"\4mail\xc0\x10" + struct.pack("!HHIH", 5, 1, 0, 2) + b"\xc0\x0c"
    (found,) = said(pointing).answers
    assert (found.name, found.value) == ("mail.example.", "www.example.")


def test_other_bytes_of_a_name_are_numbers() -> None:
    query = struct.pack("!6H", 1, 0, 1, 0, 0, 0) + b"\4a.\0\xff\0" + b"\0\1\0\1"
    assert said(query).questions[0].name == "a\\.\\000\\255."
    root = struct.pack("!6H", 1, 0, 1, 0, 0, 0) + b"\0" + b"\0\2\0\1"
    assert str(said(root)) == "DNS query 0x0001 NS ."


WHOLE = answer(ADDRESS, record("CNAME", "other.example."))


def test_a_message_that_is_cut_off_is_none() -> None:
    assert [size for size in range(len(WHOLE)) if parse_dns(WHOLE[:size]) is not None] == []


@pytest.mark.parametrize(
    "name",
    [
        b"\xc0\x0c",  # itself
        b"\1a\xc0\x0c",
        b"\xc0\x40",  # behind
        b"\xc0",
        b"\x80a\0",  # no label begins so
        b"\5ab",
        b"\x3f" + b"a" * 63,
        (b"\x3f" + b"a" * 63) * 4 + b"\0",  # 256 bytes
    ],
)
def test_a_name_that_is_none_makes_no_message(name: bytes) -> None:
    assert parse_dns(struct.pack("!6H", 1, 0, 1, 0, 0, 0) + name + b"\0\1\0\1") is None


def test_what_is_behind_a_message_makes_it_none() -> None:
    assert parse_dns(QUERY + b"\0") is None


@examples(500)
@given(st.binary(max_size=80))
def test_no_bytes_raise(data: bytes) -> None:
    parse_dns(data)
    parse_dns(struct.pack("!6H", 1, 0x8000, 1, 1, 0, 0) + data)
    assert b"".join(b"\0\0" + part for _, part in split_dns(data)) is not None


def test_a_stream_has_each_message_behind_its_length() -> None:
    stream = struct.pack("!H", len(QUERY)) + QUERY + struct.pack("!H", 3) + b"abc" + b"\0\5ab"
    assert list(split_dns(stream)) == [(0, QUERY), (len(QUERY) + 2, b"abc")]
    assert list(split_dns(b"\0")) == list(split_dns(b"")) == []


def test_numbers_that_have_no_name_here_are_said() -> None:
    assert (type_name(28), type_name(1234)) == ("AAAA", "TYPE1234")
    assert (code_name(3), code_name(23)) == ("NXDOMAIN", "RCODE 23")
