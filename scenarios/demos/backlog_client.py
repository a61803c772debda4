"""Four TCP connections to a server that does not accept them yet; each waits for a greeting.

By hand:    python3 backlog_client.py 127.0.0.1 4242 in-turn
with backlog_server.py running there. With "at-once" the last two begin together, before either
is connected. An IPv6 address (::1) makes it use AF_INET6.
"""

import errno
import select
import socket
import sys

CONNECTIONS = 4
READ_SIZE = 4096


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def connected(domain, target):
    """A connection that connect() has waited for."""
    connection = socket.socket(domain, socket.SOCK_STREAM)
    show(f"socket({domain.name}, SOCK_STREAM)", connection.fileno())
    connection.connect(target)
    show(f"connect({connection.fileno()}, {target})", 0)
    return connection


def begun(domain, target):
    """A connection that connect() has only begun."""
    connection = socket.socket(domain, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    show(f"socket({domain.name}, SOCK_STREAM | SOCK_NONBLOCK)", connection.fileno())
    result = connection.connect_ex(target)
    said = f"-1 {errno.errorcode[result]}" if result else 0
    show(f"connect({connection.fileno()}, {target})", said)
    return connection


def main(address, port, how):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    target = (address, port)
    begin = begun if how == "at-once" else connected
    connections = [connected(domain, target) for _ in range(CONNECTIONS - 2)]
    connections += [begin(domain, target) for _ in range(2)]
    for connection in connections:
        number = connection.fileno()
        while True:
            select.select([connection], [], [])
            data = connection.recv(READ_SIZE)
            show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
            if not data:
                break
        connection.close()
        show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT in-turn|at-once")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
