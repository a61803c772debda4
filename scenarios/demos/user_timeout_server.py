"""A TCP server that welcomes its client and stays for as long as that lives.

By hand:    python3 user_timeout_server.py 127.0.0.1 4242 LOCK
and then:   python3 user_timeout_client.py 127.0.0.1 4242 LOCK

An IPv6 address (::1) makes both use AF_INET6. LOCK is a file that the client locks. Where the
environment has READY_FD, a line is written to that descriptor once the server listens.
"""

import fcntl
import os
import socket
import struct
import sys


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
    # Once this program has closed, its kernel shall not go on for it: nobody would answer.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    show(f"setsockopt({number}, SOL_SOCKET, SO_LINGER, (1, 0))", 0)
    show(f"send({number}, b'Welcome.\\n')", connection.send(b"Welcome.\n"))
    with open(lock) as life:
        fcntl.flock(life, fcntl.LOCK_SH)
        show(f"flock({life.fileno()}, LOCK_SH)", 0)
    connection.close()
    show(f"close({number})", 0)
    number = listener.fileno()
    listener.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT LOCK")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
