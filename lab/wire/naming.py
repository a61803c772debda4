"""Frames named as rules name them: "data 3" is the third with payload that came from its side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lab.wire.headers import Headers
from lab.wire.matching import holds_of
from lab.wire.rule import Action, Swap, Term

_KINDS = (Term.SYN, Term.SYN_ACK, Term.RST, Term.FIN, Term.DATA, Term.ACK, Term.ARP)
"""What a frame is called by: the first of these that is true of it."""
_PROTOCOLS = (Term.TCP, Term.UDP, Term.ICMP, Term.ARP, Term.IPV4, Term.IPV6)
"""What it is called by else, and together with those that it may change places with."""
_COUNTED = tuple(dict.fromkeys((*_KINDS, *_PROTOCOLS)))


class Name(NamedTuple):
    """What a frame is called by."""

    term: Term | None
    """None: any frame."""
    number: int
    """Among those of its side, from 1."""
    is_resent: bool
    """Whether it is counted among those alone that were resent since somebody was slow."""

    @property
    def words(self) -> str:
        """In the words of a rule."""
        parts = [self.term.value] if self.term else []
        return " ".join((*parts, *(["retransmission"] if self.is_resent else []), str(self.number)))


class Census:
    """How many frames of each kind have come from one side."""

    def __init__(self) -> None:
        self._counts: dict[tuple[Term | None, bool], int] = {}

    def count(self, headers: Headers, *, is_resent: bool) -> Arrival:
        """One more has come."""
        before = dict(self._counts)
        for term in (None, *_terms(headers)):
            self._counts[term, is_resent] = self._counts.get((term, is_resent), 0) + 1
        return Arrival(before, is_resent)


class Arrival(NamedTuple):
    """When a frame has come, by the frames of its side before it."""

    before: dict[tuple[Term | None, bool], int]
    is_resent: bool

    def name(self, headers: Headers, action: Action) -> Name:
        """What that frame is called by, as it is now, in a rule with this action.

        One that changes places does so with the next of its protocol, whatever that is.
        """
        kinds = _PROTOCOLS if isinstance(action, Swap) else (*_KINDS, *_PROTOCOLS)
        term = next((kind for kind in kinds if holds_of(kind, headers)), None)
        number = self.before.get((term, self.is_resent), 0) + 1
        return Name(term, number, self.is_resent)


def _terms(headers: Headers) -> Iterator[Term]:
    return (term for term in _COUNTED if holds_of(term, headers))
