"""Unix sockets as the kernel lists them, beside what this process knows of its own."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.errors import KernelRefused
from lab.kernel.netlink import unix_diag
from lab.kernel.netlink.dumps import HEADER
from lab.kernel.netlink.unix_diag import UnixSocket, parse_unix_socket, read_unix_sockets
from lab.kernel.system.tcp import STATES, TCP_CLOSE, TCP_LISTEN

pytestmark = pytest.mark.kernel


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def listed(found: socket.socket) -> UnixSocket:
    inode = os.fstat(found.fileno()).st_ino
    sockets = read_unix_sockets()
    if sockets is None:
        pytest.skip("this kernel has no unix_diag (CONFIG_UNIX_DIAG)")
    (seen,) = [each for each in sockets if each.inode == inode]
    return seen


def test_a_listening_socket_has_its_path_and_its_file(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "ünix"
    listener = stack.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(str(path))
    listener.listen(7)
    seen = listed(listener)
    file = path.stat()
    assert (seen.name, seen.is_path, seen.peer_inode) == (str(path), True, None)
    assert (seen.kind, seen.state) == (socket.SOCK_STREAM, TCP_LISTEN)
    assert seen.device == (os.major(file.st_dev), os.minor(file.st_dev))
    assert seen.file_inode == file.st_ino & 0xFFFFFFFF


@pytest.mark.parametrize(("bound", "name"), [(b"wirelab", "wirelab"), (b"w\0\xff", "w\0\\xff")])
def test_an_abstract_name_has_no_file(stack: ExitStack, bound: bytes, name: str) -> None:
    receiver = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    own = f"-{os.getpid()}"
    receiver.bind(b"\0" + bound + own.encode())
    seen = listed(receiver)
    assert (seen.name, seen.is_path, seen.device, seen.file_inode) == (name + own, False, None, 0)
    assert (seen.kind, seen.state) == (socket.SOCK_DGRAM, TCP_CLOSE)


def test_peers_and_what_waits_between_them(stack: ExitStack) -> None:
    one, other = map(stack.enter_context, socket.socketpair(type=socket.SOCK_SEQPACKET))
    one.sendall(b"12345")
    sending, receiving = listed(one), listed(other)
    assert (sending.name, sending.kind) == ("", socket.SOCK_SEQPACKET)
    assert sending.state == receiving.state == STATES.index("ESTABLISHED")
    assert (sending.peer_inode, receiving.peer_inode) == (receiving.inode, sending.inode)
    assert sending.receive_queue == 0 < receiving.receive_queue
    assert receiving.send_queue == 0 < sending.send_queue


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOENT, None), (errno.ENOBUFS, "by sock_diag: ENOBUFS")]
)
def test_a_kernel_without_it_is_no_error(
    monkeypatch: pytest.MonkeyPatch, number: int, said: str | None
) -> None:
    def refuse(*_: object) -> Iterator[bytes]:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(unix_diag, "dump", refuse)
    if said is None:
        assert read_unix_sockets() is None
        return
    with pytest.raises(KernelRefused, match=said):
        read_unix_sockets()


def test_a_message_that_is_cut_short_is_refused() -> None:
    with pytest.raises(struct.error):
        parse_unix_socket(bytes(HEADER.size + 7))
