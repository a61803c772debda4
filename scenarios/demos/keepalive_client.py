"""A TCP client that waits, and has its kernel ask whether the server is still there.

By hand:    python3 keepalive_client.py 127.0.0.1 4242 [MILLISECONDS]
with keepalive_server.py running there. An IPv6 address (::1) makes it use AF_INET6. It waits for
so many milliseconds, or until something comes.
"""

import errno
import select
import socket
import sys

READ_SIZE = 4096
OPTIONS = (("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 2))


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port, patience_ms):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    show(f"setsockopt({number}, SOL_SOCKET, SO_KEEPALIVE, 1)", 0)
    # Asked after a second without a word, and after another one; silence after that is the end.
    for name, value in OPTIONS:
        connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        show(f"setsockopt({number}, IPPROTO_TCP, {name}, {value})", 0)
    connection.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    data = connection.recv(READ_SIZE)
    show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    events = poll.poll(patience_ms)
    show(f"poll([({number}, POLLIN)], {-1 if patience_ms is None else patience_ms})", len(events))
    if events:
        try:
            data = connection.recv(READ_SIZE)
            show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        except OSError as error:
            show(f"recv({number}, b'', {READ_SIZE})", f"-1 {errno.errorcode[error.errno]}")
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT [MILLISECONDS]")
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) == 4 else None)
