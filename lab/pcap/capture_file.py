"""Reads any capture file: pcap and its variants or pcapng, plain or gzip-compressed.

The parsers are our own because scapy's RawPcapReader and RawPcapNgReader take a tenth of a
second to import and (scapy 2.8.0) raise no error for a file cut inside a record: they stop
there, or return a shortened packet, with at most a logged warning.
"""

from __future__ import annotations

from lab.pcap.capture import BrokenError, CaptureFile, Reading, unreadable
from lab.pcap.classic import is_pcap, read_pcap
from lab.pcap.other_formats import remedy
from lab.pcap.pcapng import MAGIC as PCAPNG_MAGIC
from lab.pcap.pcapng import read_pcapng
from lab.pcap.source import ByteSource, open_source
from lab.records import SharedBytes

TYPE_CHECKING = False  # importing typing itself costs some 3 ms of every start
if TYPE_CHECKING:
    from pathlib import Path

    from lab.records import Frame

_FIRST_BYTES = 20


def read_capture(path: str, stop: int | None = None) -> CaptureFile:
    """What a capture file holds; of one that is broken, what stands before that place.

    "-" is standard input. The first bytes decide the format, not the name; read_pcap and
    read_pcapng say what they support. In messages about a compressed file, byte offsets count
    decompressed bytes if the message says so. `stop` is a descriptor that open_source knows.

    Raises CaptureFileError, and nothing else, if there is nothing that can be shown.
    """
    with open_source(path, stop) as source:
        return parse_capture(source, path)


def read_frames(path: Path) -> tuple[Frame, ...]:
    """The frames of a run's capture file, which is whole and has most of them twice.

    Raises CaptureFileError if it is not, or holds packets that the lab does not dissect.
    """
    with open_source(str(path)) as source:
        capture = parse_capture(source, str(path), Reading(SharedBytes()))
    if capture.broken:
        raise unreadable(capture.name, capture.broken)
    for left_out in capture.left_out:
        raise unreadable(
            capture.name,
            f"packet {left_out.first} is of link type {left_out.link_type}, which is not supported",
        )
    for untimed in capture.untimed:
        raise unreadable(capture.name, f"packet {untimed.first} has no time that is possible")
    return capture.frames


def parse_capture(source: ByteSource, path: str, reading: Reading | None = None) -> CaptureFile:
    """What a source holds; `path` is where it comes from, for messages."""
    reading = reading or Reading()
    broken = ""
    try:
        (read_pcap if is_pcap(check_known(source, path)) else read_pcapng)(source, reading)
        if source.fault:
            raise BrokenError(source.offset, source.fault, after(reading))
    except BrokenError as error:
        if not source.stopped:
            error.what = source.fault or error.what
            broken = str(error)
    if broken and not reading.taken:
        raise unreadable(source.name, broken)
    return reading.capture(source.name, broken, stopped=source.stopped)


def check_known(source: ByteSource, path: str) -> bytes:
    """The first bytes, where they are those of a format that is read.

    Raises CaptureFileError where they are not, BrokenError where there are none.
    """
    first = source.peek(_FIRST_BYTES)
    if not is_pcap(first) and not first.startswith(PCAPNG_MAGIC):
        raise _no_capture(source, first, path)
    return first


def after(reading: Reading) -> str:
    """The place in a file behind the packets that have been read."""
    return f"after packet {reading.packets}" if reading.packets else ""


def _no_capture(source: ByteSource, first: bytes, path: str) -> Exception:
    """The error for a file that begins with none of the formats' magic numbers."""
    if source.fault:
        return BrokenError(source.offset, source.fault)
    if first:
        return unreadable(source.name, f"not a pcap or pcapng capture: {remedy(first, path)}")
    what = "nothing has come yet" if source.stopped else "it is empty"
    return unreadable(source.name, what)
