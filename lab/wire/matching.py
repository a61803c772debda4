"""Whether a frame is one that a rule is about."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from types import MappingProxyType

from lab.wire.fields import has_fields
from lab.wire.headers import (
    ACK,
    ETHERTYPE_ARP,
    FIN,
    ICMP,
    ICMPV6,
    PSH,
    RST,
    SYN,
    TCP,
    UDP,
    Headers,
)
from lab.wire.rule import Action, Corrupt, Hold, Match, Rewrite, Rule, Term, Truncate

Expression = Callable[[bytes], bool]
"""A compiled BPF expression."""

_COMPARE: Mapping[str, Callable[[int, int], bool]] = MappingProxyType(
    {"=": operator.eq, "<": operator.lt, ">": operator.gt}
)
_WRAP, _HALF = 1 << 32, 1 << 31

NO_TERMS: frozenset[Term] = frozenset()


class SentNumbers:
    """The sequence numbers that senders have used, one way of a link."""

    def __init__(self) -> None:
        self._next: dict[bytes, int] = {}

    def is_retransmission(self, headers: Headers) -> bool:
        """Whether a segment begins before what its sender has sent; it is sent now.

        Source: RFC 9293, 3.4, for the comparison.
        """
        size = headers.sequence_bytes
        if headers.protocol != TCP or headers.payload < 0 or not size:
            return False
        who, end = headers.conversation, (headers.seq + size) % _WRAP
        before = self._next.get(who)
        if before is None or (headers.flags & SYN and not _is_before(headers.seq, before)):
            self._next[who] = end
            return False
        if _is_before(before, end):
            self._next[who] = end
        return _is_before(headers.seq, before)


class Windows:
    """The windows that senders have announced last, one way of a link."""

    def __init__(self) -> None:
        self._last: dict[bytes, int] = {}

    def is_update(self, headers: Headers) -> bool:
        """Whether a segment opens the window that its sender's last one said is 0."""
        if not _is_segment(headers) or not headers.flags & ACK:
            return False
        who = headers.conversation
        before, self._last[who] = self._last.get(who), headers.window
        return before == 0 and headers.window > 0


class Past:
    """What passed one way of a link before, as far as rules ask for it."""

    def __init__(self, rules: Iterable[Rule] | None) -> None:
        """For these rules, or for any that may come."""
        known: dict[Term, Callable[[Headers], bool]] = {
            Term.RETRANSMISSION: SentNumbers().is_retransmission,
            Term.WINDOW_UPDATE: Windows().is_update,
        }
        terms = {condition.term for rule in rules or () for condition in rule.conditions}
        self._asked = [(term, ask) for term, ask in known.items() if rules is None or term in terms]

    def terms_of(self, headers: Headers) -> frozenset[Term]:
        """Those of the rules' terms that are true of the frame that passes next by what passed."""
        if not self._asked:
            return NO_TERMS
        return frozenset(term for term, ask in self._asked if ask(headers))


def _is_before(one: int, other: int) -> bool:
    return 0 < (other - one) % _WRAP < _HALF


Matcher = Callable[[Headers, frozenset[Term]], bool]
"""Whether something is true of a frame, beside the terms that are true of it by what passed."""


def matcher_of(rule: Rule, expressions: Mapping[str, Expression]) -> Matcher:
    """What tells whether all of a rule's conditions are true of a frame, and it can be done to it.

    Made once for a rule: it is asked of every frame.
    """
    matchers = [
        *_of_action(rule.action),
        *(_of_match(each, expressions) for each in rule.conditions),
    ]
    return reduce(_both, matchers) if matchers else _always


def any_of(matchers: Iterable[Matcher]) -> Matcher:
    """What tells whether one of them is true; of none none is."""
    every = tuple(matchers)
    return reduce(_either, every) if every else _never


def _always(_: Headers, __: frozenset[Term]) -> bool:
    return True


def _never(_: Headers, __: frozenset[Term]) -> bool:
    return False


def _both(one: Matcher, other: Matcher) -> Matcher:
    return lambda headers, past: one(headers, past) and other(headers, past)


def _either(one: Matcher, other: Matcher) -> Matcher:
    return lambda headers, past: one(headers, past) or other(headers, past)


def _of_action(action: Action) -> Iterator[Matcher]:
    """Whether a frame has the fields, the byte, or the length that an action changes."""
    match action:
        case Rewrite(fields):
            yield lambda headers, _: has_fields(headers, fields)
        case Corrupt(offset):
            yield lambda headers, _: -len(headers.data) <= offset < len(headers.data)
        case Truncate(limit):
            yield lambda headers, _: limit < len(headers.data)
        case Hold(neighbours) if not neighbours:
            yield lambda headers, _: not headers.is_neighbour_discovery


def holds_of(term: Term, headers: Headers) -> bool:
    """Whether a term that needs neither a number, an expression nor the past is true of a frame."""
    return _PLAIN[term](headers)


def _of_match(condition: Match, expressions: Mapping[str, Expression]) -> Matcher:
    number = condition.number
    match condition.term:
        case Term.RETRANSMISSION | Term.WINDOW_UPDATE as term:
            return lambda _, past: term in past
        case Term.BPF:
            expression = expressions[condition.expression]
            return lambda headers, _: expression(headers.data)
        case Term.LENGTH:
            compare = _COMPARE[condition.compare]
            return lambda headers, _: compare(len(headers.data), number)
        case Term.PORT | Term.SOURCE_PORT | Term.DESTINATION_PORT as term:
            return _of_ports(_PORTS_OF[term], _COMPARE[condition.compare], number)
        case term:
            plain = _PLAIN[term]
            return lambda headers, _: plain(headers)


def _of_ports(places: Sequence[int], compare: Callable[[int, int], bool], number: int) -> Matcher:
    def matcher(headers: Headers, _: frozenset[Term]) -> bool:
        ports = headers.ports
        return ports is not None and any(compare(ports[place], number) for place in places)

    return matcher


_PORTS_OF: Mapping[Term, Sequence[int]] = MappingProxyType(
    {Term.PORT: (0, 1), Term.SOURCE_PORT: (0,), Term.DESTINATION_PORT: (1,)}
)
"""Which of a packet's two ports they ask for."""


def _is_segment(headers: Headers) -> bool:
    return headers.protocol == TCP and headers.payload >= 0


def _has_flags(mask: int, value: int) -> Callable[[Headers], bool]:
    return lambda headers: _is_segment(headers) and headers.flags & mask == value


_PLAIN: Mapping[Term, Callable[[Headers], bool]] = MappingProxyType(
    {
        Term.ARP: lambda headers: headers.ether_type == ETHERTYPE_ARP,
        Term.IPV4: lambda headers: headers.version == 4,
        Term.IPV6: lambda headers: headers.version == 6,
        Term.ICMP: lambda headers: (headers.version, headers.protocol) in ((4, ICMP), (6, ICMPV6)),
        Term.TCP: lambda headers: headers.protocol == TCP,
        Term.UDP: lambda headers: headers.protocol == UDP,
        Term.FRAGMENT: lambda headers: headers.is_fragment,
        Term.SYN: _has_flags(SYN | ACK, SYN),
        Term.SYN_ACK: _has_flags(SYN | ACK, SYN | ACK),
        Term.FIN: _has_flags(FIN, FIN),
        Term.RST: _has_flags(RST, RST),
        Term.PSH: _has_flags(PSH, PSH),
        Term.DATA: lambda headers: headers.payload_bytes > 0,
        Term.ACK: lambda headers: (
            _is_segment(headers)
            and headers.flags & (ACK | SYN | FIN | RST) == ACK
            and not headers.payload_bytes
        ),
    }
)
