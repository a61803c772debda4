"""`wirelab show`: the flows of any capture file."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack, contextmanager

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from lab.analysis.select.selection import Asked
    from lab.results import Shown


def execute(options: Namespace) -> int:
    """Print the flows of a file, and then, where it is broken, raise that."""
    from lab.errors import CaptureFileError
    from lab.run import read_file, show_capture

    asked = _asked(options)
    with _stopped_by_interrupt() as stop:
        capture = read_file(options.file, stop)
    shown = show_capture(capture, asked)
    if options.html:
        _write_page(shown, options.html)
    elif options.json:
        _print_document(shown)
    else:
        _draw(shown, options)
    if capture.broken:
        sys.stdout.flush()
        raise CaptureFileError(f"cannot read {capture.name} any further: {capture.broken}")
    return 0


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
    from lab.report.document.writing import write_document
    from lab.run import shown_document

    sys.stdout.write(write_document(shown_document(shown)))


def _draw(shown: Shown, options: Namespace) -> None:
    from lab.cli.results import open_page
    from lab.report.terminal.capture_notes import draw_notes
    from lab.report.terminal.capture_page import draw_capture

    with ExitStack() as stack:
        page = open_page(options, stack)
        notes = draw_notes(shown.capture, page.style)
        crossings, flows, talks = shown.crossings, shown.flows, shown.conversations
        selection, canaries = shown.selection, shown.canaries
        page.print(draw_capture(crossings, flows, talks, canaries, page.style, notes, selection))


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
