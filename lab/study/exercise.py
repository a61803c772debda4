"""A question that a recorded run answers (records)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.model.event import EventId


class Topic(enum.Enum):
    """What is asked of an event."""

    FLAGS = "flags"
    SEQ = "sequence number"
    ACK = "acknowledgment number"
    LENGTH = "payload bytes"
    SENDER_STATE = "sender's state"
    RECEIVER_STATE = "receiver's state"
    RESULT = "return value"
    NEXT = "next segment"
    """Which segment comes next, and from whom."""


@frozen
class Exercise:
    """One question about one row of a ladder."""

    topic: Topic
    event: EventId
    """The frame or call."""
    row: int
    """Its place among the ladder's rows: what stands above it may be shown."""
    text: str
    """ "f4, from server to client: which flags?"."""
    answer: str
    """ "SYN ACK", "8", "SYN-RECEIVED", "-1 EAGAIN"."""
    why: str
    """What explains the answer, with its source."""
    choices: tuple[str, ...] = ()
    """Of which one is the answer; () where it is written freely."""
