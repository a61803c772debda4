"""The process that carries frames from one half of a link to the other.

It does nothing else, so that a frame waits for nobody: it sleeps until a ring has one, and sends
it on by a socket of the other half. Each half is a veth pair of its own, whose near end is in the
lab's namespace; so nothing is needed that a link without a wire would not need.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from lab.errors import LabError
from lab.kernel.links.expressions import compiled
from lab.kernel.links.frame_ring import FrameRing, Slot
from lab.kernel.links.holding import Gates, HoldFrames, HoldingRequest
from lab.kernel.system.message_socket import MessageSocket, PeerGone
from lab.kernel.system.timer import Timer
from lab.records import CANARY_TEXT
from lab.wire.held import Decided, Gate, HeldRules
from lab.wire.matching import Expression
from lab.wire.rule import Hold, LinkWay, Rule
from lab.wire.wire import Rules, Strike, expressions_in

_ETHERNET_BYTES = 14


class Port(NamedTuple):
    """Where one half of a link ends in the lab's namespace."""

    ring: FrameRing
    sender: socket.socket
    """Bound to the interface, with protocol 0: it receives nothing."""


class WiredLink(NamedTuple):
    """Both halves of a link: that of its first end, and that of its second."""

    near: Port
    far: Port


class BeginRules(NamedTuple):
    """A request: rules for each link, with the sides whose frames each is about, from now on."""

    rules: tuple[tuple[tuple[Rule, frozenset[int]], ...], ...]
    more_may_come: bool = False
    hold: HoldFrames | None = None
    """Whether frames wait for decisions, behind the rules."""


class AddRule(NamedTuple):
    """A request: one more rule for that link. Answered with the error that it is, or None."""

    link: int
    rule: Rule
    sides: frozenset[int]


class StopRules(NamedTuple):
    """A request: the link's rules hold no longer that are about no other side's frames.

    Answered with how many those were.
    """

    link: int
    sides: frozenset[int]


class AskRules(NamedTuple):
    """A request: what the rules have done so far. Answered with RulesAtWork."""


class AskHeld(NamedTuple):
    """A request: whether frames are held back that have a time to go on."""


class EndRules(NamedTuple):
    """A request: release what is held back, and pass everything on from now on."""


class RulesAtWork(NamedTuple):
    """What the rules of each link have done; and how many frames the carrier itself has lost."""

    strikes: tuple[tuple[Strike, ...], ...]
    matched: tuple[tuple[int, ...], ...]
    in_force: tuple[tuple[int, ...], ...]
    """The places of the rules that hold still."""
    lost: int
    decided: tuple[tuple[Decided, ...], ...] = ()
    """By link, the rules that decisions were."""


class Carrier:
    """Carries frames, and answers requests."""

    def __init__(
        self,
        links: Sequence[WiredLink],
        messages: MessageSocket,
        expressions: Mapping[str, Expression],
        notice: int | None = None,
    ) -> None:
        """`notice` is a descriptor without waiting: a byte goes there when frames wait or go."""
        self._notice = notice
        self._gates: Gates | None = None
        self._links = links
        self._messages = messages
        self._expressions = dict(expressions)
        self._rules: list[Rules | None] = [None] * len(links)
        self._unsent = 0
        self._timer = Timer()
        self._set_for_ns: int | None = None
        self._poll = select.epoll()
        self._ports: dict[int, tuple[int, int]] = {}
        for number, link in enumerate(links):
            for side, port in enumerate(link):
                self._poll.register(port.ring.fileno(), select.EPOLLIN)
                self._ports[port.ring.fileno()] = number, side
        self._poll.register(messages.fileno(), select.EPOLLIN)
        self._poll.register(self._timer.fileno(), select.EPOLLIN)

    def run(self) -> None:
        """Carry frames until the other end of the messages is gone."""
        asked = self._messages.fileno()
        try:
            while True:
                for descriptor, _ in self._poll.poll():
                    if descriptor in self._ports:
                        self._carry(*self._ports[descriptor])
                    elif descriptor == asked:
                        self._answer()
                self._send_due()
                self._give_notice()
        except PeerGone:
            return

    def _carry(self, number: int, side: int) -> None:
        link, rules = self._links[number], self._rules[number]
        ring = link[side].ring
        slots = ring.read()
        if not slots:
            ring.clear_error()
        if rules is None:
            for slot in slots:
                self._send(link[1 - side], slot.data)
            return
        for slot in slots:
            if _is_canary(slot):
                self._send(link[1 - side], slot.data)
                continue
            for sent_by, data in rules.take(side, slot.data, time.time_ns()):
                self._send(link[1 - sent_by], data)

    def _send_due(self) -> None:
        """Send what was held back until now, and set the timer for what comes next."""
        next_ns: int | None = None
        for link, rules in zip(self._links, self._rules, strict=True):
            if rules is None:
                continue
            due_ns = rules.due_ns
            if due_ns is None:
                continue
            if due_ns <= (now_ns := time.time_ns()):
                for sent_by, data in rules.due(now_ns):
                    self._send(link[1 - sent_by], data)
                due_ns = rules.due_ns
            if due_ns is not None and (next_ns is None or due_ns < next_ns):
                next_ns = due_ns
        # A timer that has expired stays readable until it is set again.
        if next_ns is not None or self._set_for_ns is not None:
            self._timer.set(None if next_ns is None else next_ns - time.time_ns())
            self._set_for_ns = next_ns

    def _send(self, port: Port, data: bytes) -> None:
        try:
            port.sender.send(data)
        except OSError:
            self._unsent += 1

    def _answer(self) -> None:
        match self._messages.receive():
            case BeginRules(rules, more_may_come, hold):
                # What has come before belongs to no rule.
                self._carry_all()
                now_ns = time.time_ns()
                self._gates = None
                if hold is not None:
                    self._rules = [*self._hold(rules, hold, now_ns)]
                else:
                    self._rules = [
                        Rules(each, now_ns, self._expressions, more_may_come=more_may_come)
                        if each or more_may_come
                        else None
                        for each in rules
                    ]
                self._messages.send(None)
            case AddRule(link, rule, sides):
                self._messages.send(self._add(link, rule, sides))
            case StopRules(link, sides):
                self._messages.send(self._stop(link, sides))
            case AskRules():
                self._messages.send(self._at_work())
            case AskHeld():
                self._messages.send(any(rules and rules.holds for rules in self._rules))
            case EndRules():
                self._messages.send(self._end())
            case request if isinstance(request, HoldingRequest):
                assert self._gates is not None
                self._messages.send(self._gates.answer(request, time.time_ns(), self._send_on))

    def _hold(
        self,
        rules: Sequence[Sequence[tuple[Rule, frozenset[int]]]],
        hold: HoldFrames,
        now_ns: int,
    ) -> list[HeldRules]:
        """The links' rules with a gate behind each."""
        gate = Gate()
        held = []
        for each, ways in zip(rules, hold.ways, strict=True):
            way = LinkWay(ways[0].replace(">", "-"))
            rule = Rule(f"{way.text} {Hold.name}", way, Hold(hold.neighbours))
            held.append(HeldRules(each, now_ns, self._expressions, gate, rule, ways))
        self._gates = Gates(gate, held)
        return held

    def _send_on(self, link: int, frames: list[tuple[int, bytes]]) -> None:
        for sent_by, data in frames:
            self._send(self._links[link][1 - sent_by], data)

    def _give_notice(self) -> None:
        """Say that something has happened at the gates; once is enough until it is asked what."""
        if self._notice is not None and self._gates is not None and self._gates.take_change():
            with suppress(BlockingIOError):
                os.write(self._notice, b"!")

    def _carry_all(self) -> None:
        for number, link in enumerate(self._links):
            for side in range(len(link)):
                self._carry(number, side)

    def _add(self, link: int, rule: Rule, sides: frozenset[int]) -> LabError | None:
        rules = self._rules[link]
        assert rules is not None
        try:
            new = {text: compiled(text) for text in expressions_in((rule,))}
        except LabError as error:
            return error
        self._expressions |= new
        # What has come before is not for this rule.
        self._carry_all()
        rules.add(rule, sides, time.time_ns(), self._expressions)
        return None

    def _stop(self, link: int, sides: frozenset[int]) -> int:
        rules = self._rules[link]
        assert rules is not None
        self._carry_all()
        places = [place for place in rules.in_force() if rules.sides(place) <= sides]
        for sent_by, data in rules.end(places, time.time_ns()):
            self._send(self._links[link][1 - sent_by], data)
        return len(places)

    def _end(self) -> RulesAtWork:
        self._carry_all()
        for link, rules in zip(self._links, self._rules, strict=True):
            for sent_by, data in rules.release(time.time_ns()) if rules else ():
                self._send(link[1 - sent_by], data)
        done = self._at_work()
        self._gates = None
        self._rules = [None] * len(self._links)
        return done

    def _at_work(self) -> RulesAtWork:
        lost = self._unsent
        for link in self._links:
            for port in link:
                port.ring.count()
                lost += port.ring.dropped
        return RulesAtWork(
            tuple(tuple(rules.strikes) if rules else () for rules in self._rules),
            tuple(tuple(rules.matched) if rules else () for rules in self._rules),
            tuple(tuple(rules.in_force()) if rules else () for rules in self._rules),
            lost,
            tuple(
                tuple(rules.decided) if isinstance(rules, HeldRules) else ()
                for rules in self._rules
            ),
        )


def _is_canary(slot: Slot) -> bool:
    return slot.data.startswith(CANARY_TEXT, _ETHERNET_BYTES)
