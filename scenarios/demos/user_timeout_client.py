"""A TCP client that gives its bytes so long to be acknowledged, and no longer.

By hand:    python3 user_timeout_client.py 127.0.0.1 4242 LOCK
with user_timeout_server.py running there. An IPv6 address (::1) makes it use AF_INET6. It holds a
lock on the file LOCK as long as it lives.
"""

import errno
import fcntl
import os
import socket
import sys
import time

READ_SIZE = 4096
TIMEOUT_MS = 2000
MESSAGE = b"Do you hear me?\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def show_clock():
    show(f"clock_gettime(CLOCK_MONOTONIC, {time.monotonic_ns()})", 0)


def main(address, port, lock):
    life = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(life, fcntl.LOCK_EX)
    show(f"flock({life}, LOCK_EX)", 0)
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, TIMEOUT_MS)
    show(f"setsockopt({number}, IPPROTO_TCP, TCP_USER_TIMEOUT, {TIMEOUT_MS})", 0)
    connection.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    data = connection.recv(READ_SIZE)
    show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    show_clock()
    show(f"send({number}, {MESSAGE!r})", connection.send(MESSAGE))
    try:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    except OSError as error:
        show(f"recv({number}, b'', {READ_SIZE})", f"-1 {errno.errorcode[error.errno]}")
    show_clock()
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT LOCK")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
