"""What a program printed of its own calls, read back.

The demos print each call with its result, as strace does:

    send(3, b'Hello. ') = 7
    recv(3, b'', 4096) = 0
    connect(3, ('198.51.100.2', 9)) = -1 ECONNREFUSED
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable

from lab.frozen import frozen
from lab.model.event import EventId, EventKind
from lab.records import ProgramRun

_CALL = re.compile(
    r"(?P<call>(?P<name>[a-z_0-9]+)\((?P<arguments>.*)\)) = (?P<result>-?[0-9]{1,19})(?P<more>| .*)"
)


SEND_CALLS = frozenset({"send", "sendall", "sendto", "sendmsg", "write"})
READ_CALLS = frozenset({"recv", "recvfrom", "recvmsg", "read"})


@frozen
class PrintedCall:
    """A call that a program made, as the program printed it."""

    program: str
    number: int
    """From 1, counting the program's calls."""
    name: str
    text: str
    """The call as printed, without its result."""
    arguments: tuple[object, ...]
    """Python values; a word that is none (AF_INET) as str."""
    result: int
    error: str
    """The errno's name where the call failed; "" else."""

    @property
    def id(self) -> EventId:
        """What evidence names it by."""
        return EventId(EventKind.PRINTED_CALL, self.number, self.program)

    @property
    def said(self) -> str:
        """In words: "client printed send(3, b'Hello. ') = 7"."""
        outcome = f"{self.result} {self.error}" if self.error else str(self.result)
        return f"{self.program} printed {self.text} = {outcome}"

    def argument(self, place: int) -> object:
        """One of its arguments; "" where it printed fewer."""
        try:
            return self.arguments[place]
        except IndexError:
            return ""

    @property
    def data(self) -> bytes:
        """The bytes among its arguments; empty where there are none."""
        return next((a for a in self.arguments if isinstance(a, bytes)), b"")


def sends_of(calls: Iterable[PrintedCall]) -> tuple[PrintedCall, ...]:
    """The calls that sent something, in order."""
    return tuple(call for call in calls if call.name in SEND_CALLS and call.result >= 0)


def reads_of(calls: Iterable[PrintedCall]) -> tuple[PrintedCall, ...]:
    """The calls that read something, or met the end, in order."""
    return tuple(call for call in calls if call.name in READ_CALLS and call.result >= 0)


def sent_bytes(sends: Iterable[PrintedCall]) -> bytes:
    """What the calls sent: of each, as much as it returned."""
    return b"".join(call.data[: call.result] for call in sends)


def parse_transcript(run: ProgramRun) -> tuple[PrintedCall, ...]:
    """The calls in a program's standard output; lines that are none are passed over.

    Foreign programs print what they like, so that a line of another form is no error.
    """
    calls: list[PrintedCall] = []
    for line in run.stdout.splitlines():
        match = _CALL.fullmatch(line)
        arguments = _parse_arguments(match["arguments"]) if match else None
        if match is None or arguments is None:
            continue
        calls.append(
            PrintedCall(
                program=run.name,
                number=len(calls) + 1,
                name=match["name"],
                text=match["call"],
                arguments=arguments,
                result=int(match["result"]),
                error=match["more"].strip(),
            )
        )
    return tuple(calls)


def _parse_arguments(text: str) -> tuple[object, ...] | None:
    """The values of an argument list; None where it is not one."""
    try:
        # What a program prints is no source of the lab's, whose style Python might remark on.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call = ast.parse(f"f({text})", mode="eval").body
        if not isinstance(call, ast.Call) or call.keywords:
            return None
        return tuple(map(_value, call.args))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> object:
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return ast.unparse(node)
    return value
