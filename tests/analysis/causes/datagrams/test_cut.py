"""Messages of which a read got the first bytes only."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trace_edits as t
from causes_found import causes_of
from event_ids import event

from lab.records import Syscall

MSG_TRUNC = 0x20


def test_what_was_thrown_away_is_counted() -> None:
    cause = causes_of("traced-udp4", "truncation")["message-cut"]
    assert cause.text == (
        "short-reader#4 (recvmsg) has room for 16 bytes, and the message that it reads (f11, sent "
        "by sender#3) has 40: the other 24 are thrown away. The next read gets the next message, "
        "not the rest of this one."
    )
    assert cause.evidence == tuple(map(event, ("short-reader#4", "sender#3", "f11")))


@pytest.mark.parametrize("step", ["conversation", "fragments", "nobody"])
def test_who_reads_whole_messages_cuts_none(step: str) -> None:
    assert "message-cut" not in causes_of("traced-udp4", step)


def test_who_asks_for_the_whole_length_knows_of_it() -> None:
    def asks(call: Syscall) -> Syscall:
        descriptor, message, flags = call.arguments
        return replace(call, arguments=(descriptor, message, flags | MSG_TRUNC))

    edited = t.changed("short-reader", "recvmsg", asks)
    assert "message-cut" not in causes_of("traced-udp4", "truncation", edited)


@pytest.mark.parametrize("step", ["conversation", "abstract", "names", "loopback"])
def test_a_stream_has_no_messages_to_cut(step: str) -> None:
    assert "message-cut" not in causes_of("traced-unix4", step)
