"""Why a name of a unix socket could not be bound, or led to no socket. Source: unix(7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.calls.why import unix_name_of
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.model.address import UnixName

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.causes.calls.why import Why
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.model.event import EventId

_REACHES = ("connect", "sendto", "sendmsg")
_SYSTEMS, _OURS = ("/run", "/var", "/dev"), "/run/wirelab"
"""Libraries look for their daemons' sockets there, and do without."""
_MOST_BYTES = 110
"""Of a struct sockaddr_un: the family, and 108 of sun_path."""


def _bound(facts: StepFacts) -> Iterator[tuple[Endpoint, SystemCall, UnixName]]:
    """The unix sockets that were bound, by which call and to which name."""
    for endpoint in facts.timeline.endpoints:
        if endpoint.protocol == "unix" and not endpoint.listener:
            for call in facts.calls_on(endpoint, "bind"):
                name = unix_name_of(call)
                if name is not None:
                    yield endpoint, call, name


def owner_of(
    facts: StepFacts, call: SystemCall, name: UnixName
) -> tuple[Endpoint, SystemCall] | None:
    """The socket that last was bound to the name before a call; abstract ones of its host alone."""
    found = None
    for endpoint, bind, own in _bound(facts):
        is_there = not name.is_abstract or endpoint.host == call.host
        if own == name and is_there and bind.entry_ns < call.entry_ns:
            found = endpoint, bind
    return found


def _is_of_the_system(facts: StepFacts, name: UnixName) -> bool:
    """Whether a library may have looked for it that does without."""
    if not name.is_below(*_SYSTEMS) or name.is_below(_OURS):
        return False
    return all(own != name for _, _, own in _bound(facts))


def _no_file(facts: StepFacts, call: SystemCall) -> Cause | None:
    """ENOENT: no file has the name, or its folder is not there. Source: unix(7); connect(2)."""
    name = unix_name_of(call)
    if name is None or _is_of_the_system(facts, name):
        return None
    if call.name == "bind":
        what = f"there is no folder {name.folder} in which to make the file"
        said, events = "", known_ids()
    else:
        what = f"there is no file {name.name}"
        said, events = _near(facts, call, name)
    return Cause(
        "unix-no-file",
        f"{named(call)} fails with ENOENT: {what}.{said}",
        call.program,
        known_ids(call, *events),
        "unix(7), ENOENT; path_resolution(7)",
        Surprise.HIDDEN if said else Surprise.SAID,
    )


def _near(facts: StepFacts, call: SystemCall, name: UnixName) -> tuple[str, tuple[EventId, ...]]:
    """What sockets of the run are bound to that is like the name."""
    for endpoint, bind, own in _bound(facts):
        if own == name and bind.entry_ns > call.entry_ns:
            late = ms(bind.entry_ns - call.entry_ns)
            return f" {endpoint.program} binds a socket to it {late} later ({bind.id}).", (bind.id,)
        if own == name:
            return (
                f" {endpoint.program} had bound a socket to it ({bind.id}), and the file has been "
                "removed since.",
                (bind.id,),
            )
        if own.is_abstract and own.name == name.name:
            return (
                f" {endpoint.program} has bound the abstract name {own} ({bind.id}), which is no "
                "file: it begins with a null byte.",
                (bind.id,),
            )
    for endpoint, bind, own in _bound(facts):
        if not own.is_abstract and own.file == name.file:
            return f" {endpoint.program} has bound a socket to {own} ({bind.id}).", (bind.id,)
    return "", ()


def _nobody(facts: StepFacts, call: SystemCall) -> Cause | None:
    """ECONNREFUSED: nobody is behind the name. Source: unix(7), ECONNREFUSED."""
    name = unix_name_of(call)
    if name is None or not facts.is_traced or _is_of_the_system(facts, name):
        return None
    owner = owner_of(facts, call, name)
    if owner is not None:
        said = _not_listening(facts, call, name, *owner)
        if said is None:
            return None
        text, events = said
    elif name.is_abstract:
        text, events = _abstract(facts, call, name)
    else:
        text, events = (
            f"there is a file {name}, and no socket of this run was bound to it: it may be left "
            "over from an earlier one, as close(2) does not remove it",
            (),
        )
    return Cause(
        "unix-nobody",
        f"{named(call)} fails with ECONNREFUSED: {text}.",
        call.program,
        known_ids(call, *events),
        "unix(7); connect(2), ECONNREFUSED",
        Surprise.ELSEWHERE if events else Surprise.HIDDEN,
    )


def _not_listening(
    facts: StepFacts, call: SystemCall, name: UnixName, socket: Endpoint, bind: SystemCall
) -> tuple[str, tuple[EventId, ...]] | None:
    listen, closed = facts.listen_call(socket), facts.last_close(socket)
    ended_ns = facts.ended_ns(socket)
    if ended_ns < call.entry_ns:
        how = f"{socket.program} ended" if closed is None else f"{named(closed)} closed it"
        left = "" if name.is_abstract else "; the file stays until somebody calls unlink(2)"
        return (
            f"{socket.program} had bound a socket to {name} ({bind.id}), and {how} "
            f"{ms(call.entry_ns - ended_ns)} before{left}",
            known_ids(bind, closed),
        )
    if socket.type == "SOCK_DGRAM":
        return None
    if listen is None:
        return (
            f"{socket.program} has bound a socket to {name} ({bind.id}), and never called listen()",
            (bind.id,),
        )
    if listen.entry_ns > call.entry_ns:
        late = ms(listen.entry_ns - call.entry_ns)
        return (
            f"{socket.program} has bound a socket to {name} ({bind.id}), and {named(listen)} came "
            f"{late} later",
            known_ids(bind, listen),
        )
    return None


def _abstract(
    facts: StepFacts, call: SystemCall, name: UnixName
) -> tuple[str, tuple[EventId, ...]]:
    for endpoint, bind, own in _bound(facts):
        if own == name and endpoint.host != call.host:
            return (
                f"{endpoint.program} has bound the abstract name {name} on {endpoint.host} "
                f"({bind.id}), and such a name is known in its own network namespace alone, not "
                f"on {call.host}",
                (bind.id,),
            )
        if own == name:
            late = ms(bind.entry_ns - call.entry_ns)
            return f"{endpoint.program} binds {name} {late} later ({bind.id})", (bind.id,)
        if own.name == name.name:
            return (
                f"no socket has the abstract name {name}; {endpoint.program} has bound one to the "
                f"file {own} ({bind.id})",
                (bind.id,),
            )
    return f"no socket of {call.host} has the abstract name {name}", ()


def _taken(facts: StepFacts, call: SystemCall) -> Cause | None:
    """bind(2) with EADDRINUSE: the file is there, or a socket has the name. Source: unix(7)."""
    name = unix_name_of(call)
    if name is None or not facts.is_traced:
        return None
    owner = owner_of(facts, call, name)
    if owner is None and name.is_abstract:
        return None
    if owner is None:
        text = (
            f"there is a file {name} already, to which no socket of this run was bound: left over "
            "from an earlier one, or another file. unlink(2) it first"
        )
        events: tuple[EventId, ...] = ()
    else:
        socket, bind = owner
        closed, ended_ns = facts.last_close(socket), facts.ended_ns(socket)
        events = known_ids(bind, closed)
        if ended_ns >= call.entry_ns:
            text = f"another socket of {socket.program} is bound to {name} ({bind.id})"
            events = known_ids(bind)
        elif name.is_abstract:
            return None
        else:
            how = f"{socket.program} ended" if closed is None else f"{named(closed)} closed it"
            text = (
                f"{socket.program} had bound a socket to {name} ({bind.id}), and the file is still "
                f"there though {how}: unlink(2) it first"
            )
    return Cause(
        "unix-name-in-use",
        f"{named(call)} fails with EADDRINUSE: {text}.",
        call.program,
        known_ids(call, *events),
        "unix(7), EADDRINUSE; bind(2)",
        Surprise.HIDDEN,
    )


def _another_type(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EPROTOTYPE: the two sockets are of different types. Source: unix(7), EPROTOTYPE."""
    name, socket = unix_name_of(call), facts.timeline.endpoint_of.get(call.socket)
    owner = None if name is None else owner_of(facts, call, name)
    if owner is None or socket is None or owner[0].type == socket.type:
        return None
    other, bind = owner
    return Cause(
        "unix-another-type",
        f"{named(call)} fails with EPROTOTYPE: its socket is a {socket.type} ({socket.made_by}), "
        f"and that of {other.program} on {name} a {other.type} ({other.made_by}).",
        call.program,
        known_ids(call, socket.made_by, bind),
        "unix(7), EPROTOTYPE",
        Surprise.HIDDEN,
    )


def _not_allowed(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EACCES or EROFS: what the files' owners and modes forbid. Source: unix(7), EACCES."""
    name, who = unix_name_of(call), facts.timeline.recording.ran_as
    if name is None or name.is_abstract or _is_of_the_system(facts, name):
        return None
    user = "" if who is None else f" ({call.program} ran as {who.user}, uid {who.uid})"
    owner = owner_of(facts, call, name)
    if call.error == "EROFS":
        places = "" if who is None else f"; it may write to {', '.join(who.writable) or 'none'}"
        text = f"the file system of {name.folder} is read-only for {call.program}{places}"
    elif call.name == "bind":
        text = f"{call.program} may not make a file in {name.folder}{user}"
    else:
        whose = "" if owner is None else f", which {owner[0].program} made ({owner[1].id})"
        text = (
            f"{call.program} may not write to {name}{whose}, or not search a folder above it{user}:"
            " connecting takes write permission on the socket's file"
        )
    return Cause(
        "unix-not-allowed",
        f"{named(call)} fails with {call.error}: {text}.",
        call.program,
        known_ids(call, owner[1] if owner else None),
        "unix(7), EACCES; path_resolution(7)",
        Surprise.HIDDEN,
    )


def _too_long(facts: StepFacts, call: SystemCall) -> Cause | None:
    """EINVAL: the address is longer than a struct sockaddr_un. Source: unix(7)."""
    socket, length = facts.timeline.endpoint_of.get(call.socket), call.number("addrlen")
    if socket is None or socket.protocol != "unix" or length is None or length <= _MOST_BYTES:
        return None
    return Cause(
        "unix-name-too-long",
        f"{named(call)} fails with EINVAL: its address has {length} bytes, and a struct "
        f"sockaddr_un {_MOST_BYTES}, 108 of them for the name with its null byte.",
        call.program,
        (call.id,),
        "unix(7), sun_path",
        Surprise.HIDDEN,
    )


WHY: dict[tuple[str, str], Why] = {
    ("bind", "ENOENT"): _no_file,
    ("bind", "EADDRINUSE"): _taken,
    **{(name, "ENOENT"): _no_file for name in _REACHES},
    **{(name, "ECONNREFUSED"): _nobody for name in _REACHES},
    **{(name, "EPROTOTYPE"): _another_type for name in _REACHES},
    **{
        (name, error): _not_allowed for name in ("bind", *_REACHES) for error in ("EACCES", "EROFS")
    },
    **{(name, "EINVAL"): _too_long for name in ("bind", "connect", "sendto")},
}
