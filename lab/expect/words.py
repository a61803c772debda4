"""Expectations in words, as the command line has them: `no-reset`, `round-trips<=2`."""

from __future__ import annotations

import re
from collections.abc import Callable

from lab.errors import PointedError, UsageError, did_you_mean
from lab.expect import calls, frames, tcp
from lab.expect.expectation import Expectation
from lab.expect.snapshot import looks_like
from lab.expect.values import at_least
from lab.frozen import frozen

_SHAPE = re.compile(r"([A-Za-z-]*)(?:(<=|[:=])(.*))?", re.DOTALL)
_MILLISECONDS = re.compile(r"(\d+(?:\.\d+)?)(ms|s)?")
_ANY = tcp.WhichConnections()


@frozen
class Word:
    """One expectation of the command line."""

    form: str
    """ "round-trips<=N"."""
    means: str
    """What is expected, in a sentence."""
    make: Callable[[str], Expectation]
    """From what stands behind the sign. Raises UsageError."""
    sign: str = ""
    """What stands between the name and the rest; "" where there is no rest."""
    is_optional: bool = False
    """Whether the rest may be left out."""


def parse_expectation(text: str) -> Expectation:
    """The expectation that these words are. Raises PointedError, which shows what is wrong."""
    match = _SHAPE.fullmatch(text)
    name, sign, rest = (match[1], match[2] or "", match[3] or "") if match else (text, "", "")
    word = WORDS.get(name)
    if word is None:
        where = (0, len(name) or len(text))
        hint = did_you_mean(name, WORDS) or "; `wirelab expect --list` has all"
        raise _wrong(text, f"there is no such expectation{hint}", *where)
    place = len(name) + len(sign)
    if sign != word.sign and not (word.is_optional and not sign):
        raise _wrong(text, f"write {word.form}", len(name), max(place, len(name) + 1))
    if word.sign and not rest and not (word.is_optional and not sign):
        raise _wrong(text, f"write {word.form}", place, place)
    try:
        return word.make(rest)
    except UsageError as error:
        raise _wrong(text, str(error), place, len(text)) from None


def _wrong(text: str, what: str, start: int, end: int) -> PointedError:
    return PointedError("--expect", what, text, start, end)


def _number(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise UsageError("this is no number")
    return int(text)


def _halves(text: str, sign: str, wanted: str) -> tuple[str, str]:
    before, found, behind = text.partition(sign)
    if not (before and found and behind):
        raise UsageError(f"write {wanted}")
    return before, behind


def _program_and_call(text: str) -> tuple[str, str]:
    """ "server:shutdown", or "shutdown" of any program."""
    program, _, call = text.rpartition(":")
    return program, call


def _bytes(text: str) -> Expectation:
    wanted: tcp.Amount
    if match := re.fullmatch(r"(\w+)>=(\d{1,12})", text):
        side, wanted = match[1], at_least(int(match[2]))
    else:
        side, value = _halves(text, "=", "client=N, server>=N, or client=TEXT")
        wanted = int(value) if re.fullmatch(r"\d{1,12}", value) else value
    if side == "client":
        return tcp.transfers(_ANY, client=wanted)
    if side == "server":
        return tcp.transfers(_ANY, server=wanted)
    raise UsageError("the side is client or server")


def _exits(text: str) -> Expectation:
    program, status = _halves(text, "=", "PROGRAM=STATUS")
    if not re.fullmatch(r"-?\d{1,3}", status):
        raise UsageError("the status is a number; of a signal -15")
    return calls.exits(program, int(status))


def _returns(text: str) -> Expectation:
    name, limit = _halves(text, "<=", "CALL<=50ms")
    match = _MILLISECONDS.fullmatch(limit)
    if match is None:
        raise UsageError("the time is a number of ms or s: 50ms")
    milliseconds = float(match[1]) * (1000 if match[2] == "s" else 1)
    return calls.returns_within(*_program_and_call(name), milliseconds)


WORDS: dict[str, Word] = {
    "handshake": Word(
        "handshake",
        "Each TCP connection opens with SYN, SYN-ACK and ACK.",
        lambda _: tcp.handshake(_ANY),
    ),
    "no-reset": Word(
        "no-reset", "No TCP connection is ended by a RST.", lambda _: tcp.no_reset(_ANY)
    ),
    "closes-with-fin": Word(
        "closes-with-fin[:WHO]",
        "Each ends with a FIN from both sides, acknowledged; WHO sends the first: client, server "
        "or a host.",
        lambda rest: tcp.closes_with_fin(_ANY, rest),
        ":",
        True,
    ),
    "round-trips": Word(
        "round-trips<=N",
        "Each takes N round trips at most: the handshake, and each request with its answer.",
        lambda rest: tcp.round_trips(_ANY, _number(rest)),
        "<=",
    ),
    "retransmissions": Word(
        "retransmissions<=N",
        "Each has N segments at most that carry what was sent before.",
        lambda rest: tcp.retransmissions(_ANY, _number(rest)),
        "<=",
    ),
    "bytes": Word(
        "bytes:client=N, bytes:server>=N, bytes:server=TEXT",
        "Each carries so many bytes from that side, or at least so many, or these.",
        _bytes,
        ":",
    ),
    "no-clear-text": Word(
        "no-clear-text:TEXT",
        "TEXT is in no frame, and in no TCP stream across its segments.",
        frames.no_clear_text,
        ":",
    ),
    "nothing-on": Word(
        "nothing-on:INTERFACE",
        "No frame on this interface of any host, lo, or of one, client/lo.",
        lambda rest: frames.are_counted(frames.Among(on=rest), 0, 0),
        ":",
    ),
    "silent": Word(
        "silent",
        "Not one frame on any link, proven by canary frames before and after.",
        lambda _: frames.silent(),
    ),
    "looks-like": Word(
        "looks-like:SNAPSHOT",
        "The conversation has the shape of this text; --snapshot FILE takes it from a file.",
        looks_like,
        ":",
    ),
    "never": Word(
        "never:[PROGRAM:]CALL",
        "The program, or any, never makes this system call: never:server:shutdown.",
        lambda rest: calls.never_calls(*_program_and_call(rest)),
        ":",
    ),
    "calls": Word(
        "calls:[PROGRAM:]CALL",
        "The program, or some, makes this system call.",
        lambda rest: calls.makes_call(*_program_and_call(rest)),
        ":",
    ),
    "returns": Word(
        "returns:[PROGRAM:]CALL<=TIME",
        "Each such system call returns within that time: returns:connect<=50ms.",
        _returns,
        ":",
    ),
    "exits": Word("exits:PROGRAM=STATUS", "The program ends with this exit status.", _exits, ":"),
    "prints": Word(
        "prints:PROGRAM=TEXT",
        "The program's standard output has TEXT.",
        lambda rest: calls.prints(*_halves(rest, "=", "PROGRAM=TEXT")),
        ":",
    ),
}
"""By name."""
