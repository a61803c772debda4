"""A TCP server whose client goes without a word of farewell, and which call shows it that.

By hand:    python3 reset_survivor.py 127.0.0.1 4242 [LOCK]
and then:   python3 reset_abort_client.py 127.0.0.1 4242 [LOCK]

An IPv6 address (::1) makes both use AF_INET6. With LOCK, a file that the client locks while it
lives, it waits for the client's end and then says something more. Where the environment has
READY_FD, a line is written to that descriptor once the server listens.
"""

import errno
import fcntl
import os
import socket
import sys

READ_SIZE = 4096
WELCOME = b"Welcome.\n"
LATER = b"Are you still there?\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port, lock):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
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
    number = connection.fileno()
    show(f"send({number}, {WELCOME!r})", connection.send(WELCOME))
    if lock:
        with open(lock) as life:
            fcntl.flock(life, fcntl.LOCK_SH)
            show(f"flock({life.fileno()}, LOCK_SH)", 0)
        show(f"send({number}, {LATER!r})", connection.send(LATER))
    try:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    except OSError as error:
        show(f"recv({number}, b'', {READ_SIZE})", f"-1 {errno.errorcode[error.errno]}")
    connection.close()
    show(f"close({number})", 0)
    number = listener.fileno()
    listener.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT [LOCK]")
    main(sys.argv[1], int(sys.argv[2]), "".join(sys.argv[3:]))
