"""One of two programs that connect to each other at the same moment: neither listens.

By hand:    python3 simultaneous_open.py 127.0.0.1 4242 127.0.0.2 4343 /tmp/both
and:        python3 simultaneous_open.py 127.0.0.2 4343 127.0.0.1 4242 /tmp/both

IPv6 addresses make both use AF_INET6. The first makes the FIFO where they wait for each other.
Where the environment has READY_FD, a line is written to that descriptor then. Without a delay
between them one of the two finds nobody, and its SYN is refused.
"""

import os
import socket
import sys

READ_SIZE = 4096


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def wait_for_the_other(fifo, is_first):
    """open() of a FIFO returns at both its ends at once."""
    if is_first and "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"bound\n")
    os.close(os.open(fifo, os.O_RDONLY if is_first else os.O_WRONLY))


def main(address, port, peer, peer_port, fifo):
    is_first = not os.path.exists(fifo)
    if is_first:
        os.mkfifo(fifo)
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    connection.bind((address, port))
    show(f"bind({number}, {(address, port)})", 0)
    wait_for_the_other(fifo, is_first)
    connection.connect((peer, peer_port))
    show(f"connect({number}, {(peer, peer_port)})", 0)
    greeting = b"Hello from port %d\n" % port
    show(f"send({number}, {greeting!r})", connection.send(greeting))
    connection.shutdown(socket.SHUT_WR)
    show(f"shutdown({number}, SHUT_WR)", 0)
    while True:
        data = connection.recv(READ_SIZE)
        show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
        if not data:
            break
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT PEER PEER_PORT FIFO")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5])
