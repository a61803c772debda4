"""The gates of a run whose frames wait for decisions: what they are asked, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lab.errors import LabError
from lab.wire.held import Decided, Gate, HeldFrame, HeldRules, Passed
from lab.wire.rule import Term

MOST_TOLD = 64
"""Frames of a link that are listed at once: those that came first."""


class HoldFrames(NamedTuple):
    """That frames wait, and how rules name the two ways of each link."""

    ways: tuple[tuple[str, str], ...]
    neighbours: bool
    """Whether ARP and neighbour discovery wait as well."""


class AskWaiting(NamedTuple):
    """A request: what waits. Answered with AtGates."""


class Deliver(NamedTuple):
    """A request: that frame goes on. Answered with the error that it is, or None."""

    number: int


class Decide(NamedTuple):
    """A request: that is done to a frame. Answered with the error that it is, or None."""

    number: int
    words: str
    """Of an action, as in a rule (docs/wire.md): "drop", "rewrite ttl=1"."""


class Undo(NamedTuple):
    """A request: what was done to that frame last is undone. Answered with the error, or None."""

    number: int


class PassUntil(NamedTuple):
    """A request: frames go on without waiting until one is any of these. Answered with None."""

    terms: frozenset[Term]


class HoldAgain(NamedTuple):
    """A request: frames wait again. Answered with None."""


class OpenGates(NamedTuple):
    """A request: from now on everything passes. Answered with None."""

    drops: bool
    """Whether what waits is dropped; else it goes on."""


HoldingRequest = (AskWaiting, Deliver, Decide, Undo, PassUntil, HoldAgain, OpenGates)


class AtGates(NamedTuple):
    """What waits at the links' gates, and what has gone since this was asked last."""

    waiting: tuple[tuple[HeldFrame, ...], ...]
    """By link, at most MOST_TOLD of each."""
    more: int
    """How many wait besides."""
    passed: tuple[tuple[Passed, ...], ...]
    """By link, the last MOST_TOLD."""
    is_passing: bool
    """Whether frames go on without waiting, for now."""
    decided: tuple[tuple[Decided, ...], ...]
    """By link the rules that decisions were, in their order, without those undone."""


class Gates:
    """The gates of all links."""

    def __init__(self, gate: Gate, links: Sequence[HeldRules]) -> None:
        self._gate = gate
        self._links = links
        self._told = -1

    def take_change(self) -> bool:
        """Whether anything has happened since this was asked last."""
        before, self._told = self._told, self._gate.changes
        return before != self._told

    def answer(
        self, request: object, now_ns: int, send: Callable[[int, list[tuple[int, bytes]]], None]
    ) -> object:
        """Do what is asked, sending what goes on: frames of a link by sender's side; the answer."""
        try:
            match request:
                case AskWaiting():
                    return self._at_gates()
                case Deliver(number):
                    link, rules = self._of(number)
                    send(link, rules.deliver(number, now_ns))
                case Decide(number, words):
                    link, rules = self._of(number)
                    send(link, rules.decide(number, words, now_ns))
                case Undo(number):
                    self._of(number)[1].undo(number)
                case PassUntil(terms):
                    self._gate.until = terms
                    self._pass(now_ns, send)
                case HoldAgain():
                    self._gate.until = None
                    self._gate.changes += 1
                case OpenGates(drops):
                    if drops:
                        for rules in self._links:
                            rules.drop_all(now_ns)
                    self._gate.until = frozenset()
                    for link, rules in enumerate(self._links):
                        send(link, rules.release(now_ns))
                    self._gate.changes += 1
        except LabError as error:
            return error
        return None

    def _pass(self, now_ns: int, send: Callable[[int, list[tuple[int, bytes]]], None]) -> None:
        """Let go on what waits, in the order in which it came to any link."""
        self._gate.changes += 1
        fronts = [
            (each.number, link)
            for link, rules in enumerate(self._links)
            for each in rules.waiting
            if each.state == "waits"
        ]
        is_first = True
        for number, link in sorted(fronts):
            out = self._links[link].pass_one(number, now_ns, is_first=is_first)
            if out is None:
                return
            is_first = False
            send(link, out)

    def _of(self, number: int) -> tuple[int, HeldRules]:
        """The link at which that frame waits."""
        for link, rules in enumerate(self._links):
            if any(each.number == number for each in rules.waiting):
                return link, rules
        return 0, self._links[0]

    def _at_gates(self) -> AtGates:
        waiting = [rules.waiting for rules in self._links]
        passed = []
        for rules in self._links:
            passed.append(tuple(rules.passed[-MOST_TOLD:]))
            rules.passed.clear()
        return AtGates(
            tuple(each[:MOST_TOLD] for each in waiting),
            sum(max(len(each) - MOST_TOLD, 0) for each in waiting),
            tuple(passed),
            self._gate.until is not None,
            tuple(tuple(rules.decided) for rules in self._links),
        )
