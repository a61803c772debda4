"""Filters of frames: `host 192.0.2.1 and not port 80`, as a function of a frame.

docs/capture-files.md lists the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from lab.analysis.packets.packet import (
    Arp,
    Icmp,
    IPv4,
    IPv6,
    Layer,
    Tcp,
    TcpStart,
    Udp,
    UdpStart,
    Vlan,
)
from lab.analysis.tcp.segment import Note
from lab.errors import PointedError, did_you_mean
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.packets.packet import Packet

ANY = "any"
NOTES = {note.name.lower().replace("_", "-"): note for note in Note}
"""By the word for it: "keep-alive-ack"."""

_NS = 1_000_000_000
_LAST_PORT = 65_535


@frozen
class SeenFrame:
    """A frame as a filter sees it."""

    packet: Packet
    notes: frozenset[Note]
    time_ns: int
    zero_ns: int
    """When the file's first frame was seen."""


FrameFilter = Callable[[SeenFrame], bool]
"""Whether a frame is one of those that were asked for."""


@frozen
class _Word:
    text: str
    start: int
    """Its place in the filter."""


def parse_filter(text: str, option: str = "--filter") -> FrameFilter:
    """The filter that a text asks for; `not` binds closer than `and`, `and` closer than `or`.

    Raises PointedError, which names the `option` and shows the word that is wrong.
    """
    return _Parser(text, option).parse()


class _Parser:
    def __init__(self, text: str, option: str) -> None:
        self._text, self._option = text, option
        self._words = [
            _Word(found[0], found.start()) for found in re.finditer(r"[()]|[^\s()]+", text)
        ]
        self._at = 0

    def parse(self) -> FrameFilter:
        found = self._either()
        if (word := self._peek()) is not None:
            expected = "and, or, or the end"
            if word.text == ")":
                raise self._error(word, "this parenthesis was not opened")
            raise self._error(word, f"expected {expected}{did_you_mean(word.text, ('and', 'or'))}")
        return found

    def _either(self) -> FrameFilter:
        found = [self._both()]
        while self._takes("or"):
            found.append(self._both())
        return found[0] if len(found) == 1 else lambda seen: any(each(seen) for each in found)

    def _both(self) -> FrameFilter:
        found = [self._single()]
        while self._takes("and"):
            found.append(self._single())
        return found[0] if len(found) == 1 else lambda seen: all(each(seen) for each in found)

    def _single(self) -> FrameFilter:
        # A loop, and a bound: thousands of "not" or "(" would be as many calls.
        negated = False
        while self._takes("not"):
            negated = not negated
        if (opening := self._peek()) is not None and self._takes("("):
            if sum(word.text == "(" for word in self._words[: self._at]) > _DEEPEST:
                raise self._error(opening, f"more than {_DEEPEST} parentheses")
            inner = self._either()
            if not self._takes(")"):
                raise self._error(opening, "this parenthesis is not closed")
        else:
            inner = self._test()
        return (lambda seen: not inner(seen)) if negated else inner

    def _test(self) -> FrameFilter:
        word = self._next("a word of a filter")
        if (layers := _PROTOCOLS.get(word.text)) is not None:
            return lambda seen: any(map(layers, _layers(seen.packet)))
        made = _TESTS.get(word.text)
        if made is None:
            known = (*_PROTOCOLS, *_TESTS, "not")
            raise self._error(word, f"no word of a filter{did_you_mean(word.text, known)}")
        expected, make = made
        value = self._next(expected)
        found = make(value.text)
        if isinstance(found, str):
            raise self._error(value, found)
        return found

    def _peek(self) -> _Word | None:
        return self._words[self._at] if self._at < len(self._words) else None

    def _takes(self, text: str) -> bool:
        word = self._peek()
        is_it = word is not None and word.text == text
        self._at += is_it
        return is_it

    def _next(self, expected: str) -> _Word:
        word = self._peek()
        if word is None or word.text in ("(", ")"):
            raise self._error(word or _Word("", len(self._text)), f"expected {expected}")
        self._at += 1
        return word

    def _error(self, word: _Word, what: str) -> PointedError:
        return PointedError(self._option, what, self._text, word.start, word.start + len(word.text))


_DEEPEST = 100


def _layers(packet: Packet) -> Iterator[Layer]:
    """Its headers, those in tunnels and those that an ICMP error quotes, as in Wireshark."""
    for layer in packet.layers:
        yield layer
        if isinstance(layer, Icmp):
            yield from layer.quoted


_PROTOCOLS: dict[str, Callable[[Layer], bool]] = {
    "tcp": lambda layer: isinstance(layer, Tcp | TcpStart),
    "udp": lambda layer: isinstance(layer, Udp | UdpStart),
    "icmp": lambda layer: isinstance(layer, Icmp) and layer.version == 4,
    "icmp6": lambda layer: isinstance(layer, Icmp) and layer.version == 6,
    "arp": lambda layer: isinstance(layer, Arp),
    "ip": lambda layer: isinstance(layer, IPv4),
    "ip6": lambda layer: isinstance(layer, IPv6),
    "vlan": lambda layer: isinstance(layer, Vlan),
}
PROTOCOLS = tuple(_PROTOCOLS)


# Each takes the word after its own, and returns the test, or what is wrong with that word.


def _host(text: str) -> FrameFilter | str:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return "no IP address, nor a network such as 192.0.2.0/24"
    return lambda seen: any(_concerns(layer, network) for layer in _layers(seen.packet))


def _concerns(layer: Layer, network: IPv4Network | IPv6Network) -> bool:
    if isinstance(layer, IPv4 | IPv6):
        return layer.source in network or layer.destination in network
    if isinstance(layer, Arp):
        return any(each is not None and each in network for each in (layer.sender, layer.target))
    return False


def _port(text: str) -> FrameFilter | str:
    first, dash, last = text.partition("-")
    numbers = [_number(each) for each in ((first, last) if dash else (first,))]
    low, high = numbers[0], numbers[-1]
    if low is None or high is None or high > _LAST_PORT:
        return f"no port from 0 to {_LAST_PORT}, nor a range of them, such as 80-90"
    if low > high:
        return "this range ends before it begins"

    def test(seen: SeenFrame) -> bool:
        return any(
            low <= layer.source_port <= high or low <= layer.destination_port <= high
            for layer in _layers(seen.packet)
            if isinstance(layer, Tcp | TcpStart | Udp | UdpStart)
        )

    return test


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _note(text: str) -> FrameFilter | str:
    if text == ANY:
        return lambda seen: bool(seen.notes)
    if (note := NOTES.get(text)) is None:
        return f"no note of a segment{did_you_mean(text, (ANY, *NOTES))}"
    return lambda seen: note in seen.notes


def _after(text: str) -> FrameFilter | str:
    moment = _moment(text)
    if isinstance(moment, str):
        return moment
    return lambda seen: seen.time_ns >= moment(seen.zero_ns)


def _before(text: str) -> FrameFilter | str:
    moment = _moment(text)
    if isinstance(moment, str):
        return moment
    return lambda seen: seen.time_ns < moment(seen.zero_ns)


def _moment(text: str) -> Callable[[int], int] | str:
    """A time since 1970 by that of the first frame, in nanoseconds."""
    wrong = "no number of seconds, nor a time in UTC, such as 2023-11-14T22:13:20.5"
    try:
        seconds = Decimal(text)
        offset_ns = int(seconds * _NS) if abs(seconds) < _NS else None
    except InvalidOperation:
        pass
    else:
        return wrong if offset_ns is None else lambda zero_ns: zero_ns + offset_ns
    whole, _, fraction = text.partition(".")
    digits = fraction.removesuffix("Z")
    try:
        then = datetime.fromisoformat(whole.removesuffix("Z"))
        # A day alone, or another time zone's time, may be meant otherwise than it is taken.
        if "T" not in whole or then.tzinfo is not None or len(digits) > 9:
            return wrong
        seconds_since_1970 = int(then.replace(tzinfo=UTC).timestamp())
        time_ns = seconds_since_1970 * _NS + int(digits.ljust(9, "0"))
    except (ValueError, OverflowError):
        return wrong
    return lambda _: time_ns


_TESTS: dict[str, tuple[str, Callable[[str], FrameFilter | str]]] = {
    "host": ("an IP address", _host),
    "port": ("a port", _port),
    "note": ("a note", _note),
    "after": ("a time", _after),
    "before": ("a time", _before),
}
"""By the word that stands before it: what comes then, and what makes the test of that."""


@cache
def words() -> frozenset[str]:
    """Every word that a filter may have beside addresses, numbers and times."""
    joining: Iterable[str] = ("and", "or", "not", ANY)
    return frozenset((*joining, *_PROTOCOLS, *_TESTS, *NOTES))
