"""Why a unix socket's name could not be bound, or led to nobody; and what is near to that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t
from causes_found import causes_in, causes_of

from lab.analysis.causes.facts.cause import Cause
from lab.records import Memory, Recording, Syscall

RUN = s.recording_of("traced-unix4")
ENOENT, EACCES, EINVAL, EROFS, EPROTOTYPE, EADDRINUSE, ECONNREFUSED = 2, 13, 22, 30, 91, 98, 111
UNIX = {
    *("unix-no-file", "unix-nobody", "unix-name-in-use", "unix-another-type"),
    *("unix-not-allowed", "unix-name-too-long"),
}


def found(run: Recording) -> Mapping[str, Cause]:
    causes = causes_in(run, "conversation")
    return {name: cause for name, cause in causes.items() if name in UNIX}


def sockaddr(name: bytes) -> tuple[Memory, ...]:
    data = b"\1\0" + name
    return (Memory(1, "", False, data, len(data)),)


def connecting(errno: int, name: bytes = b"", entry_ns: int = 0) -> Recording:
    """The client's connect(2) failed, perhaps to another name or at another time."""

    def fails(call: Syscall) -> Syscall:
        memory = sockaddr(name) if name else call.memory
        at_ns = entry_ns or call.entry_ns
        return replace(call, result=-errno, memory=memory, entry_ns=at_ns, exit_ns=at_ns + 1)

    return t.changed("client", "connect", fails)(RUN)


def test_of_abstract_names_the_host_is_said() -> None:
    cause = causes_of("traced-unix4", "abstract")["unix-nobody"]
    assert cause.text == (
        "far-client#2 (connect) fails with ECONNREFUSED: abstract-server has bound the abstract "
        "name @wirelab on server (abstract-server#2), and such a name is known in its own network "
        "namespace alone, not on client."
    )


def test_a_name_that_is_in_use_and_one_that_is_left_over() -> None:
    causes = causes_of("traced-unix4", "names")
    assert list(causes["unix-name-in-use"].evidence)
    assert "fails with EADDRINUSE: another socket of" in causes["unix-name-in-use"].text
    assert causes["unix-nobody"].text.startswith(
        "path#15 (connect) fails with ECONNREFUSED: path had bound a socket to "
        "/run/wirelab/names/path (path#2), and path#12 (close) closed it"
    )
    assert "path#8 (connect) fails with EACCES" in causes["unix-not-allowed"].text


def test_a_file_that_is_not_there_is_named_with_what_is_like_it() -> None:
    text = found(connecting(ENOENT, b"/tmp/conversation"))["unix-no-file"].text
    assert "there is no file /tmp/conversation. server has bound a socket to /run/wirelab/" in text
    text = found(connecting(ENOENT, b"/tmp/nothing"))["unix-no-file"].text
    assert text.endswith("there is no file /tmp/nothing.")
    bound = t.call_of(RUN, "server", "bind")
    early = found(connecting(ENOENT, entry_ns=bound.entry_ns - 2_000_000))["unix-no-file"].text
    assert early.endswith("server binds a socket to it 2.000 ms later (server#2).")


@pytest.mark.parametrize(
    "name", [b"/var/run/nscd/socket", b"/dev/log", b"/run/systemd/userdb/io.systemd.Machine"]
)
def test_a_librarys_search_for_a_daemon_is_no_surprise(name: bytes) -> None:
    assert not found(connecting(ENOENT, name))
    assert not found(connecting(ECONNREFUSED, name))


def test_who_does_not_listen_is_named() -> None:
    listen = t.call_of(RUN, "server", "listen")
    run = connecting(ECONNREFUSED, entry_ns=listen.entry_ns - 1)
    assert "(listen) came 0.000 ms later" in found(run)["unix-nobody"].text
    never = t.unseen("server", "listen", "accept4")(connecting(ECONNREFUSED))
    assert "never called listen()" in found(never)["unix-nobody"].text
    assert "unix-nobody" not in found(connecting(ECONNREFUSED)), "it listens: not known why"


def test_a_file_of_nobodys_is_left_over() -> None:
    run = connecting(ECONNREFUSED, b"/tmp/old")
    assert "no socket of this run was bound to it" in found(run)["unix-nobody"].text
    abstract = connecting(ECONNREFUSED, b"\0mine")
    assert "no socket of" in found(abstract)["unix-nobody"].text
    as_a_file = connecting(ECONNREFUSED, b"\0/run/wirelab/conversation")
    assert "has bound one to the file /run/wirelab/con" in found(as_a_file)["unix-nobody"].text


def test_sockets_of_two_types_are_not_connected() -> None:
    def datagrams(call: Syscall) -> Syscall:
        return replace(call, arguments=(1, 2, 0))

    run = t.changed("client", "socket", datagrams)(connecting(EPROTOTYPE))
    text = found(run)["unix-another-type"].text
    assert "its socket is a SOCK_DGRAM (client#1), and that of server" in text
    assert "a SOCK_STREAM (server#1)" in text
    assert "unix-another-type" not in found(connecting(EPROTOTYPE)), "both are streams"


@pytest.mark.parametrize(
    ("errno", "text"),
    [
        (EACCES, "connecting takes write permission on the socket's file"),
        (EROFS, "the file system of /run/wirelab is read-only for client"),
    ],
)
def test_what_modes_and_mounts_forbid(errno: int, text: str) -> None:
    assert text in found(connecting(errno))["unix-not-allowed"].text
    assert not found(connecting(errno, b"\0mine")), "a name that is no file has no mode"


@pytest.mark.parametrize(("length", "is_met"), [(110, False), (111, True)])
def test_a_name_may_be_too_long(length: int, is_met: bool) -> None:
    def longer(call: Syscall) -> Syscall:
        return replace(call, arguments=(*call.arguments[:2], length))

    run = t.changed("client", "connect", longer)(connecting(EINVAL))
    assert ("unix-name-too-long" in found(run)) is is_met


def test_a_folder_that_is_not_there() -> None:
    def fails(call: Syscall) -> Syscall:
        return replace(call, result=-ENOENT, memory=sockaddr(b"/tmp/no/socket"))

    text = found(t.changed("server", "bind", fails)(RUN))["unix-no-file"].text
    assert "there is no folder /tmp/no in which to make the file" in text


def test_a_conversation_that_goes_well_has_no_cause() -> None:
    assert not found(RUN)
