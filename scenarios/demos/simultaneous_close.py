"""A TCP server or client that closes at the same moment as the other.

By hand:    python3 simultaneous_close.py listen 127.0.0.1 4242 /tmp/both
and then:   python3 simultaneous_close.py connect 127.0.0.1 4242 /tmp/both

An IPv6 address (::1) makes both use AF_INET6. They wait for each other at a FIFO that the server
makes. Where the environment has READY_FD, a line is written to that descriptor once it listens.
"""

import os
import socket
import sys


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def accepted(address, port, domain, fifo):
    """The connection of the first client that comes."""
    os.mkfifo(fifo)
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
    listener.close()
    show(f"close({number})", 0)
    return connection


def connected(address, port, domain):
    """The connection to the server."""
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    connection.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    return connection


def main(role, address, port, fifo):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    if role == "listen":
        connection = accepted(address, port, domain, fifo)
        meeting = os.open(fifo, os.O_RDONLY)
    else:
        connection = connected(address, port, domain)
        meeting = os.open(fifo, os.O_WRONLY)
    # open() of a FIFO returns at both its ends at once.
    number = connection.fileno()
    connection.close()
    show(f"close({number})", 0)
    os.close(meeting)


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] not in ("listen", "connect"):
        sys.exit(f"usage: {sys.argv[0]} listen|connect ADDRESS PORT FIFO")
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
