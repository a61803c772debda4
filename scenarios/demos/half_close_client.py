"""A TCP client that asks, says that this was all, and reads the answer, or does not.

By hand:    python3 half_close_client.py 127.0.0.1 4242 shutdown|close
with half_close_server.py running there. An IPv6 address (::1) makes it use AF_INET6. With
`shutdown` only its own direction is closed; with `close` it wants nothing more at all.
"""

import errno
import socket
import sys

READ_SIZE = 4096
QUESTION = b"What is it all about?\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def read_answer(connection):
    """Read to the end; sending is over, and fails."""
    number = connection.fileno()
    connection.shutdown(socket.SHUT_WR)
    show(f"shutdown({number}, SHUT_WR)", 0)
    while True:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        if not data:
            break
    try:
        show(f"send({number}, {QUESTION!r})", connection.send(QUESTION))
    except OSError as error:  # Python ignores SIGPIPE, which would end the program
        show(f"send({number}, {QUESTION!r})", f"-1 {errno.errorcode[error.errno]}")


def main(address, port, how):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    connection.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    show(f"send({number}, {QUESTION!r})", connection.send(QUESTION))
    if how == "shutdown":
        read_answer(connection)
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[3] not in ("shutdown", "close"):
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT shutdown|close")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
