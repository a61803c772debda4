"""Files that hold no pcap or pcapng capture as they are, and what makes one of them.

Only a file's beginning is looked at. Source: files that `editcap -F` writes, file formats'
own documents (RFC 1761: snoop; RFC 8878: zstd).
"""

from __future__ import annotations

_SHOWN_BYTES = 8

_BY_EDITCAP = (
    (b"snoop\0\0\0", "a snoop capture (RFC 1761)"),
    (b"TRSNIFF data    \x1a", "a capture of the DOS Sniffer"),
    (b"XCP\0", "a capture of the Windows Sniffer or NetXRay"),
    (b"VL\0\0", "a capture of NetXRay"),
    (b"RTSS", "a capture of Microsoft Network Monitor 1"),
    (b"GMBU", "a capture of Microsoft Network Monitor 2"),
    (b"\x01\x10", "a capture of Novell's LANalyzer"),
    (b"\x07\x10", "a capture of Novell's LANalyzer"),
    (b"\xaa\xaa\xaa\xaa", "a capture of InfoVista's 5View"),
    (b"\x05VNF", "a capture of Visual Networks"),
    (b"TR\0d\0", "a trace of HP-UX nettl"),
    (b"ObserverPktBuffe", "a capture of the Observer"),
    (b"iptrace 1.0", "a trace of AIX iptrace"),
    (b"iptrace 2.0", "a trace of AIX iptrace"),
    (b"\x7fver", "a capture of OmniPeek (tagged Peek)"),
    (b"\x42\xd2\x00\x34\x12\x66\x22\x88", "a capture of RADCOM"),
    (b"\x00\x00\x02\x00\x12\x05\x00\x10", "a capture of Tektronix K12"),
    (b"btsnoop\0", "a capture of Bluetooth HCI (btsnoop)"),
    (b"LOGG", "a log of Vector's BLF"),
    (b"EyeSDN\0", "a trace of EyeSDN"),
    (b"ETHERWATCH ", "a text of VMS ETHERWATCH"),
    (b"+---------+-----", "a text of Tektronix K12"),
)
"""Formats that Wireshark reads, by how they begin."""

_BY_UNPACKING = (
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"),
    (b"\x04\x22\x4d\x18", "lz4", "lz4 -dc"),
    (b"\xfd7zXZ\0", "xz", "xz -dc"),
    (b"BZh", "bzip2", "bzip2 -dc"),
    (b"\x1f\x9d", "compress", "uncompress -c"),
    (b"PK\x03\x04", "zip", "unzip -p"),
)
"""What compresses files, by how they begin, and the command that writes out what is inside."""


def remedy(first: bytes, path: str) -> str:
    """What a file that begins so is, and what makes a capture of it."""
    word = _word(path)
    for magic, what in _BY_EDITCAP:
        if first.startswith(magic):
            return f"it is {what}; `editcap -F pcapng {word} OUT.pcapng` converts it"
    for magic, program, command in _BY_UNPACKING:
        if first.startswith(magic):
            return f"it is compressed by {program}; `{command} {word} | wirelab show -` shows it"
    return (
        f"its first bytes are {first[:_SHOWN_BYTES].hex(' ')}; if Wireshark reads it, "
        f"`editcap -F pcapng {word} OUT.pcapng` converts it"
    )


def _word(path: str) -> str:
    """The path as a word of a command line; FILE where it is none that can be written down."""
    from shlex import quote

    return quote(path) if path != "-" and path.isprintable() else "FILE"
