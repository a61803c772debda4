"""What is to be said of a capture file beside its frames: clock steps, packets left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from lab.model.counted import counted
from lab.report.terminal.style import Style

if TYPE_CHECKING:
    from lab.pcap.capture import CaptureFile, ClockStep, ClockSteps, LeftOut, Untimed


def draw_notes(capture: CaptureFile, style: Style) -> Iterator[Text]:
    """A line, or a few, for each thing that a reader of the flows has to know."""
    facts = [(_steps(capture.clock_steps), "yellow")] if capture.clock_steps else []
    facts += [(_untimed(each), "yellow") for each in capture.untimed]
    facts += [(_left_out(each), "yellow") for each in capture.left_out]
    if capture.stopped:
        facts.append(("reading was interrupted: this is what had come until then", "yellow"))
    if capture.broken:
        facts.append((f"the file is broken {capture.broken}", "bold red"))
    for fact, colour in facts:
        for line in style.wrap(fact, style.width, "  "):
            yield Text(line, colour)


def _steps(steps: ClockSteps) -> str:
    how = _step(steps.first)
    if steps.times > 1:
        how = f"{steps.times} times, first {how}, farthest {_step(steps.largest)}"
    return f"the clock steps back {how}; packets of one interface stay in the file's order"


def _step(step: ClockStep) -> str:
    return f"by {_span(step.back_ns)} at packet {step.packet}"


def _span(span_ns: int) -> str:
    if span_ns >= 10**9:
        return f"{span_ns / 1e9:,.3f} s"
    return f"{span_ns / 1e6:.3f} ms" if span_ns >= 1000 else f"{span_ns} ns"


def _untimed(untimed: Untimed) -> str:
    what = "a time before 1970 or after 2554" if untimed.impossible else "no time"
    verb, each = ("has", "it") if untimed.packets == 1 else ("have", "each")
    return (
        f"{counted(untimed.packets, 'packet')} {verb} {what} ({_from(untimed.packets)}"
        f"{untimed.first}): {each} is shown at the time of the packet before"
    )


def _left_out(left_out: LeftOut) -> str:
    packets = counted(left_out.packets, "packet")
    verb = "is" if left_out.packets == 1 else "are"
    return (
        f"{packets} of {left_out.point} {verb} left out ({_from(left_out.packets)}"
        f"{left_out.first}): link type {left_out.link_type} is not dissected"
    )


def _from(packets: int) -> str:
    return "packet " if packets == 1 else "from packet "
