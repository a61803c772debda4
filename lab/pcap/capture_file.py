"""Reads any capture file: pcap or pcapng, plain or gzip-compressed.

The parsers are our own because scapy's RawPcapReader and RawPcapNgReader take a tenth of a
second to import and (scapy 2.8.0) raise no error for a file cut inside a record: they stop
there, or return a shortened packet, with at most a logged warning.
"""

from __future__ import annotations

import stat
import zlib
from pathlib import Path

from lab.errors import CaptureFileError
from lab.pcap.classic import parse_pcap, unreadable
from lab.pcap.pcapng import MAGIC as PCAPNG_MAGIC
from lab.pcap.pcapng import parse_pcapng
from lab.records import Frame

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_CHUNK_BYTES = 65_536
_MAX_BYTES = 4 << 30


def read_capture(path: Path) -> tuple[Frame, ...]:
    """The frames of a capture file, in file order.

    The file's first bytes decide its format, not its name; parse_pcap and parse_pcapng say what
    they support. In messages about a compressed file, byte offsets count decompressed bytes if
    the message says so.

    Raises CaptureFileError, and nothing else, if the file cannot be read.
    """
    name = str(path)
    if not name.isprintable():
        name = ascii(name)
    data = _read(path, name)
    if data.startswith(_GZIP_MAGIC):
        data = _decompress(data, name)
        name = f"{name} (decompressed)"
    if data.startswith(PCAPNG_MAGIC):
        return parse_pcapng(data, name)
    return parse_pcap(data, name)


def _read(path: Path, name: str) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise CaptureFileError(f"cannot read {name}: it is a directory, not a capture file")
        if not stat.S_ISREG(mode):
            # Opening a FIFO waits for a writer, and a device may never end.
            raise CaptureFileError(
                f"cannot read {name}: it is not a regular file; save the capture to one first"
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise CaptureFileError(f"cannot read {name}: no such file") from None
    except PermissionError:
        raise CaptureFileError(
            f"cannot read {name}: permission denied; check the file's and directories' modes"
        ) from None
    except OSError as error:
        raise CaptureFileError(f"cannot read {name}: {error.strerror}") from None
    except ValueError as error:
        raise CaptureFileError(f"cannot read {name}: {error}") from None


def _decompress(data: bytes, name: str) -> bytes:
    """The contents of all gzip members. Source: RFC 1952; zero padding as gzip(1) allows.

    In chunks, since zlib copies what follows a member: if it got all the rest each time, a file
    of many members (bgzip) would take time quadratic in its size.
    """
    parts: list[bytes] = []
    size = start = 0
    while start < len(data):
        member = zlib.decompressobj(_GZIP_WINDOW)
        at = start
        try:
            while not member.eof and at < len(data):
                parts.append(member.decompress(data[at : at + _CHUNK_BYTES]))
                at += _CHUNK_BYTES
                size += len(parts[-1])
                if size > _MAX_BYTES:
                    raise unreadable(name, at, f"more than {_MAX_BYTES >> 30} GiB decompressed")
        except zlib.error as error:
            raise unreadable(name, start, f"a damaged gzip member ({error})") from None
        if not member.eof:
            raise unreadable(name, len(data), "the file ends inside gzip-compressed data")
        start = min(at, len(data)) - len(member.unused_data)
        if not data.startswith(_GZIP_MAGIC, start) and not data[start:].strip(b"\0"):
            break
    return b"".join(parts)
