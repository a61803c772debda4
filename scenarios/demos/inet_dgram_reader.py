"""A reader of two UDP datagrams with a buffer of your size: what does not fit is lost.

By hand:    python3 inet_dgram_reader.py 127.0.0.1 4242 16
and then:   python3 inet_dgram_sender.py 127.0.0.1 4242 40 7

An IPv6 address (::1) makes both use AF_INET6. Where the environment has READY_FD, a line is
written to that descriptor once the reader can be reached.
"""

import os
import socket
import sys

DATAGRAMS = 2
PATIENCE_S = 5


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(address, port, read_size):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    reader = socket.socket(domain, socket.SOCK_DGRAM)
    number = reader.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    reader.bind((address, port))
    show(f"bind({number}, {(address, port)})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"bound\n")

    # Datagrams can get lost, and no error would say so.
    reader.settimeout(PATIENCE_S)
    for _ in range(DATAGRAMS):
        # recvfrom() would lose the tail as well; only recvmsg() says so, by a flag.
        data, _, flags, peer = reader.recvmsg(read_size)
        flag = "MSG_TRUNC" if flags & socket.MSG_TRUNC else 0
        show(f"recvmsg({number}, {data!r}, {read_size}, {peer[:2]}, {flag})", len(data))
    reader.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT READ_SIZE")
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
