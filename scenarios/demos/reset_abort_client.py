"""A TCP client that is welcomed and aborts its connection, as a program that crashes may.

By hand:    python3 reset_abort_client.py 127.0.0.1 4242 [LOCK]
with reset_survivor.py running there. An IPv6 address (::1) makes it use AF_INET6. It holds a lock
on the file LOCK as long as it lives.
"""

import fcntl
import os
import socket
import struct
import sys

READ_SIZE = 4096


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port, lock):
    if lock:
        life = os.open(lock, os.O_RDWR | os.O_CREAT)
        fcntl.flock(life, fcntl.LOCK_EX)
        show(f"flock({life}, LOCK_EX)", 0)
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    connection.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    data = connection.recv(READ_SIZE)
    show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    # Lingering for 0 seconds: close() ends the connection at once, whatever is left to say.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    show(f"setsockopt({number}, SOL_SOCKET, SO_LINGER, (1, 0))", 0)
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT [LOCK]")
    main(sys.argv[1], int(sys.argv[2]), "".join(sys.argv[3:]))
