from __future__ import annotations

from lab.pcap.capture import BrokenError, ClockStep, ClockSteps, LeftOut, Reading, Untimed
from lab.records import Direction


def add(reading: Reading, time_ns: int | None, point: str = "if0", link: int = 1) -> None:
    reading.packets += 1
    reading.add(time_ns, point, Direction.UNKNOWN, b"", 0, link)


def test_a_clock_that_steps_back_is_noted_once_with_the_first_and_the_farthest_step() -> None:
    reading = Reading()
    for time_ns in (10, 11, 7, 8, 2, 3):
        add(reading, time_ns)
    capture = reading.capture("x", "", stopped=False)
    assert capture.clock_steps == ClockSteps(2, ClockStep(3, 4), ClockStep(5, 6))
    assert [frame.time_ns for frame in capture.frames] == [10, 11, 7, 8, 2, 3]


def test_each_interface_has_a_clock_of_its_own() -> None:
    reading = Reading()
    for time_ns, point in ((10, "a"), (5, "b"), (11, "a"), (6, "b"), (5, "b")):
        add(reading, time_ns, point)
    steps = reading.capture("x", "", stopped=False).clock_steps
    assert steps == ClockSteps(1, ClockStep(5, 1), ClockStep(5, 1))


def test_a_packet_without_a_possible_time_is_no_step_of_the_clock() -> None:
    reading = Reading()
    for time_ns in (10, None, 1 << 64, -1, 11):
        add(reading, time_ns)
    capture = reading.capture("x", "", stopped=False)
    assert [frame.time_ns for frame in capture.frames] == [10, 10, 10, 10, 11]
    assert capture.clock_steps is None
    assert capture.untimed == (
        Untimed(impossible=False, packets=1, first=2),
        Untimed(impossible=True, packets=2, first=3),
    )


def test_packets_that_are_not_dissected_are_counted_by_interface() -> None:
    reading = Reading()
    for point in ("a", "b", "a"):
        add(reading, 1, point, link=220)
    add(reading, 1, "a", link=252)  # a note
    assert reading.capture("x", "", stopped=False).left_out == (
        LeftOut("a", "220 (USB_LINUX_MMAPPED)", packets=2, first=1),
        LeftOut("b", "220 (USB_LINUX_MMAPPED)", packets=1, first=2),
    )


def test_a_broken_place_is_told_in_bytes_and_in_packets() -> None:
    assert str(BrokenError(7, "what")) == "at byte 7: what"
    assert str(BrokenError(7, "what", "packet 2")) == "at byte 7 (packet 2): what"
