"""Constructors of decoded calls and endpoints, for tests of what is joined with them."""

from __future__ import annotations

from collections.abc import Mapping

from event_ids import event
from shown import address, argument

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.sockets.endpoint import Endpoint
from lab.model.event import EventId, EventKind


def decoded(
    number: int,
    name: str,
    at: tuple[int, int | None],
    *,
    socket: str = "s1",
    moved: int = 0,
    result: int | None = None,
    error: str = "",
    data: bytes = b"",
    tid: int = 1,
    program: str = "client",
    arguments: Mapping[str, str] | None = None,
    descriptor: int | None = 3,
) -> SystemCall:
    """A call; its result is what it moved, and -1 where it failed, unless another is given."""
    entry, end = at
    if result is None and end is not None:
        result = -1 if error else moved
    texts = tuple(argument(name, text) for name, text in (arguments or {}).items())
    return SystemCall(
        id=EventId(EventKind.SYSTEM_CALL, number, program), program=program, host=program,
        pid=tid, tid=tid, name=name, arguments=texts, entry_ns=entry, exit_ns=end,
        result=result, error=error, data=data,
        moved=moved, descriptor=descriptor, socket=socket,
    )  # fmt: skip


def unix(
    id: str, peer: str = "", type: str = "SOCK_STREAM", local: str = "", remote: str = ""
) -> Endpoint:
    """A unix socket."""
    return Endpoint(
        id=id, program="client", host="client", domain="AF_UNIX", type=type, protocol="unix",
        local=address(local), remote=address(remote), listening=False,
        made_by=event("client#1"), peer=peer,
    )  # fmt: skip


def pipe(id: str, type: str, peer: str) -> Endpoint:
    """A pipe's "read" or "write" end."""
    return Endpoint(
        id=id, program="client", host="client", domain="pipe", type=type, protocol="pipe",
        local=None, remote=None, listening=False, made_by=event("client#1"), peer=peer,
    )  # fmt: skip
