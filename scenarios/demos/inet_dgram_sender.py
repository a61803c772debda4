"""A sender of UDP datagrams of the sizes you name.

By hand:    python3 inet_dgram_sender.py 127.0.0.1 4242 40 7
with inet_dgram_reader.py running there. An IPv6 address (::1) makes it use AF_INET6.
"""

import socket
import sys

# Of <linux/in.h> and <linux/in6.h>: Python has no names for them.
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER = 10, 23
PMTUDISC_DONT = 0


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def text(letter, size):
    """A letter and numbers in a row, so that each part shows its position: A000A001A002 ..."""
    return "".join(f"{letter}{number:03}" for number in range(size // 4 + 1))[:size].encode()


def main(address, port, sizes):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    sender = socket.socket(domain, socket.SOCK_DGRAM)
    number = sender.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    # May IP cut what is larger than the link's MTU? It may: no "don't fragment".
    if domain == socket.AF_INET:
        sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DONT)
        show(f"setsockopt({number}, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)", 0)
    else:
        sender.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_DONT)
        show(f"setsockopt({number}, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT)", 0)
    for letter, size in zip("ABCDEFGH", sizes, strict=False):
        data = text(letter, size)
        sent = sender.sendto(data, (address, port))
        show(f"sendto({number}, {data!r}, {(address, port)})", sent)
    sender.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT SIZE...")
    main(sys.argv[1], int(sys.argv[2]), [int(size) for size in sys.argv[3:]])
