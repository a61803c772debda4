"""A UDP socket that waits for datagrams to everybody, until one says that it is the last.

By hand:    python3 broadcast_receiver.py 4 4242
and then:   python3 broadcast_sender.py eth0 198.51.100.255 198.51.100.2 4242
With 6 as the first word it uses AF_INET6.
"""

import os
import socket
import sys

READ_SIZE = 4096
PATIENCE_S = 5
LAST = b"This is for you alone.\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(version, port):
    domain = socket.AF_INET6 if version == "6" else socket.AF_INET
    address = "::" if version == "6" else "0.0.0.0"
    receiver = socket.socket(domain, socket.SOCK_DGRAM)
    number = receiver.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    # To no address in particular: a socket with one gets only what is for that address.
    receiver.bind((address, port))
    show(f"bind({number}, {(address, port)})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"bound\n")
    receiver.settimeout(PATIENCE_S)
    data = b""
    while data != LAST:
        data, peer = receiver.recvfrom(READ_SIZE)
        show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    receiver.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} 4|6 PORT")
    main(sys.argv[1], int(sys.argv[2]))
