"""The picture of a whole ladder in README, drawn from a recording: `make picture`.

Arguments: the recording's folder, and the SVG file to write.
"""

from __future__ import annotations

import re
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from lab.analysis.assembly import build_timelines
from lab.ladder.build import build_ladder
from lab.recording.storage import load_recording
from lab.report.terminal.run_ladder import draw_run_ladder
from lab.report.terminal.style import Style

COLUMNS = 100
FONT_FROM_ELSEWHERE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""rich's SVG would have a browser fetch its font: the reader's own will do."""


def main(folder: str, target: str) -> None:
    (timeline,) = build_timelines(load_recording(Path(folder)))
    console = Console(record=True, width=COLUMNS, file=StringIO(), highlight=False)
    lines = draw_run_ladder(timeline, build_ladder(timeline), Style(COLUMNS, ascii_only=False))
    for line in lines:
        console.print(line, no_wrap=True, overflow="ignore", crop=False)
    svg = console.export_svg(title="make scenario-tcp", theme=MONOKAI, unique_id="wirelab")
    Path(target).write_text(FONT_FROM_ELSEWHERE.sub("", svg), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
