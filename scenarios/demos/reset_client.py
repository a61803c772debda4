"""A TCP client that says something and waits for an answer, and shows which call fails, and how.

By hand:    python3 reset_client.py 127.0.0.1 4242
with reset_unread_server.py running there, or with nothing there. An IPv6 address (::1) makes it
use AF_INET6.
"""

import errno
import socket
import sys

READ_SIZE = 4096
MESSAGE = b"Hello. Is anybody there?\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    call = f"connect({number}, {(address, port)})"
    try:
        connection.connect((address, port))
        show(call, 0)
        show(f"send({number}, {MESSAGE!r})", connection.send(MESSAGE))
        call = f"recv({number}, b'', {READ_SIZE})"
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    except OSError as error:
        show(call, f"-1 {errno.errorcode[error.errno]}")
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
