"""What is to be said of a capture file beside its frames: clock steps, packets left out."""

from __future__ import annotations

from collections.abc import Iterator

from lab.model.counted import counted
from lab.pcap.capture import CaptureFile, ClockStep, ClockSteps, LeftOut, Untimed


def capture_remarks(capture: CaptureFile) -> Iterator[str]:
    """What a reader of the flows has to know, a sentence each; not that the file is broken."""
    if capture.clock_steps:
        yield _steps(capture.clock_steps)
    yield from map(_untimed, capture.untimed)
    yield from map(_left_out, capture.left_out)
    if capture.stopped:
        yield "reading was interrupted: this is what had come until then"


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
