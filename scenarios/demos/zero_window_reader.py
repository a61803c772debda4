"""A TCP server with a small receive buffer that does not read for a while, and then reads all.

By hand:    python3 zero_window_reader.py 127.0.0.1 4242
and then:   python3 zero_window_sender.py 127.0.0.1 4242

An IPv6 address (::1) makes both use AF_INET6. Where the environment has READY_FD, a line is
written to that descriptor once the server listens.
"""

import os
import socket
import sys
import time

SIZE = 8192  # what the client sends
ROOM = 4096
READ_SIZE = 65536
PAUSE_S = 1.2  # two probes of a closed window: after 0.2 s, and twice as long after that


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(domain, socket.SOCK_STREAM)
    number = listener.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    # Before listen(): what a SYN-ACK offers depends on it.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
    show(f"setsockopt({number}, SOL_SOCKET, SO_RCVBUF, {ROOM})", 0)
    listener.bind((address, port))
    show(f"bind({number}, {(address, port)})", 0)
    listener.listen(1)
    show(f"listen({number}, 1)", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")

    connection, peer = listener.accept()
    show(f"accept({number}, {peer[:2]})", connection.fileno())
    number = connection.fileno()
    time.sleep(PAUSE_S)
    show(f"sleep({PAUSE_S})", 0)
    left = SIZE
    while left > 0:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        left = left - len(data) if data else 0
    show(f"send({number}, b'All read.')", connection.send(b"All read."))
    connection.close()
    show(f"close({number})", 0)
    number = listener.fileno()
    listener.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
