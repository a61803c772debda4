"""A TCP client that sends more than its server has room for, and waits for an answer.

By hand:    python3 zero_window_sender.py 127.0.0.1 4242
with zero_window_reader.py running there. An IPv6 address (::1) makes it use AF_INET6.
"""

import socket
import sys

SIZE = 8192
READ_SIZE = 4096


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    connection.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    # The send buffer has room for all of it, whatever the receiver has.
    data = b"x" * SIZE
    show(f"send({number}, {data!r})", connection.send(data))
    while True:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        if not data:
            break
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
