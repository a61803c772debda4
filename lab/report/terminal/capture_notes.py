"""What is to be said of a capture file beside its frames: clock steps, packets left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from lab.pcap.capture_remarks import capture_remarks
from lab.report.terminal.drawing.style import Style

if TYPE_CHECKING:
    from lab.pcap.capture import CaptureFile


def draw_notes(capture: CaptureFile, style: Style) -> Iterator[Text]:
    """A line, or a few, for each thing that a reader of the flows has to know."""
    facts = [(remark, "yellow") for remark in capture_remarks(capture)]
    if capture.broken:
        facts.append((f"the file is broken {capture.broken}", "bold red"))
    for fact, colour in facts:
        for line in style.wrap(fact, style.width, "  "):
            yield Text(line, colour)
