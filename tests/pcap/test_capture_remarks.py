from __future__ import annotations

from dataclasses import replace

from lab.pcap.capture import CaptureFile, ClockStep, ClockSteps, LeftOut
from lab.pcap.capture_remarks import capture_remarks

WHOLE = CaptureFile("x.pcap", ())


def test_nothing_is_to_be_said_of_a_file_that_was_read_whole() -> None:
    assert list(capture_remarks(WHOLE)) == []


def test_each_thing_is_a_sentence() -> None:
    step = ClockStep(3, 1_500_000_000)
    capture = replace(
        WHOLE,
        clock_steps=ClockSteps(1, step, step),
        left_out=(LeftOut("usb0", "220 (USB)", 2, 4),),
        stopped=True,
    )
    steps, left_out, stopped = capture_remarks(capture)
    assert steps.startswith("the clock steps back by 1.500 s at packet 3; ")
    assert "usb0" in left_out
    assert stopped == "reading was interrupted: this is what had come until then"
