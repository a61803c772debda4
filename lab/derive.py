"""What is derived from a judged run: its reports in other formats, as bytes and as files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from lab.errors import UsageError, printable
from lab.frozen import frozen

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.report.document.writing import NamedValue
    from lab.results import Result, Shown


@frozen
class Format:
    """Something that a judged run's report is derived in."""

    file: str
    """The name of its file in a run's folder."""
    what: str
    """In a few words, for the help on `--format`."""
    write: Callable[[Result], bytes]


PAGES = ("html", "svg", "wire")
"""What every run leaves behind besides report.json."""


COMPARE = "compare"
"""The scenario whose steps are there to be compared."""


def derived(result: Result, form: str, unix_as: str = "") -> bytes:
    """A run's report in one of the formats; equal for equal recordings and scenarios.

    `unix_as` names the dissector of Wireshark's for what went through unix sockets. Raises
    UsageError where it is none's name, or the format is another than "unix".
    """
    if not unix_as:
        return FORMATS[form].write(result)
    if form != "unix":
        raise UsageError("--unix-as is for --format unix")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", unix_as):
        raise UsageError(f"--unix-as: {printable(unix_as)} is no dissector's name")
    return _unix(result, unix_as)


def document_fields(result: Result) -> Iterator[NamedValue]:
    """What report.json holds, field by field: a run's document may be large."""
    from lab.report.document.report import report_fields

    return report_fields(result.timelines, result.judgements)


def write_derived(result: Result, form: str, target: Path, unix_as: str = "") -> None:
    """Write it to a file, which is the invoking user's under sudo. Raises UsageError."""
    _write([derived(result, form, unix_as)], target)


def write_text(text: str, target: Path) -> None:
    """The same of a text."""
    _write([text.encode("utf-8")], target)


def write_bytes(data: bytes, target: Path) -> None:
    """The same of bytes."""
    _write([data], target)


def _write(pieces: Iterable[bytes], target: Path) -> None:
    from lab.recording.artifacts import check_links, give_to_invoker

    check_links(target)
    try:
        with target.open("wb") as file:
            file.writelines(pieces)
        give_to_invoker(target)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from None


MOST_EVENTS = 10_000
"""Frames and calls of a run whose pages are written at once: those of more take seconds."""


def why_no_pages(timelines: Sequence[Timeline], folder: Path) -> str:
    """Why a run's pages are not written with it, and what writes them; "" where they are."""
    events = sum(len(each.crossings) + len(each.system_calls) for each in timelines)
    if events <= MOST_EVENTS:
        return ""
    return f"{events:,} events: `wirelab report {folder}` writes report.html"


def prepare_pages() -> None:
    """Import and compile what write_pages needs; for when there is nothing else to do."""
    import lab.report.capture.wire
    import lab.report.html.run_page
    import lab.scene.build  # noqa: F401
    from lab.report.html.page import get_ready

    get_ready()


def write_pages(result: Result) -> None:
    """Write into the run's folder what people look at. Raises UsageError."""
    for form in (*PAGES, *(("compare",) if result.scenario == COMPARE else ())):
        write_derived(result, form, result.folder / FORMATS[form].file)


def write_capture_page(shown: Shown, target: Path) -> None:
    """Write the page of a capture file, piece by piece. Raises UsageError."""
    from lab.report.html.capture_page import capture_page

    if not shown.crossings:
        which = " that was asked for" if shown.selection else " to write a page of"
        raise UsageError(f"{shown.capture.name} has no frame{which}")
    page = capture_page(
        shown.capture,
        shown.crossings,
        shown.flows,
        shown.conversations,
        shown.packets,
        shown.canaries,
        shown.selection,
    )
    _write((piece.encode("utf-8") for piece in page), target)


def _html(result: Result) -> bytes:
    from lab.report.html.run_page import run_page

    return _page(run_page, result)


def _compare(result: Result) -> bytes:
    from lab.report.html.compare_page import compare_page

    return _page(compare_page, result)


def _page(make: Callable[..., str], result: Result) -> bytes:
    """A page about a run, which `make` makes."""
    page = make(
        result.timelines,
        result.ladders,
        result.judgements,
        title=result.title,
        question=result.lesson.question if result.lesson else "",
        outcome=result.outcome,
    )
    return page.encode("utf-8")


def _svg(result: Result) -> bytes:
    from lab.report.svg.ladder import draw_svg
    from lab.scene.build import build_scene

    steps = [
        (timeline.step, build_scene(ladder))
        for timeline, ladder in zip(result.timelines, result.ladders, strict=True)
    ]
    return draw_svg(result.title, steps).encode("utf-8")


def _json(result: Result) -> bytes:
    from lab.report.document.writing import written

    return "".join(written(document_fields(result))).encode("utf-8")


def _perfetto(result: Result) -> bytes:
    from lab.report.perfetto.chrome_trace import chrome_trace

    return chrome_trace(result.timelines).encode("utf-8")


def _markdown(result: Result) -> bytes:
    from lab.report.ci.github import summarize

    return summarize([result]).encode("utf-8", "backslashreplace")


def _junit(result: Result) -> bytes:
    from lab.report.ci.junit import junit_document
    from lab.report.ci.publish import place_of

    return junit_document([result], place_of)


def _wire(result: Result) -> bytes:
    from lab.report.capture.wire import wire_capture

    return wire_capture(result.timelines)


def _unix(result: Result, unix_as: str = "") -> bytes:
    from lab.report.capture.unix_packets import unix_capture

    capture = unix_capture(result.timelines, unix_as)
    if capture is None:
        raise UsageError("no traced call sent or read through a unix socket whose ends are known")
    return capture


FORMATS = {
    "html": Format("report.html", "a page for a browser", _html),
    "svg": Format("ladder.svg", "a picture", _svg),
    "json": Format("report.json", "report.json", _json),
    "md": Format("report.md", "Markdown", _markdown),
    "junit": Format("junit.xml", "JUnit XML", _junit),
    "compare": Format("compare.html", "a page of the steps side by side", _compare),
    "wire": Format("wire.pcapng", "wire.pcapng, each frame once", _wire),
    "perfetto": Format("trace.json", "a trace for Perfetto's viewer", _perfetto),
    "unix": Format("unix.pcapng", "unix.pcapng, what went through unix sockets", _unix),
}
"""By its name what a run can be derived in: what `--format` takes, and its help says."""
