"""Capture files read from bytes."""

from __future__ import annotations

from lab.errors import CaptureFileError
from lab.pcap.capture import CaptureFile
from lab.pcap.capture_file import parse_capture
from lab.pcap.source import ByteSource, gunzipped
from lab.records import Frame

NAME = "some.cap"


def source_of(data: bytes, chunk: int = 1 << 16) -> ByteSource:
    """A source of the bytes, of which each read returns `chunk`."""
    pieces = (data[at : at + chunk] for at in range(0, len(data), chunk))
    return ByteSource(NAME, lambda: next(pieces, b""))


def capture_of(data: bytes, chunk: int = 1 << 16) -> CaptureFile:
    """What a file of these bytes holds."""
    return parse_capture(gunzipped(source_of(data, chunk)), NAME)


def frames_of(data: bytes) -> tuple[Frame, ...]:
    """The frames of a file that is whole."""
    capture = capture_of(data)
    assert (capture.broken, capture.left_out, capture.untimed) == ("", (), ())
    return capture.frames


def fault_of(data: bytes) -> str:
    """Where and why a file of these bytes cannot be read, or not any further; "" if it can."""
    try:
        fault = capture_of(data).broken
    except CaptureFileError as error:
        fault = str(error).removeprefix(f"cannot read {NAME}").removeprefix(": ")
        assert fault != str(error)
    assert fault.isprintable()
    return fault
