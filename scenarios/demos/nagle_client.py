"""A TCP client that writes twice before it reads, a few times.

By hand:    python3 nagle_client.py 127.0.0.1 4242 nagle|nodelay
with nagle_server.py running there. An IPv6 address (::1) makes it use AF_INET6. With `nodelay`
it sets TCP_NODELAY, so that Nagle's algorithm holds nothing back.
"""

import socket
import sys

READ_SIZE = 4096
REQUESTS = 4


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port, how):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    if how == "nodelay":
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        show(f"setsockopt({number}, IPPROTO_TCP, TCP_NODELAY, 1)", 0)
    connection.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    data = connection.recv(READ_SIZE)
    show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    for request in range(1, REQUESTS + 1):
        for line in (b"head %d\n" % request, b"body %d\n" % request):
            show(f"send({number}, {line!r})", connection.send(line))
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[3] not in ("nagle", "nodelay"):
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT nagle|nodelay")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
