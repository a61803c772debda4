"""What is no frame, as packets of a capture file: bytes that a dissector of Wireshark's is given.

A note is text that Wireshark shows as a packet's Info; a message is what went from one place to
another without a wire.

Each is a record of LINKTYPE_WIRESHARK_UPPER_PDU: tags that name a dissector, then the bytes for
it to dissect. Source: https://www.tcpdump.org/linktypes.html; Wireshark's wiki, "exported_pdu".
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

from lab.frozen import frozen

END_OF_TAGS = 0
DISSECTOR_NAME = 12
IPV4_SOURCE, IPV4_DESTINATION = 20, 21
PORT_TYPE, SOURCE_PORT, DESTINATION_PORT = 24, 25, 26
COLUMN_PROTOCOL = 33

TCP_PORTS = 2
"""The port type of TCP, by which dissectors tell conversations apart."""

# The only dissector of Wireshark 4.0 whose Info is the text and nothing else.
# "data-text-lines" would not change the protocol column, but shows the text in the tree only.
DISSECTOR = "syslog"

MAX_TEXT_BYTES = 8_192


@frozen
class CaptureNote:
    """Something that is no frame and happened between frames."""

    time_ns: int
    interface: str
    """The name of the interface, for notes alone, to show it on: "client calls"."""
    protocol: str
    """Its kind, for the protocol column: "system call"."""
    text: str


@frozen
class Message:
    """Bytes that went from one place to another, for a dissector."""

    time_ns: int
    interface: str
    """The name of the interface, for these alone, to show it on."""
    dissector: str
    """Its name in Wireshark: "http", "data"."""
    source: IPv4Address
    destination: IPv4Address
    port: int
    """Of both places."""
    data: bytes
    """As many of its first bytes as are known."""
    length: int
    """How many bytes went."""
    comment: str


def upper_pdu(packet: CaptureNote | Message) -> bytes:
    """The packet as a record's bytes: tags in network byte order, then what is dissected.

    A note's text is in UTF-8; one longer than MAX_TEXT_BYTES is cut between characters.
    """
    return _message(packet) if isinstance(packet, Message) else _note(packet)


def _message(message: Message) -> bytes:
    port = struct.pack("!I", message.port)
    return (
        _tag(DISSECTOR_NAME, _text(message.dissector))
        + _tag(IPV4_SOURCE, message.source.packed)
        + _tag(IPV4_DESTINATION, message.destination.packed)
        + _tag(PORT_TYPE, struct.pack("!I", TCP_PORTS))
        + _tag(SOURCE_PORT, port)
        + _tag(DESTINATION_PORT, port)
        + _tag(END_OF_TAGS, b"")
        + message.data
    )


def _note(note: CaptureNote) -> bytes:
    text = note.text.encode("utf-8", "backslashreplace")[:MAX_TEXT_BYTES]
    return (
        _tag(DISSECTOR_NAME, _text(DISSECTOR))
        + _tag(COLUMN_PROTOCOL, _text(note.protocol))
        + _tag(END_OF_TAGS, b"")
        + text.decode("utf-8", "ignore").encode()
    )


def _tag(kind: int, value: bytes) -> bytes:
    """A tag, whose value's length is a multiple of four."""
    return struct.pack("!2H", kind, len(value)) + value


def _text(value: str) -> bytes:
    """A tag's text; it ends with at least one zero, at a multiple of four bytes."""
    encoded = value.encode("utf-8", "backslashreplace")
    return encoded + bytes(4 - len(encoded) % 4)
