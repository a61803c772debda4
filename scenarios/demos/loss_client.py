"""A TCP client that sends a few pieces, each in a segment of its own, and waits for the answer.

By hand:    python3 loss_client.py 127.0.0.1 4242 4
with loss_server.py running there. An IPv6 address (::1) makes it use AF_INET6.
"""

import socket
import sys

PIECE = 1000
READ_SIZE = 65536


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port, pieces):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    # Which congestion control there is by default differs; every Linux has this one.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    show(f"setsockopt({number}, IPPROTO_TCP, TCP_CONGESTION, b'reno')", 0)
    # Without Nagle's algorithm each send() is a segment.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    show(f"setsockopt({number}, IPPROTO_TCP, TCP_NODELAY, 1)", 0)
    connection.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    for piece in range(pieces):
        data = bytes([ord("a") + piece]) * PIECE
        show(f"send({number}, {data!r})", connection.send(data))
    # No FIN goes behind the data: the last segment is the last there is.
    data = connection.recv(READ_SIZE)
    show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT PIECES")
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
