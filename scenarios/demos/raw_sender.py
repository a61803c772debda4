"""Two IP packets: to one the kernel writes the header, of the other we write it ourselves.

By hand:    sudo python3 raw_sender.py 127.0.0.1 127.0.0.1
(its own address, then the receiver's) with raw_receiver.py running there. It needs the
capability CAP_NET_RAW (raw(7)). IPv6 addresses (::1) make it use AF_INET6.
"""

import errno
import socket
import struct
import sys

EXPERIMENT = 253  # RFC 3692: a protocol number for experiments
IPV6_HDRINCL = 36  # linux/in6.h
KERNELS = b"The kernel wrote my header."
OURS = b"We wrote my header."
TRAFFIC_CLASS, IDENTIFICATION, HOPS = 0x28, 0xBEEF, 9  # of a header like no kernel's


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def ip_header(domain, source, destination, size):
    """An IP header for `size` bytes. The kernel fills in IPv4's checksum; IPv6 has none."""
    ends = socket.inet_pton(domain, source) + socket.inet_pton(domain, destination)
    if domain is socket.AF_INET:
        return struct.pack(
            "!BBHHHBBH8s",
            0x45, TRAFFIC_CLASS, 20 + size, IDENTIFICATION, 0, HOPS, EXPERIMENT, 0, ends,
        )  # fmt: skip
    first = 6 << 28 | TRAFFIC_CLASS << 20 | IDENTIFICATION  # the last is a flow label here
    return struct.pack("!IHBB32s", first, size, EXPERIMENT, HOPS, ends)


def main(own_address, address):
    domain = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.socket(domain, socket.SOCK_RAW, EXPERIMENT)
    number = raw.fileno()
    show(f"socket({domain.name}, SOCK_RAW, {EXPERIMENT})", number)
    to = (address, 0)  # there is no port
    show(f"sendto({number}, {KERNELS!r}, {to})", raw.sendto(KERNELS, to))

    option, call = (socket.IPPROTO_IP, socket.IP_HDRINCL), "IPPROTO_IP, IP_HDRINCL"
    if domain is socket.AF_INET6:
        option, call = (socket.IPPROTO_IPV6, IPV6_HDRINCL), "IPPROTO_IPV6, IPV6_HDRINCL"
    try:
        raw.setsockopt(*option, 1)
        show(f"setsockopt({number}, {call}, 1)", 0)
        packet = ip_header(domain, own_address, address, len(OURS)) + OURS
    except OSError as error:  # IPV6_HDRINCL came with Linux 4.5
        show(f"setsockopt({number}, {call}, 1)", f"-1 {errno.errorcode[error.errno]}")
        packet = OURS
    show(f"sendto({number}, {packet!r}, {to})", raw.sendto(packet, to))
    raw.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} OWN_ADDRESS ADDRESS")
    main(*sys.argv[1:])
