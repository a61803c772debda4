"""A TCP client that sends more than fits into one packet, and asks what its kernel has learnt.

By hand:    python3 pmtu_client.py 127.0.0.1 4242 4000
with loss_server.py running there (127.0.0.1 4242 4000). An IPv6 address (::1) makes it use
AF_INET6. Before it sends, and once the answer has come, it prints the MTU of the path as IP knows
it (IP_MTU), and how many bytes TCP puts into a segment (TCP_MAXSEG).
"""

import socket
import sys

IP_MTU, IPV6_MTU = 14, 24  # of linux/in.h and linux/in6.h; Python does not name them
READ_SIZE = 4096


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def show_sizes(connection):
    number = connection.fileno()
    if connection.family == socket.AF_INET6:
        known = connection.getsockopt(socket.IPPROTO_IPV6, IPV6_MTU)
        show(f"getsockopt({number}, IPPROTO_IPV6, IPV6_MTU, [{known}])", 0)
    else:
        known = connection.getsockopt(socket.IPPROTO_IP, IP_MTU)
        show(f"getsockopt({number}, IPPROTO_IP, IP_MTU, [{known}])", 0)
    size = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
    show(f"getsockopt({number}, IPPROTO_TCP, TCP_MAXSEG, [{size}])", 0)


def main(address, port, size):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(domain, socket.SOCK_STREAM)
    number = connection.fileno()
    show(f"socket({domain.name}, SOCK_STREAM)", number)
    # Which congestion control there is by default differs; every Linux has this one.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    show(f"setsockopt({number}, IPPROTO_TCP, TCP_CONGESTION, b'reno')", 0)
    connection.connect((address, port))
    show(f"connect({number}, {(address, port)})", 0)
    show_sizes(connection)
    data = b"x" * size
    show(f"send({number}, {data!r})", connection.send(data))
    data = connection.recv(READ_SIZE)
    show(f"recv({number}, {data!r}, {READ_SIZE})", len(data))
    show_sizes(connection)
    connection.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT BYTES")
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
