from __future__ import annotations

import dataclasses

from lab.pcap.capture import CaptureFile, ClockStep, ClockSteps, LeftOut, Untimed
from lab.report.terminal.capture_notes import draw_notes
from lab.report.terminal.drawing.style import Style

WHOLE = CaptureFile("x.pcap", ())


def notes(**changes: object) -> list[str]:
    capture = dataclasses.replace(WHOLE, **changes)  # type: ignore[arg-type]
    return [line.plain for line in draw_notes(capture, Style(200, True))]


def test_nothing_is_said_of_a_file_that_was_read_whole() -> None:
    assert notes() == []


def test_a_step_of_the_clock_is_said_with_its_place_and_how_far() -> None:
    second, little = ClockStep(3, 1_500_000_000), ClockStep(9, 2_000)
    end = "packets of one interface stay in the file's order"
    assert notes(clock_steps=ClockSteps(1, second, second)) == [
        f"the clock steps back by 1.500 s at packet 3; {end}"
    ]
    assert notes(clock_steps=ClockSteps(4, little, second)) == [
        f"the clock steps back 4 times, first by 0.002 ms at packet 9, "
        f"farthest by 1.500 s at packet 3; {end}"
    ]


def test_packets_without_a_time_of_their_own_are_counted() -> None:
    impossible = Untimed(impossible=True, packets=1, first=2)
    absent = Untimed(impossible=False, packets=3, first=1)
    assert notes(untimed=(impossible, absent)) == [
        "1 packet has a time before 1970 or after 2554 (packet 2): it is shown at the time of the "
        "packet before",
        "3 packets have no time (from packet 1): each is shown at the time of the packet before",
    ]


def test_packets_that_are_left_out_are_counted_by_interface() -> None:
    one, more = LeftOut("usb", "189 (USB_LINUX)", 1, 4), LeftOut("if1", "65000", 12, 5)
    assert notes(left_out=(one, more)) == [
        "1 packet of usb is left out (packet 4): link type 189 (USB_LINUX) is not dissected",
        "12 packets of if1 are left out (from packet 5): link type 65000 is not dissected",
    ]


def test_a_break_and_an_interruption_are_said() -> None:
    assert notes(broken="at byte 7: what", stopped=True) == [
        "reading was interrupted: this is what had come until then",
        "the file is broken at byte 7: what",
    ]


def test_an_interfaces_name_is_shown_without_what_a_terminal_would_obey() -> None:
    (line,) = notes(left_out=(LeftOut("\x1b[31mred", "65000", 1, 1),))
    assert r"\x1b[31mred" in line
    assert line.isprintable()
