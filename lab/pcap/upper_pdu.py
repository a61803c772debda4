"""Notes between the frames of a capture file: text that Wireshark shows as a packet's Info.

Each is a record of LINKTYPE_WIRESHARK_UPPER_PDU: tags that name a dissector, then the bytes for
it to dissect. Source: https://www.tcpdump.org/linktypes.html; Wireshark's wiki, "exported_pdu".
"""

from __future__ import annotations

import struct

from lab.frozen import frozen

END_OF_TAGS = 0
DISSECTOR_NAME = 12
COLUMN_PROTOCOL = 33

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


def upper_pdu(note: CaptureNote) -> bytes:
    """The note as a record's bytes: tags in network byte order, then the text in UTF-8.

    A text longer than MAX_TEXT_BYTES is cut between characters.
    """
    text = note.text.encode("utf-8", "backslashreplace")[:MAX_TEXT_BYTES]
    return (
        _tag(DISSECTOR_NAME, DISSECTOR.encode())
        + _tag(COLUMN_PROTOCOL, note.protocol.encode("utf-8", "backslashreplace"))
        + _tag(END_OF_TAGS, b"")
        + text.decode("utf-8", "ignore").encode()
    )


def _tag(kind: int, value: bytes) -> bytes:
    """A tag. Its value, if any, ends with at least one zero, at a multiple of four bytes."""
    value += bytes(4 - len(value) % 4) if value else b""
    return struct.pack("!2H", kind, len(value)) + value
