"""`wirelab show`: the flows of any capture file."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack, contextmanager
from functools import cache, partial

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator

    from lab.analysis.select.selection import Asked
    from lab.large_capture import LargeCapture
    from lab.pcap.capture import CaptureFile
    from lab.report.terminal.page import Page
    from lab.results import Shown

ANNOUNCED_BYTES = 32 << 20
"""From this size on a line is printed before the file is read, which may take a second or more."""


def execute(options: Namespace) -> int:
    """Print the flows of a file, and then, where it is broken, raise that."""
    asked = _asked(options)
    if options.parquet is not None:
        return _write_parquet(options, asked)
    with ExitStack() as stack:
        page = cache(partial(_open_page, options, stack))
        capture = _show_large(options, asked, page) or _show(options, asked, page)
    return _end(capture)


def _end(capture: CaptureFile) -> int:
    """The exit status. Raises CaptureFileError where the file is broken."""
    if capture.broken:
        from lab.errors import CaptureFileError

        sys.stdout.flush()
        raise CaptureFileError(f"cannot read {capture.name} any further: {capture.broken}")
    return 0


def _write_parquet(options: Namespace, asked: Asked | None) -> int:
    """Write a file's packets and flows as Parquet. Raises UsageError."""
    from pathlib import Path

    from lab.capture_files import read_table, write_table
    from lab.errors import UsageError
    from lab.report.parquet.files import check_parquet

    if asked is not None or options.json or options.html:
        raise UsageError("--parquet writes all packets and flows: choose among them by a query")
    check_parquet()  # before a file is read that takes a while
    with _stopped_by_interrupt() as stop:
        large = read_table(options.file, stop)
    for path in write_table(large, Path(options.parquet)):
        print(path)
    return _end(large.capture)


def _open_page(options: Namespace, stack: ExitStack) -> Page:
    from lab.cli.results import open_page

    return open_page(options, stack)


def _show(options: Namespace, asked: Asked | None, page: Callable[[], Page]) -> CaptureFile:
    """Show a file all of whose frames are dissected."""
    from lab.capture_files import read_file, show_capture

    with _stopped_by_interrupt() as stop:
        capture = read_file(options.file, stop)
    shown = show_capture(capture, asked)
    if options.html:
        _write_page(shown, options.html)
    elif options.json:
        _print_document(shown)
    else:
        _draw(shown, page())
    return capture


def _show_large(
    options: Namespace, asked: Asked | None, page: Callable[[], Page]
) -> CaptureFile | None:
    """Show a file so large that a table of packets shows it sooner; None where it is not.

    A table has the flows, but nothing that could be asked of each frame.
    """
    is_of_frames = options.filter is not None or options.frames is not None
    if is_of_frames or options.json or options.html:
        return None
    from lab.capture_files import read_large, size_if_large

    size_bytes = size_if_large(options.file)
    if size_bytes is None:
        return None
    if size_bytes >= ANNOUNCED_BYTES:
        from lab.pcap.source import printable
        from lab.report.terminal.capture_page import draw_reading

        page().print(draw_reading(printable(options.file), size_bytes, page().style))
        sys.stdout.flush()
    with _stopped_by_interrupt() as stop:
        large = read_large(options.file, stop)
    from lab.report.terminal.capture_page import MOST_DRAWN

    if large is None or len(large.table.packets) <= MOST_DRAWN:
        return None  # a few long frames are all drawn
    if asked is not None:
        _draw(large.shown(asked), page())
    else:
        _draw_flows(large, page())
    return large.capture


def _asked(options: Namespace) -> Asked | None:
    """What of the file is asked for; None for all of it. Raises PointedError."""
    if not options.flow and options.filter is None and options.frames is None:
        return None
    from lab.analysis.select.selection import asked_for

    return asked_for(options.flow, options.filter, options.frames)


def _write_page(shown: Shown, target: str) -> None:
    from pathlib import Path

    from lab.derive import write_capture_page

    write_capture_page(shown, Path(target))
    print(target)


def _print_document(shown: Shown) -> None:
    from lab.capture_files import shown_document
    from lab.report.document.writing import write_document

    sys.stdout.write(write_document(shown_document(shown)))


def _draw(shown: Shown, page: Page) -> None:
    from lab.report.terminal.capture_notes import draw_notes
    from lab.report.terminal.capture_page import draw_capture

    notes = draw_notes(shown.capture, page.style)
    crossings, flows, talks = shown.crossings, shown.flows, shown.conversations
    selection, canaries = shown.selection, shown.canaries
    page.print(draw_capture(crossings, flows, talks, canaries, page.style, notes, selection))


def _draw_flows(large: LargeCapture, page: Page) -> None:
    from lab.report.terminal.capture_notes import draw_notes
    from lab.report.terminal.capture_page import draw_large

    notes = draw_notes(large.capture, page.style)
    table, others = large.table, len(large.frames_of_none)
    frames, canaries = len(table.packets), table.canaries
    page.print(draw_large(frames, large.summaries, others, canaries, page.style, notes))


@contextmanager
def _stopped_by_interrupt() -> Iterator[int | None]:
    """A descriptor that can be read after a Ctrl-C; a second Ctrl-C does what it did before.

    None where Ctrl-C is ignored.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        yield None
        return
    readable, writable = os.pipe()

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        os.write(writable, b"\0")

    signal.signal(signal.SIGINT, stop)
    try:
        yield readable
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(readable)
        os.close(writable)
