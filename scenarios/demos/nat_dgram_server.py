"""A UDP server that answers a client, and writes to it from another port as well.

By hand:    python3 nat_dgram_server.py 127.0.0.1 4242 4343
and then:   python3 nat_dgram_client.py 127.0.0.1 4242 4000

An IPv6 address (::1) makes both use AF_INET6. Where the environment has READY_FD, a line is
written to that descriptor once the server can be reached.
"""

import os
import socket
import sys

READ_SIZE = 4096
PATIENCE_S = 5
ANSWER = b"This you have asked for.\n"
UNSOLICITED = b"This you have not.\n"
LAST = b"That is all.\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def bound(domain, address, port):
    """A datagram socket with that address."""
    made = socket.socket(domain, socket.SOCK_DGRAM)
    show(f"socket({domain.name}, SOCK_DGRAM)", made.fileno())
    made.bind((address, port))
    show(f"bind({made.fileno()}, {(address, port)})", 0)
    return made


def main(address, port, other_port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    server, other = bound(domain, address, port), bound(domain, address, other_port)
    number = server.fileno()
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"bound\n")

    # Datagrams can get lost, and no error would say so.
    server.settimeout(PATIENCE_S)
    data, peer = server.recvfrom(READ_SIZE)
    show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    # To the same address and port, from two: one of them the client has written to.
    sent = other.sendto(UNSOLICITED, peer)
    show(f"sendto({other.fileno()}, {UNSOLICITED!r}, {peer[:2]})", sent)
    show(f"sendto({number}, {ANSWER!r}, {peer[:2]})", server.sendto(ANSWER, peer))
    # Whatever was sent before has come to the client when it has read the answer and asks again.
    data, peer = server.recvfrom(READ_SIZE)
    show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    show(f"sendto({number}, {LAST!r}, {peer[:2]})", server.sendto(LAST, peer))
    for each in (server, other):
        number = each.fileno()
        each.close()
        show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT OTHER_PORT")
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
