"""A UDP socket that prints the datagrams that come whole, until one of a single byte.

By hand:    python3 fragments_receiver.py 127.0.0.1 4242
and then:   python3 fragments_sender.py 127.0.0.1 4242 dont
An IPv6 address (::1) makes it use AF_INET6.
"""

import os
import socket
import sys

READ_SIZE = 4096
PATIENCE_S = 5


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    receiver = socket.socket(domain, socket.SOCK_DGRAM)
    number = receiver.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    receiver.bind((address, port))
    show(f"bind({number}, {(address, port)})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"bound\n")
    receiver.settimeout(PATIENCE_S)
    data = b""
    while len(data) != 1:
        data, peer = receiver.recvfrom(READ_SIZE)
        show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    receiver.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
