"""A datagram to a group, and then one to each host alone, which ends what waits there.

By hand:    python3 multicast_sender.py 4 4242 eth0 198.51.100.1 198.51.100.2
with multicast_receiver.py running at 198.51.100.2. The words are the IP version, the port, the
interface that it is to leave by, its address, and the hosts.
"""

import socket
import sys

# Groups that an organisation may use as it likes (RFC 2365, 6.1; RFC 4291, 2.7).
GROUPS = {"4": "239.255.42.42", "6": "ff15::42"}
MESSAGE = b"To all who are in it.\n"
LAST = b"This is for you alone.\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(group, port, interface, own, hosts):
    domain = socket.AF_INET6 if ":" in group else socket.AF_INET
    sender = socket.socket(domain, socket.SOCK_DGRAM)
    number = sender.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    # A group is no place: the link has to be said. And it goes no further than this link.
    if domain == socket.AF_INET6:
        index = socket.if_nametoindex(interface)
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        show(f"setsockopt({number}, IPPROTO_IPV6, IPV6_MULTICAST_IF, {interface!r})", 0)
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
        show(f"setsockopt({number}, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, [1])", 0)
    else:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
        show(f"setsockopt({number}, IPPROTO_IP, IP_MULTICAST_IF, {own!r})", 0)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        show(f"setsockopt({number}, IPPROTO_IP, IP_MULTICAST_TTL, [1])", 0)
    sent = sender.sendto(MESSAGE, (group, port))
    show(f"sendto({number}, {MESSAGE!r}, {(group, port)})", sent)
    for host in hosts:
        show(f"sendto({number}, {LAST!r}, {(host, port)})", sender.sendto(LAST, (host, port)))
    sender.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit(f"usage: {sys.argv[0]} 4|6 PORT INTERFACE OWN_ADDRESS ADDRESS...")
    main(GROUPS[sys.argv[1]], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:])
