from __future__ import annotations

import pytest

from lab import errors
from lab.errors import KernelRefused, LabError, MachineError, UsageError

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
