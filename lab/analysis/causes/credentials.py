"""Why a peer's uid is not the one it runs as: user namespaces. Source: user_namespaces(7)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.calls.options import SO_PEERCRED
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.syscalls.memory import SCM_CREDENTIALS, SOL_SOCKET, control_messages

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall

_CREDENTIALS = struct.Struct("<iII")
"""struct ucred: pid, uid, gid. Source: unix(7)."""
_CHANGES = frozenset({"CAP_SETUID"})
_OVERFLOW, _NOBODY = 65_534, 0xFFFFFFFF
"""What stands for a uid without a mapping (/proc/sys/kernel/overflowuid), and for no process."""


def peer_credentials(facts: StepFacts) -> Iterator[Cause]:
    """The uids that calls read of a peer of the run, where they are not the run's.

    A program of the run can take no other uid: it has no CAP_SETUID, and no set-user-ID file
    changes that (no_new_privs). In a user namespace of its own it may have the same by another
    number.
    """
    ran_as = facts.timeline.recording.ran_as
    # A scenario's programs may have capabilities of their own, which no recording tells.
    if ran_as is None or facts.timeline.recording.source:
        return
    if _CHANGES.intersection(ran_as.capabilities):
        return
    for call in facts.timeline.system_calls:
        found = None if call.error else _credentials(call)
        socket = facts.timeline.endpoint_of.get(call.socket) if found else None
        peer = None if socket is None else facts.timeline.endpoint_of.get(socket.peer)
        if found is None or peer is None or peer.domain != "AF_UNIX":
            continue
        what, uid = found
        if uid not in (ran_as.uid, _NOBODY):
            yield _cause(facts, call, peer.program, what, uid, ran_as.uid)


def _cause(
    facts: StepFacts, call: SystemCall, peer: str, what: str, uid: int, really: int
) -> Cause:
    if uid == _OVERFLOW:
        name = "uid-not-mapped"
        why = (
            f"in which uid {really} is mapped to none, and {_OVERFLOW} (overflowuid) stands for it"
        )
    else:
        name = "uid-mapped"
        why = f"in which uid {really} is called {uid}"
    there = facts.timeline.endpoint_of[facts.timeline.endpoint_of[call.socket].peer]
    return Cause(
        name,
        f"{named(call)} reads uid {uid} of {peer} ({what}), which runs as uid {really}: "
        f"{call.program} is in a user namespace of its own, {why}.",
        call.program,
        known_ids(there.made_by, call),
        f"unix(7), {what}; user_namespaces(7)",
        Surprise.ELSEWHERE,
    )


def _credentials(call: SystemCall) -> tuple[str, int] | None:
    """What it read a peer's uid from, and the uid."""
    if call.name == "getsockopt" and call.option == SO_PEERCRED:
        given = call.argument("optval")
        return _uid("SO_PEERCRED", b"" if given is None or given.value is None else given.value)
    message = call.argument("msg") if call.name == "recvmsg" else None
    for level, kind, data in control_messages(message.value if message and message.value else b""):
        if (level, kind) == (SOL_SOCKET, SCM_CREDENTIALS):
            return _uid("SCM_CREDENTIALS", data)
    return None


def _uid(what: str, data: bytes) -> tuple[str, int] | None:
    if len(data) < _CREDENTIALS.size:
        return None
    pid, uid, _ = _CREDENTIALS.unpack_from(data)
    # Without a process nobody's credentials came: SO_PASSCRED was set after the peer had sent.
    return (what, uid) if pid else None
