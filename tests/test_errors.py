from __future__ import annotations

import pytest

from lab import errors
from lab.errors import (
    InstrumentError,
    KernelRefused,
    LabError,
    MachineError,
    PointedError,
    UsageError,
    terminal_text,
)

ALL = sorted(
    (
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, LabError)
    ),
    key=lambda each: each.__name__,
)


@pytest.mark.parametrize("error", ALL)
def test_a_mistake_ends_with_2_and_what_cannot_be_done_here_with_3(error: type[LabError]) -> None:
    assert error.exit_status == (2 if issubclass(error, UsageError) else 3)


def test_a_machines_message_says_what_it_lacks_and_how_to_mend_it() -> None:
    refused = KernelRefused("cannot open a socket: EPERM", "run with sudo")
    assert isinstance(refused, MachineError)
    assert str(refused) == "cannot open a socket: EPERM; run with sudo"
    assert str(MachineError("no such interface")) == "no such interface"
    assert (refused.refusal, refused.advice) == ("cannot open a socket: EPERM", "run with sudo")


NAMES = {
    "\x1b[31mred": r"\x1b[31mred",
    "two\nlines": r"two\nlines",
    "\u202ebackwards": r"\u202ebackwards",
    "\udcff": r"\udcff",
    "caf\u00e9": "caf\u00e9",
}


@pytest.mark.parametrize("name", NAMES)
def test_what_an_error_quotes_does_nothing_to_a_terminal(name: str) -> None:
    assert terminal_text(UsageError(f"cannot read {name}")) == f"cannot read {NAMES[name]}"


def test_a_fault_in_a_text_is_shown_at_its_place() -> None:
    error = PointedError("--filter", "no port", "port \x1b80", 5, 8)
    assert isinstance(error, UsageError)
    assert terminal_text(error) == ("--filter: '\\x1b80': no port\n  port \\x1b80\n       ^^^^^^")
    at_the_end = PointedError("--filter", "expected a port", "port", 4, 4)
    assert terminal_text(at_the_end) == "--filter: expected a port\n  port\n      ^"


def test_a_traceback_keeps_its_lines() -> None:
    assert (
        terminal_text(InstrumentError("the lab failed:\n  line \x1b"))
        == "the lab failed:\n  line \\x1b"
    )
