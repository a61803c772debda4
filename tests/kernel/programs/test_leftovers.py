from __future__ import annotations

import inside_listening as inside
import pytest

from lab.kernel.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.kernel


def test_what_programs_leave_behind_is_counted_and_ended(sandbox: Sandbox) -> None:
    assert sandbox.call(inside.left_behind) == (True, True, False)


def test_a_process_that_hands_on_to_a_child_and_ends_is_never_missed(sandbox: Sandbox) -> None:
    assert sandbox.call(inside.look_at_a_relay, 30) == 0


def test_a_process_that_hands_on_to_a_child_and_ends_is_ended(sandbox: Sandbox) -> None:
    assert not sandbox.call(inside.end_a_relay)
