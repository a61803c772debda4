"""A TCP server that closes first, and then wants its port again.

By hand:    python3 time_wait_server.py 127.0.0.1 4242 reuse|no-reuse
and then:   python3 time_wait_client.py 127.0.0.1 4242

An IPv6 address (::1) makes both use AF_INET6. With `reuse` it sets SO_REUSEADDR on its sockets.
Where the environment has READY_FD, a line is written to that descriptor once the server listens.
"""

import errno
import os
import socket
import sys

READ_SIZE = 4096


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def bound(address, port, how):
    """A new socket; it is bound if that succeeds."""
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(domain, socket.SOCK_STREAM)
    number = made.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    if how == "reuse":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        show(f"setsockopt({number}, SOL_SOCKET, SO_REUSEADDR, 1)", 0)
    call = f"bind({number}, {(address, port)})"
    try:
        made.bind((address, port))
        show(call, 0)
    except OSError as error:
        show(call, f"-1 {errno.errorcode[error.errno]}")
    return made


def main(address, port, how):
    listener = bound(address, port, how)
    number = listener.fileno()
    listener.listen(1)
    show(f"listen({number}, 1)", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")

    connection, peer = listener.accept()
    show(f"accept({number}, {peer[:2]})", connection.fileno())
    listener.close()
    show(f"close({number})", 0)
    number = connection.fileno()
    show(f"send({number}, b'Goodbye.\\n')", connection.send(b"Goodbye.\n"))
    connection.shutdown(socket.SHUT_WR)
    show(f"shutdown({number}, SHUT_WR)", 0)
    # The client's FIN is here once there is nothing more to read.
    data = connection.recv(READ_SIZE)
    show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    connection.close()
    show(f"close({number})", 0)

    again = bound(address, port, how)
    number = again.fileno()
    again.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[3] not in ("reuse", "no-reuse"):
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT reuse|no-reuse")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
