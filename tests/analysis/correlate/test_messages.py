from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from system_calls import decoded

from lab.analysis.correlate.messages import Messages, take_read


def waiting(*messages: bytes) -> Messages[int]:
    found: Messages[int] = Messages()
    for at, data in enumerate(messages):
        found.add(len(data), data, at)
    return found


def test_the_first_message_that_fits_is_taken_once() -> None:
    messages = waiting(b"ab", b"cd", b"ab")
    assert [messages.take(2, b"ab") for _ in range(3)] == [0, 2, None]
    assert messages.take(2, b"c") == 1


def test_bytes_that_were_not_read_from_memory_fit_by_length() -> None:
    assert waiting(b"abc", b"de").take(2, b"") == 1


def test_a_condition_may_pass_some_over() -> None:
    assert waiting(b"a", b"a").take(1, b"a", lambda token: token > 0) == 1


def test_a_message_cut_short_is_one_that_begins_so() -> None:
    messages = waiting(b"abc", b"abd", b"ab")
    assert messages.take_cut(2, b"ab") == 0
    assert messages.take_cut(2, b"xy") is None


@pytest.mark.parametrize(
    ("name", "room", "is_met"),
    [("recvfrom", "2", True), ("recvfrom", "9", False), ("recvmsg", "", True)],
)
def test_a_read_may_have_had_no_room_for_more(name: str, room: str, is_met: bool) -> None:
    """How much a struct iovec[] has is unknown."""
    call = decoded(1, name, (1, 2), moved=2, data=b"ab", arguments={"len": room} if room else {})
    assert (take_read(waiting(b"abc"), call) == 0) is is_met
    assert take_read(waiting(b"abc", b"ab"), call) == 1


@given(st.lists(st.sampled_from([b"", b"a", b"bb", b"aa"])))
def test_what_is_read_in_order_is_what_was_sent_in_order(messages: list[bytes]) -> None:
    queue = waiting(*messages)
    assert [queue.take(len(data), data) for data in messages] == list(range(len(messages)))
