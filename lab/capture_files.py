"""Capture files from anywhere, read and shown; nothing is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lab.errors import CaptureFileError

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from lab.analysis.select.selection import Asked
    from lab.large_capture import LargeCapture
    from lab.pcap.capture import CaptureFile
    from lab.report.document.ids import Document
    from lab.results import Capture, Shown

LARGE_BYTES = 1 << 18
"""From this size on a file's packets are put into a table: the frames of a smaller one have all
been dissected before NumPy is imported."""


def read_file(name: str, stop: int | None = None) -> CaptureFile:
    """What any capture file holds, "-" being standard input; reading ends once `stop` is readable.

    Raises CaptureFileError if there is nothing that can be shown.
    """
    from lab.pcap.capture_file import read_capture

    return read_capture(name, stop)


def read_large(name: str, stop: int | None = None) -> LargeCapture | None:
    """A capture file that is so large that a table of its packets shows it sooner; else None.

    Also where a table does not hold all of it. Reading ends once `stop` is readable.

    Raises CaptureFileError if there is nothing that can be shown.
    """
    if size_if_large(name) is None:
        return None
    # NumPy is imported for these alone: with them it pays.
    from lab.large_capture import LargeCapture
    from lab.pcap.bulk.bulk_reading import NotInBulkError

    try:
        return LargeCapture.read(name, stop)
    except NotInBulkError:
        return None


def read_table(name: str, stop: int | None = None) -> LargeCapture:
    """Any capture file as a table of packets, however small.

    Raises CaptureFileError if there is nothing that can be shown, or that a table can hold.
    """
    from lab.large_capture import LargeCapture
    from lab.pcap.bulk.bulk_reading import NotInBulkError
    from lab.pcap.source import is_plain_file, printable

    if Path(name).exists() and not is_plain_file(name):
        raise CaptureFileError(
            f"cannot make a table of {printable(name)}: a table is made of a file as it lies on a "
            "disk, neither piped nor compressed"
        )
    try:
        return LargeCapture.read(name, stop)
    except NotInBulkError as error:
        raise CaptureFileError(f"cannot make a table of {printable(name)}: {error}") from None


def write_table(large: LargeCapture, folder: Path) -> Sequence[Path]:
    """Write a table's packets and flows as Parquet files into a folder; their paths.

    Raises ExtraMissing where pyarrow is not installed, UsageError where they cannot be written.
    """
    from lab.report.parquet.files import write_parquet

    return write_parquet(large.table, large.notes, large.summaries, folder)


def size_if_large(name: str) -> int | None:
    """The size of a capture file of which a table is worth making; None of any other.

    Neither a pipe nor a compressed file is one.
    """
    from lab.pcap.source import is_plain_file

    try:
        size_bytes = Path(name).stat().st_size
        is_worth_it = size_bytes >= LARGE_BYTES and is_plain_file(name)
    except (OSError, ValueError):
        return None  # whoever reads it says why it cannot be
    return size_bytes if is_worth_it else None


def load_capture(name: str) -> Capture:
    """A capture file of which something can be expected, "-" being standard input.

    Raises CaptureFileError if there is nothing that can be looked at.
    """
    from lab.results import Capture

    return Capture(show_capture(read_file(name), as_numbered=True))


def show_capture(
    capture: CaptureFile, asked: Asked | None = None, *, as_numbered: bool = False
) -> Shown:
    """The flows of a capture file; where something is `asked` for, that of them.

    With `as_numbered` the crossings have the numbers that their frames have in the file.

    Raises UsageError for a flow that there is not.
    """
    from dataclasses import replace

    from lab.analysis.flows.bracket import ETHERNET_HEADER_BYTES
    from lab.analysis.flows.crossings import crossings_of_file
    from lab.analysis.flows.flow import group_flows
    from lab.analysis.tcp.conversation import analyse_tcp
    from lab.records import CANARY_TEXT
    from lab.results import Shown

    frames = capture.frames
    story, numbers = [], []
    for frame, number in zip(frames, capture.numbers, strict=True):
        if not frame.data.startswith(CANARY_TEXT, ETHERNET_HEADER_BYTES):
            story.append(frame)
            numbers.append(number)
    crossings, places = crossings_of_file(story)
    packets = tuple(numbers[place] for place in places)
    if as_numbered:
        crossings = tuple(
            replace(crossing, number=packet)
            for crossing, packet in zip(crossings, packets, strict=True)
        )
    flows = group_flows(crossings)
    conversations = tuple(analyse_tcp(flow) for flow in flows if flow.protocol == "tcp")
    canaries = len(frames) - len(story)
    if asked is None:
        return Shown(capture, crossings, flows, conversations, packets, canaries)
    from lab.analysis.select.selection import select

    zero_ns = frames[0].time_ns if frames else 0
    selection = select(asked, crossings, flows, conversations, packets, zero_ns)
    packets = tuple(selection.packets[each.number] for each in selection.crossings)
    ids = {flow.id for flow in selection.flows}
    talks = tuple(each for each in conversations if each.flow.id in ids)
    return Shown(capture, selection.crossings, selection.flows, talks, packets, canaries, selection)


def shown_document(shown: Shown) -> Document:
    """What `wirelab show --json` prints."""
    from lab.report.document.capture import capture_document

    return capture_document(
        shown.capture,
        shown.crossings,
        shown.flows,
        shown.conversations,
        shown.packets,
        shown.canaries,
        shown.selection,
    )
