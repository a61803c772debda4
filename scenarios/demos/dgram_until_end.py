"""A UDP server that reads datagrams until one says b"end", and prints each.

By hand:    python3 dgram_until_end.py 127.0.0.1 4242
and then:   python3 dgram_each_sender.py 127.0.0.1 4242

An IPv6 address (::1) makes both use AF_INET6. Where the environment has READY_FD, a line is
written to that descriptor once it can be sent to.
"""

import os
import socket
import sys

READ_SIZE = 100


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(domain, socket.SOCK_DGRAM)
    number = server.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    server.bind((address, port))
    show(f"bind({number}, {(address, port)})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"bound\n")

    data = b""
    while data != b"end":
        data, peer = server.recvfrom(READ_SIZE)
        show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    server.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
