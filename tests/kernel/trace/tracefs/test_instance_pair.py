from __future__ import annotations

import pytest
import traced_programs

from lab.errors import InstrumentError
from lab.kernel.sandbox.sandbox import open_sandbox
from lab.kernel.trace.tracefs.instance_pair import KERNEL_KB, InstancePair

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_tracefs")]


def test_both_are_made_with_their_clock_and_room() -> None:
    with open_sandbox() as sandbox:
        clocks, sizes_kb = sandbox.call(traced_programs.pair_of_instances)
    assert clocks == ["tai", "tai"]
    assert sizes_kb[0] >= sizes_kb[1] >= KERNEL_KB


def test_what_the_kernel_refuses_is_raised_where_it_is_waited_for() -> None:
    with open_sandbox() as sandbox:
        said = sandbox.call(traced_programs.second_pair_of_instances)
    assert "cannot make the tracefs instance" in said
    assert "EEXIST" in said


def test_without_an_owner_there_is_none() -> None:
    with pytest.raises(InstrumentError, match="no owner"):
        InstancePair()
