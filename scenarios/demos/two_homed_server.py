"""A UDP server on all of a host's addresses that answers whoever writes to it, a few times.

By hand:    python3 two_homed_server.py 4 4242 1
and then:   python3 two_homed_client.py 4242 127.0.0.1
The words are the IP version, the port, and how many datagrams are answered.
"""

import os
import socket
import sys

READ_SIZE = 4096
PATIENCE_S = 5


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(version, port, count):
    domain = socket.AF_INET6 if version == "6" else socket.AF_INET
    everything = "::" if version == "6" else "0.0.0.0"
    server = socket.socket(domain, socket.SOCK_DGRAM)
    number = server.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    server.bind((everything, port))
    show(f"bind({number}, {(everything, port)})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"bound\n")
    server.settimeout(PATIENCE_S)
    for _ in range(count):
        data, peer = server.recvfrom(READ_SIZE)
        show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
        # The kernel chooses the way of the answer, and by it the address that it comes from.
        answer = b"Yes: " + data
        show(f"sendto({number}, {answer!r}, {peer[:2]})", server.sendto(answer, peer))
    server.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} 4|6 PORT COUNT")
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
