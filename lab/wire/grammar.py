"""Rules of a wire in words: `client>server drop SYN 1`. The grammar is in docs/wire.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple, NoReturn

from lab.errors import PointedError, did_you_mean
from lab.wire.fields import FIELDS, check_value
from lab.wire.rule import (
    Action,
    Corrupt,
    Delay,
    Down,
    Drop,
    Duplicate,
    LinkWay,
    Loss,
    Match,
    Moment,
    Rate,
    Rewrite,
    Rule,
    Swap,
    Term,
    Truncate,
    Up,
    Which,
)

_WORD = re.compile(r"""'([^']*)'|"([^"]*)"|(\S+)""")
_NUMBER = re.compile(r"\d+")
_TIME = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s)?")
_TIME_NS = {"us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_BITS = re.compile(r"(\d+(?:\.\d+)?)([kMG]?)(?:bit)?")
_TIMES = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_CORRUPT = re.compile(r"(-?\d+)(?::(0[xX][0-9a-fA-F]{1,2}|\d{1,3}))?")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_COMPARED = re.compile(r"([<>=]?)(\d+)")
_LARGEST = {Term.LENGTH: 1 << 17}
_TERMS = {term.value.lower(): term for term in Term}
_WITH_NUMBER = frozenset({Term.PORT, Term.SOURCE_PORT, Term.DESTINATION_PORT, Term.LENGTH})
_SELECTING = ("every", "from")


ACTIONS = (
    "drop", "duplicate", "delay", "jitter", "swap", "corrupt", "rewrite", "truncate", "rate",
    "loss", "down", "up",
)  # fmt: skip
"""The words of actions."""


class _Word(NamedTuple):
    text: str
    column: int
    """From 1."""
    is_quoted: bool


def parse_rule(text: str) -> Rule:
    """The rule that these words are.

    Raises PointedError, which shows the word that is wrong.
    """
    return _Parser(text).rule()


class _Parser:
    """Takes a rule's words one after another."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = [
            _Word(
                next(group for group in match.groups() if group is not None),
                match.start() + 1,
                match[3] is None,
            )
            for match in _WORD.finditer(text)
        ]
        self._next = 0

    def rule(self) -> Rule:
        way = self._way()
        actions: dict[str, Callable[[], Action]] = {
            "drop": Drop,
            "duplicate": self._duplicate,
            "delay": self._delay,
            "jitter": self._jitter,
            "swap": Swap,
            "corrupt": self._corrupt,
            "rewrite": self._rewrite,
            "truncate": lambda: Truncate(self._number("a number of bytes", 1, 1 << 16)),
            "rate": self._rate,
            "loss": self._loss,
            "down": Down,
            "up": Up,
        }
        word = self._take("an action")
        if word.text not in actions:
            if word.text == "queue":
                self._fail(word, "queue goes with rate: rate 1M queue 10")
            self._unknown(word, "action", actions)
        action = actions[word.text]()
        moment = self._moment() if isinstance(action, Down | Up) else None
        if moment is not None and not moment.after:
            self._end()
            return Rule(self._text, way, action, moment=moment)
        conditions = tuple(self._conditions())
        which = self._which()
        self._end()
        if moment is not None and which == Which():
            which = Which(1, 1)
        return Rule(self._text, way, action, conditions, which, moment)

    def _way(self) -> LinkWay:
        word = self._take("a link, such as client>server")
        ends = word.text.split(">")
        if len(ends) > 2 or not all(ends) or (len(ends) == 1 and "-" not in word.text.strip("-")):
            self._fail(word, "no link; write client>server, or client-server for both ways")
        return LinkWay(word.text)

    def _duplicate(self) -> Action:
        word = self._peek()
        if word is None or not _NUMBER.fullmatch(word.text):
            return Duplicate()
        return Duplicate(self._number("a number of copies", 1, 1000))

    def _delay(self) -> Action:
        delay_ns = self._time()
        jitter_ns, seed = 0, 1
        if self._has("jitter"):
            jitter_ns, seed = self._time(), self._seed()
        return Delay(delay_ns, jitter_ns, seed)

    def _jitter(self) -> Action:
        return Delay(0, self._time(), self._seed())

    def _corrupt(self) -> Action:
        word, match = self._match("a byte's OFFSET or OFFSET:MASK", _CORRUPT)
        mask = int(match[2], 0) if match[2] else 0xFF
        if not 1 <= mask <= 0xFF:
            self._fail(word, "the mask is not from 1 to 0xff")
        return Corrupt(int(match[1]), mask)

    def _rewrite(self) -> Action:
        fields: list[tuple[str, str]] = []
        while (word := self._peek()) is not None and "=" in word.text:
            self._next += 1
            name, _, value = word.text.partition("=")
            if name not in FIELDS:
                self._unknown(word._replace(text=name), "field", FIELDS)
            if wrong := check_value(name, value):
                at = word.column + len(name) + 1
                self._fail(word._replace(text=value, column=at), wrong)
            fields.append((name, value))
        if not fields:
            self._fail(word, "rewrite needs FIELD=VALUE, such as ttl=1")
        return Rewrite(tuple(fields), self._has("raw"))

    def _rate(self) -> Action:
        _, match = self._match("bits a second, such as 500k or 10M", _BITS)
        bits = round(float(match[1]) * _TIMES[match[2]])
        if not bits:
            self._fail(self._words[self._next - 1], "no rate; down stops everything")
        queue = self._number("a number of packets", 1, 1 << 20) if self._has("queue") else None
        return Rate(bits, queue)

    def _loss(self) -> Action:
        word, match = self._match("a percentage, such as 5%", _PERCENT)
        percent = float(match[1])
        if percent > 100:
            self._fail(word, "more than 100%")
        return Loss(percent, self._seed())

    def _seed(self) -> int:
        return self._number("a seed", 0, 1 << 32) if self._has("seed") else 1

    def _moment(self) -> Moment:
        if self._has("at"):
            return Moment(self._time())
        if self._has("after"):
            return Moment(after=True)
        if (word := self._peek()) is not None:
            self._unknown(word, "moment", ("at", "after"))
        return Moment()

    def _conditions(self) -> Iterable[Match]:
        while (word := self._peek()) is not None:
            is_selecting = word.text in _SELECTING or _NUMBER.fullmatch(word.text)
            if is_selecting and not word.is_quoted:
                return
            term = _TERMS.get(word.text.lower())
            if term is None:
                known = [each.value for each in Term]
                self._unknown(word, "match", (*known, *_SELECTING))
            self._next += 1
            if term in _WITH_NUMBER:
                value, match = self._match(f"a number behind {word.text}", _COMPARED)
                number = int(match[2])
                if number > _LARGEST.get(term, 0xFFFF):
                    self._fail(value, "too large")
                yield Match(term, number, match[1] or "=")
            elif term is Term.BPF:
                yield Match(term, expression=self._take("an expression in quotes").text)
            else:
                yield Match(term)

    def _which(self) -> Which:
        most = 1 << 32
        if self._peek() is None:
            return Which()
        if self._has("every"):
            return Which(every=self._number("a number", 1, most))
        if self._has("from"):
            first = self._number("a number", 1, most)
            if not self._has("to"):
                return Which(first)
            last = self._number("a number", 1, most)
            if last < first:
                self._fail(self._words[self._next - 1], f"from {first} to {last} is none")
            return Which(first, last)
        number = self._number("which one", 1, most)
        return Which(number, number)

    def _time(self) -> int:
        _, match = self._match("a time in milliseconds, such as 20, 500us or 1.5s", _TIME)
        return round(float(match[1]) * _TIME_NS[match[2] or "ms"])

    def _number(self, what: str, least: int, most: int) -> int:
        word, match = self._match(what, _NUMBER)
        number = int(match[0])
        if not least <= number <= most:
            self._fail(word, f"not from {least} to {most}")
        return number

    def _match(self, what: str, pattern: re.Pattern[str]) -> tuple[_Word, re.Match[str]]:
        word = self._take(what)
        match = pattern.fullmatch(word.text)
        if match is None:
            self._fail(word, f"{what} is wanted here")
        return word, match

    def _has(self, text: str) -> bool:
        word = self._peek()
        if word is None or word.text != text:
            return False
        self._next += 1
        return True

    def _peek(self) -> _Word | None:
        return self._words[self._next] if self._next < len(self._words) else None

    def _take(self, what: str) -> _Word:
        word = self._peek()
        if word is None:
            self._fail(None, f"{what} is missing")
        self._next += 1
        return word

    def _end(self) -> None:
        if (word := self._peek()) is not None:
            self._fail(word, "one word too many")

    def _unknown(self, word: _Word, what: str, known: Iterable[str]) -> NoReturn:
        names = list(known)
        near = did_you_mean(word.text, names)
        self._fail(word, f"no {what}{near or '; there are: ' + ', '.join(names)}")

    def _fail(self, word: _Word | None, why: str) -> NoReturn:
        start = len(self._text) if word is None else word.column - 1
        end = start if word is None else start + len(word.text) + 2 * word.is_quoted
        where = f"wire rule {self._text!r}, column {start + 1}"
        raise PointedError(where, why, self._text, start, end)
