"""The carrier's loop, with links that are lists: what passes, when, and what it answers."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.kernel.links.carrier import (
    AskHeld,
    BeginRules,
    Carrier,
    EndRules,
    Port,
    RulesAtWork,
    WiredLink,
)
from lab.kernel.links.frame_ring import Slot
from lab.kernel.system.message_socket import MessageSocket
from lab.records import CANARY_TEXT
from lab.wire.grammar import parse_rule

pytestmark = pytest.mark.kernel
DEADLINE_S = 10.0
FORTH = frozenset({0})


class Ring:
    """Frames that a test puts in, as a ring has them."""

    def __init__(self) -> None:
        self._event = os.eventfd(0, os.EFD_NONBLOCK)
        self._slots: list[Slot] = []
        self.dropped = 0

    def put(self, *frames: bytes) -> None:
        self._slots += (Slot(0, False, data, len(data)) for data in frames)
        os.eventfd_write(self._event, 1)

    def fileno(self) -> int:
        return self._event

    def read(self) -> list[Slot]:
        try:
            os.eventfd_read(self._event)
        except BlockingIOError:
            return []
        slots, self._slots = self._slots, []
        return slots

    def count(self) -> None:
        pass

    def clear_error(self) -> None:
        pass


class Sender:
    """What was sent on, and a failure if one is wanted."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.fails = False

    def send(self, data: bytes) -> None:
        if self.fails:
            raise OSError("no room")
        self.frames.append(data)


class Lab:
    """One link, carried by a thread, and what talks to it."""

    def __init__(self, messages: MessageSocket, rings: list[Ring], senders: list[Sender]) -> None:
        self.messages = messages
        self.rings = rings
        self.senders = senders

    def ask(self, request: object) -> object:
        self.messages.send(request)
        return self.messages.receive()

    def begin(self, *texts: str) -> None:
        self.ask(BeginRules((tuple((parse_rule(text), FORTH) for text in texts),)))

    def end(self) -> RulesAtWork:
        outcome = self.ask(EndRules())
        assert isinstance(outcome, RulesAtWork)
        return outcome

    def wait_for(self, side: int, *frames: bytes) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while self.senders[side].frames != list(frames):
            assert time.monotonic() < deadline, self.senders[side].frames
            time.sleep(0.001)


@contextmanager
def carried() -> Iterator[Lab]:
    ours, theirs = socket.socketpair()
    rings, senders = [Ring(), Ring()], [Sender(), Sender()]
    near, far = (Port(ring, sender) for ring, sender in zip(rings, senders, strict=True))  # type: ignore[arg-type]
    carrier = Carrier([WiredLink(near, far)], MessageSocket(theirs), {})
    thread = threading.Thread(target=carrier.run)
    thread.start()
    messages = MessageSocket(ours)
    try:
        yield Lab(messages, rings, senders)
    finally:
        messages.close()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


def test_without_rules_everything_passes_both_ways() -> None:
    with carried() as lab:
        lab.rings[0].put(b"a" * 20, b"b" * 20)
        lab.rings[1].put(b"c" * 20)
        lab.wait_for(1, b"a" * 20, b"b" * 20)
        lab.wait_for(0, b"c" * 20)


def test_rules_hold_from_begin_to_end() -> None:
    with carried() as lab:
        lab.rings[0].put(b"1" * 20)
        lab.begin("a>b drop 1")
        lab.rings[0].put(b"2" * 20, b"3" * 20)
        lab.wait_for(1, b"1" * 20, b"3" * 20)
        outcome = lab.end()
        assert (outcome.matched, outcome.lost) == (((1,),), 0)
        assert [strike.is_end for strike in outcome.strikes[0]] == [True]
        lab.rings[0].put(b"4" * 20)
        lab.wait_for(1, b"1" * 20, b"3" * 20, b"4" * 20)


def test_no_rule_strikes_a_canary() -> None:
    canary = bytes(14) + CANARY_TEXT + b" closing"
    with carried() as lab:
        lab.begin("a>b drop")
        lab.rings[0].put(b"x" * 20, canary)
        lab.wait_for(1, canary)


def test_a_frame_that_is_held_goes_on_by_itself() -> None:
    with carried() as lab:
        lab.begin("a>b delay 20")
        before = time.monotonic()
        lab.rings[0].put(b"x" * 20)
        lab.wait_for(1, b"x" * 20)
        assert time.monotonic() - before >= 0.02
        assert lab.ask(AskHeld()) is False


def test_what_is_held_is_said_and_released_at_the_end() -> None:
    with carried() as lab:
        lab.begin("a>b delay 100s")
        lab.rings[0].put(b"x" * 20)
        deadline = time.monotonic() + DEADLINE_S
        while not lab.ask(AskHeld()):
            assert time.monotonic() < deadline
        assert lab.senders[1].frames == []
        lab.end()
        lab.wait_for(1, b"x" * 20)


def test_what_could_not_be_sent_or_received_is_counted() -> None:
    with carried() as lab:
        lab.senders[1].fails = True
        lab.rings[1].dropped = 3
        lab.rings[0].put(b"x" * 20)
        deadline = time.monotonic() + DEADLINE_S
        while lab.end().lost < 4:
            assert time.monotonic() < deadline
