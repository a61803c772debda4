"""Bytes that were in a receive queue to the end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from causes_found import causes_in
from halted import LINE, STEP, Read, conversation

from lab.records import Recording


def served(*reads: Read, late: str = "") -> Recording:
    """The client has sent 48 bytes; the server has read so much, and goes on."""
    run = conversation(LINE.number, list(reads), [])
    programs = [
        replace(each, failure="had not ended in time" if each.name == late else "")
        for each in run.programs
    ]
    return replace(run, programs=tuple(programs))


@pytest.mark.parametrize(
    ("reads", "text"),
    [
        ([Read(16, 16)], "server had read 16 of the 48 bytes that came from client (the last in f"),
        ([Read(16, 16), Read(31, 31)], ": 1 waits in its receive queue"),
        ([], "server had read none of the 48 bytes"),
    ],
)
def test_what_a_program_that_goes_on_never_read_is_counted(reads: list[Read], text: str) -> None:
    assert text in causes_in(served(*reads), STEP)["left-unread"].text


def test_where_all_was_read_nothing_is_left() -> None:
    assert causes_in(served(Read(64, 48)), STEP) == {}


def test_where_somebody_waits_in_vain_the_wait_is_the_cause() -> None:
    run = conversation(LINE.number, [Read(16, 16)], [Read(9, None)])
    assert set(causes_in(run, STEP)) == {"peer-does-not-answer"}
