"""Addresses as the kernel hands them out."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from ptraced import Traced, python

from lab.kernel.trace.ptrace.socket_samples import address_of

INET6 = socket.AF_INET6.to_bytes(2, "little") + (443).to_bytes(2, "big") + bytes(4)
SCOPE = (7).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (b"\x02\x00\x10\x92\xc6\x33\x64\x01" + bytes(8), ("198.51.100.1", 4242)),
        (INET6 + socket.inet_pton(socket.AF_INET6, "2001:db8::1") + SCOPE, ("2001:db8::1", 443)),
        (INET6 + socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.1") + SCOPE, ("192.0.2.1", 443)),
        (INET6 + bytes(16) + SCOPE, ("::", 443)),
        (b"\x01\x00/run/wirelab/socket", None),
        (b"", None),
    ],
)
def test_an_address_is_shown_with_its_port(name: bytes, address: tuple[str, int] | None) -> None:
    assert address_of(name) == address


def test_a_name_cut_short_is_no_address() -> None:
    for whole in (b"\x02\x00\x10\x92\xc6\x33\x64\x01", INET6 + bytes(16)):
        assert address_of(whole) is not None
        for length in range(len(whole)):
            assert address_of(whole[:length]) is None


CLOSING = """
import os, socket, sys
with socket.create_server(("127.0.0.1", 0), backlog=5) as listener:
    client = socket.create_connection(listener.getsockname())
    accepted, _ = listener.accept()
    waiting = socket.create_connection(listener.getsockname())
    client.sendall(b"unread")
    client.close()
    names = [f"inode {os.fstat(each.fileno()).st_ino}" for each in (listener, accepted, waiting)]
    print(names, flush=True)
accepted.close()
os._exit(0)
"""


@pytest.mark.kernel
@pytest.mark.usefixtures("needs_ptrace")
def test_what_a_socket_had_is_read_as_it_is_closed_or_its_program_ends(
    traced: Callable[..., Traced],
) -> None:
    done = traced(*python(CLOSING))
    listener, accepted, waiting = done.said
    by_name = {each.socket: each for each in done.trace.closings}
    assert {each.moment for each in by_name.values()} == {"close"}
    held = by_name[listener]
    assert (held.state, held.receive_queue, held.send_queue, held.info) == ("LISTEN", 1, 5, None)
    held = by_name[accepted]
    assert (held.state, held.receive_queue) == ("CLOSE_WAIT", len(b"unread"))
    assert held.info is not None
    assert held.info.bytes_received >= len(b"unread")
    # The last is never closed: its program ends with it.
    held = by_name[waiting]
    assert (held.receive_queue, held.send_queue, held.step) == (0, 0, "the step")
