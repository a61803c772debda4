"""The way to a host by echo requests that scapy makes: the last one is answered by an echo reply.

By hand:    sudo python3 traceroute_scapy.py OWN_ADDRESS ADDRESS
"""

# ruff: noqa: E402 - what scapy does when it is imported has to be settled before

import os
import select
import socket
import sys

# scapy keeps its databases in the user's home, unless there can be no such folder.
os.environ["XDG_CACHE_HOME"] = os.environ["XDG_CONFIG_HOME"] = os.devnull
from scapy.config import conf

conf.route_autoload = conf.route6_autoload = False  # the kernel finds the way
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6TimeExceeded, IPv6

IPV6_HDRINCL = 36  # linux/in6.h
MOST_HOPS = 8
PATIENCE_MS = 3000
IDENTIFIER = 0x7A11
TIME_EXCEEDED = 11


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def opened(is_ipv6):
    """A raw socket whose packets have their IP header written by us."""
    if is_ipv6:
        made = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        show("socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)", made.fileno())
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
        show(f"setsockopt({made.fileno()}, IPPROTO_IPV6, IPV6_HDRINCL, [1])", 0)
    else:
        made = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        show("socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)", made.fileno())
        made.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        show(f"setsockopt({made.fileno()}, IPPROTO_IP, IP_HDRINCL, [1])", 0)
    return made


def probe(own, address, hops):
    """An echo request that may go so many hops."""
    if ":" in address:
        head = IPv6(src=own, dst=address, hlim=hops)
        return head / ICMPv6EchoRequest(id=IDENTIFIER, seq=hops, data=b"how far?")
    return IP(src=own, dst=address, ttl=hops) / ICMP(id=IDENTIFIER, seq=hops) / b"how far?"


def answer(data, is_ipv6):
    """What came, if it is an answer to us: True where it is an echo reply; else None."""
    if is_ipv6:  # a raw socket gets no IPv6 header
        kind = {129: ICMPv6EchoReply, 3: ICMPv6TimeExceeded}.get(data[0])
        return None if kind is None else kind is ICMPv6EchoReply
    kind = IP(data)[ICMP].type
    return kind == 0 if kind in (0, TIME_EXCEEDED) else None


def main(own, address):
    is_ipv6 = ":" in address
    prober = opened(is_ipv6)
    number = prober.fileno()
    poll = select.poll()
    poll.register(prober, select.POLLIN)
    for hops in range(1, MOST_HOPS + 1):
        packet = probe(own, address, hops)
        data = bytes(packet)  # scapy fills in lengths and checksums
        show(f"sendto({number}, {data!r}, {(address, 0)})", prober.sendto(data, (address, 0)))
        reply, sender = None, ""
        while reply is None and poll.poll(PATIENCE_MS):
            data, where = prober.recvfrom(4096)
            sender = where[0]
            show(f"recvfrom({number}, {data!r}, 4096, {where[:2]})", len(data))
            reply = answer(data, is_ipv6)
        print(f"# {hops}  {sender or 'no answer'}", flush=True)
        if reply:
            break
    prober.close()
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} OWN_ADDRESS ADDRESS")
    main(*sys.argv[1:])
