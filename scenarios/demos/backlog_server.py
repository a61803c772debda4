"""A TCP server that is busy when its clients come, and accepts them only then.

By hand:    python3 backlog_server.py 127.0.0.1 4242 2 4
and then:   python3 backlog_client.py 127.0.0.1 4242 in-turn

An IPv6 address (::1) makes both use AF_INET6. Where the environment has READY_FD, a line is
written to that descriptor once the server listens.
"""

import os
import select
import socket
import sys
import time

GREETING = b"Welcome."
BUSY_S = 0.6  # less than the second after which a SYN or a SYN-ACK is sent again


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port, backlog, clients):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(domain, socket.SOCK_STREAM)
    number = listener.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    # It closes first: its connections then wait in TIME-WAIT, and keep the port from the next.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    show(f"setsockopt({number}, SOL_SOCKET, SO_REUSEADDR, 1)", 0)
    listener.bind((address, port))
    show(f"bind({number}, {(address, port)})", 0)
    listener.listen(backlog)
    show(f"listen({number}, {backlog})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"listening\n")

    select.select([listener], [], [])
    time.sleep(BUSY_S)  # something else is to be done first
    for _ in range(clients):
        connection, peer = listener.accept()
        accepted = connection.fileno()
        show(f"accept({number}, {peer[:2]})", accepted)
        show(f"send({accepted}, {GREETING!r})", connection.send(GREETING))
        connection.close()
        show(f"close({accepted})", 0)
    listener.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT BACKLOG CLIENTS")
    main(sys.argv[1], *map(int, sys.argv[2:]))
