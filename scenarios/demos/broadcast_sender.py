"""Datagrams to everybody: without SO_BROADCAST, with it; then one to each host alone.

By hand:    python3 broadcast_sender.py eth0 198.51.100.255 198.51.100.2 4242
with broadcast_receiver.py running at the address, the third word. IPv6 has no broadcast: with an
IPv6 address the datagrams go to the group of all nodes, ff02::1, which everybody is a member of.
"""

import errno
import socket
import sys

EVERYBODY, ALL_NODES = "255.255.255.255", "ff02::1"
MESSAGE = b"Is anybody there?\n"
LAST = b"This is for you alone.\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def send(sender, message, target):
    """Send a datagram, and print what the call returned or which error."""
    try:
        result = sender.sendto(message, target)
    except OSError as error:
        result = f"-1 {errno.errorcode[error.errno]}"
    show(f"sendto({sender.fileno()}, {message!r}, {target[:2]})", result)


def main(interface, subnets, hosts, port):
    is_ipv6 = ":" in hosts[0]
    domain = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    sender = socket.socket(domain, socket.SOCK_DGRAM)
    number = sender.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    if is_ipv6:
        # A group of the link's needs the link said: hosts may have several.
        index = socket.if_nametoindex(interface)
        send(sender, MESSAGE, (ALL_NODES, port, 0, index))
    else:
        send(sender, MESSAGE, (subnets, port))
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        show(f"setsockopt({number}, SOL_SOCKET, SO_BROADCAST, [1])", 0)
        # Everybody on this link, whatever their subnet; then everybody in that subnet.
        send(sender, MESSAGE, (EVERYBODY, port))
        send(sender, MESSAGE, (subnets, port))
    for host in hosts:
        send(sender, LAST, (host, port))
    sender.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(f"usage: {sys.argv[0]} INTERFACE SUBNETS_BROADCAST ADDRESS... PORT")
    main(sys.argv[1], sys.argv[2], sys.argv[3:-1], int(sys.argv[-1]))
