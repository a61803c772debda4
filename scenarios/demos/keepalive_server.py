"""A TCP server that welcomes its client, and then says nothing while it waits for more.

By hand:    python3 keepalive_server.py 127.0.0.1 4242 no-keepalive
and then:   python3 keepalive_client.py 127.0.0.1 4242

An IPv6 address (::1) makes both use AF_INET6. With `keepalive` it wants to know as well, as the
client does, whether the other is still there. Where the environment has READY_FD, a line is
written to that descriptor once the server listens.
"""

import errno
import os
import socket
import sys

READ_SIZE = 4096
OPTIONS = (("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 2))


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port, how):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(domain, socket.SOCK_STREAM)
    number = listener.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    listener.bind((address, port))
    show(f"bind({number}, {(address, port)})", 0)
    listener.listen(1)
    show(f"listen({number}, 1)", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")

    connection, peer = listener.accept()
    show(f"accept({number}, {peer[:2]})", connection.fileno())
    number = connection.fileno()
    if how == "keepalive":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        show(f"setsockopt({number}, SOL_SOCKET, SO_KEEPALIVE, 1)", 0)
        for name, value in OPTIONS:
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
            show(f"setsockopt({number}, IPPROTO_TCP, {name}, {value})", 0)
    show(f"send({number}, b'Welcome.\\n')", connection.send(b"Welcome.\n"))
    try:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    except OSError as error:
        show(f"recv({number}, b'', {READ_SIZE})", f"-1 {errno.errorcode[error.errno]}")
    connection.close()
    show(f"close({number})", 0)
    number = listener.fileno()
    listener.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[3] not in ("keepalive", "no-keepalive"):
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT keepalive|no-keepalive")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
