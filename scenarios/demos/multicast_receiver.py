"""A UDP socket that waits for what is sent to a group, a member of it or not.

By hand:    python3 multicast_receiver.py 4 4242 eth0 198.51.100.2
and then:   python3 multicast_sender.py 4 4242 eth0 198.51.100.1 198.51.100.2
The words are the IP version, the port, the interface and its own address; without the last one
nobody joins. It ends when a datagram says that it is the last.
"""

import os
import socket
import struct
import sys

# Groups that an organisation may use as it likes (RFC 2365, 6.1; RFC 4291, 2.7).
GROUPS = {"4": "239.255.42.42", "6": "ff15::42"}
READ_SIZE = 4096
PATIENCE_S = 5
LAST = b"This is for you alone.\n"


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def membership(group, interface, own):
    """The level, the two options with their names, and the value that names group and link."""
    if ":" in group:
        index = socket.if_nametoindex(interface)
        value = socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", index)
        return (
            socket.IPPROTO_IPV6,
            (
                (socket.IPV6_JOIN_GROUP, "IPPROTO_IPV6, IPV6_JOIN_GROUP"),
                (socket.IPV6_LEAVE_GROUP, "IPPROTO_IPV6, IPV6_LEAVE_GROUP"),
            ),
            value,
        )
    value = socket.inet_aton(group) + socket.inet_aton(own)
    return socket.IPPROTO_IP, (
        (socket.IP_ADD_MEMBERSHIP, "IPPROTO_IP, IP_ADD_MEMBERSHIP"),
        (socket.IP_DROP_MEMBERSHIP, "IPPROTO_IP, IP_DROP_MEMBERSHIP"),
    ), value  # fmt: skip


def main(group, port, interface, own):
    domain = socket.AF_INET6 if ":" in group else socket.AF_INET
    receiver = socket.socket(domain, socket.SOCK_DGRAM)
    number = receiver.fileno()
    show(f"socket({domain.name}, SOCK_DGRAM)", number)
    everybody = "::" if domain == socket.AF_INET6 else "0.0.0.0"
    receiver.bind((everybody, port))
    show(f"bind({number}, {(everybody, port)})", 0)
    if own:
        level, (join, leave), value = membership(group, interface, own)
        receiver.setsockopt(level, join[0], value)
        show(f"setsockopt({number}, {join[1]}, {group!r})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"bound\n")
    receiver.settimeout(PATIENCE_S)
    data = b""
    while data != LAST:
        data, peer = receiver.recvfrom(READ_SIZE)
        show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
    if own:
        receiver.setsockopt(level, leave[0], value)
        show(f"setsockopt({number}, {leave[1]}, {group!r})", 0)
    receiver.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(f"usage: {sys.argv[0]} 4|6 PORT INTERFACE [OWN_ADDRESS]")
    main(
        GROUPS[sys.argv[1]], int(sys.argv[2]), sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else ""
    )
