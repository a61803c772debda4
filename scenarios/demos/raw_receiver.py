"""A raw socket that receives IP packets of an experimental protocol.

By hand:    sudo python3 raw_receiver.py 127.0.0.1
and then:   sudo python3 raw_sender.py 127.0.0.1 127.0.0.1

It needs the capability CAP_NET_RAW (raw(7)). With an IPv6 address (::1) it makes an AF_INET6
socket, which is given what follows the IP header; AF_INET gives the header too. Where the
environment has READY_FD, a line is written to that descriptor once packets are received.
"""

import os
import socket
import sys

EXPERIMENT = 253  # RFC 3692: a protocol number for experiments
PACKETS = 2
READ_SIZE = 65535


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(domain, socket.SOCK_RAW, EXPERIMENT) as raw:
        number = raw.fileno()
        show(f"socket({domain.name}, SOCK_RAW, {EXPERIMENT})", number)
        raw.bind((address, 0))
        show(f"bind({number}, {(address, 0)})", 0)
        if "READY_FD" in os.environ:
            os.write(int(os.environ["READY_FD"]), b"receiving\n")
        for _ in range(PACKETS):
            data, peer = raw.recvfrom(READ_SIZE)
            show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
            if domain is socket.AF_INET:
                header = (data[0] & 15) * 4
                print(f"# version {data[0] >> 4}, header of {header} bytes, then {data[header:]!r}")
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS")
    main(sys.argv[1])
