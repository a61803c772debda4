"""A UDP client that sends a few datagrams and prints what each of its calls returned.

By hand:    python3 inet_dgram_client.py 127.0.0.1 4242
with inet_dgram_server.py running there. An IPv6 address (::1) makes it use AF_INET6.
"""

import socket
import sys

READ_SIZE = 4096
PATIENCE_S = 5
# The third is empty: a datagram with nothing in it is still a datagram.
MESSAGES = (b"Hello. ", b"These are four messages, ", b"", b"That is all.\n")
REPLIES = 2


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    client = socket.socket(domain, socket.SOCK_DGRAM)
    number = client.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    # No connect(): each datagram gets its destination.
    for message in MESSAGES:
        sent = client.sendto(message, (address, port))
        show(f"sendto({number}, {message!r}, {(address, port)})", sent)

    # Datagrams can get lost, and no error would say so.
    client.settimeout(PATIENCE_S)
    for _ in range(REPLIES):
        data, peer = client.recvfrom(READ_SIZE)
        show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    client.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
