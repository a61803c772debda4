"""A TCP client that reads to the end and closes, as the second one.

By hand:    python3 time_wait_client.py 127.0.0.1 4242
with time_wait_server.py running there. An IPv6 address (::1) makes it use AF_INET6.
"""

import socket
import sys

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
