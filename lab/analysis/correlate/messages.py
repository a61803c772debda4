"""Messages: what was sent whole and is read whole, recognized by length and first bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from lab.analysis.sockets.socket_calls import room_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.analysis.calls.system_call import SystemCall

Token = TypeVar("Token")

_VECTORS = ("recvmsg", "readv", "preadv2")


class Messages(Generic[Token]):
    """Messages on their way, in order, each with something that stands for it.

    The earliest that fits is taken. Messages that look alike may so be taken for each other,
    but none for one that came after the one it is: nothing is said to be read too early.
    """

    __slots__ = ("_by_length",)

    def __init__(self) -> None:
        self._by_length: dict[int, list[tuple[bytes, Token]]] = {}

    def add(self, length: int, data: bytes, token: Token) -> None:
        """Put a message behind the others; of `data` there may be the first bytes only."""
        self._by_length.setdefault(length, []).append((data, token))

    def take(
        self, length: int, data: bytes, fits: Callable[[Token], bool] = lambda token: True
    ) -> Token | None:
        """Take out the first message of this length and these first bytes."""
        waiting = self._by_length.get(length, [])
        for at, (sent, token) in enumerate(waiting):
            if _agree(sent, data) and fits(token):
                del waiting[at]
                return token
        return None

    def take_cut(self, length: int, data: bytes) -> Token | None:
        """Take out the first message of those that are longer and begin so."""
        for each in sorted(self._by_length):
            token = self.take(each, data) if each > length else None
            if token is not None:
                return token
        return None


def take_read(messages: Messages[Token], call: SystemCall) -> Token | None:
    """The message that a call returned; it may have had room for the first bytes only.

    How much room a struct iovec[] has is unknown.
    """
    found = messages.take(call.moved, call.data)
    if found is None and (call.moved == room_of(call) or (call.data and call.name in _VECTORS)):
        return messages.take_cut(call.moved, call.data)
    return found


def _agree(one: bytes, other: bytes) -> bool:
    common = min(len(one), len(other))
    return one[:common] == other[:common]
