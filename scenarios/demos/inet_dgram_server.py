"""A UDP server that reads datagrams, answers, and prints what each of its calls returned.

By hand:    python3 inet_dgram_server.py 127.0.0.1 4242
and then:   python3 inet_dgram_client.py 127.0.0.1 4242

An IPv6 address (::1) makes both use AF_INET6. Where the environment has READY_FD, a line is
written to that descriptor once the server can be reached.
"""

import os
import socket
import sys

READ_SIZE = 4096
PATIENCE_S = 5
LAST = b"That is all.\n"
REPLIES = (b"I read what you wrote, ", b"and how you cut it.\n")


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
    # No listen(), no accept(): whoever knows the address may send.
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"bound\n")

    # Datagrams can get lost, and no error would say so.
    server.settimeout(PATIENCE_S)
    data = None
    # UDP has no end either: an empty datagram is none. The programs agree on a last message.
    while data != LAST:
        data, peer = server.recvfrom(READ_SIZE)
        show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    for reply in REPLIES:
        show(f"sendto({number}, {reply!r}, {peer[:2]})", server.sendto(reply, peer))
    server.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
