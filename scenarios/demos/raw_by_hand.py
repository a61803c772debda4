"""A TCP connection whose every frame is written here, with scapy, past the kernel.

By hand:    sudo python3 raw_by_hand.py eth0 OWN_ADDRESS ADDRESS PORT [OWN_HARDWARE_ADDRESS]
with inet_stream_server.py running at ADDRESS, on the same link.

With this host's own address the server's answer reaches this host's kernel as well, which
knows nothing of the connection and resets it. With an address that is nobody's, and a
hardware address that is nobody's, the kernel passes over the answer: it is for another host.
We are that host, and have to answer for its hardware address ourselves. Where the environment
has READY_FD, a line is written to that descriptor at the end.
"""

# ruff: noqa: E402 - what scapy does when it is imported has to be settled before

import ipaddress
import os
import random
import select
import socket
import sys

# scapy keeps its databases in the user's home, unless there can be no such folder.
os.environ["XDG_CACHE_HOME"] = os.environ["XDG_CONFIG_HOME"] = os.devnull
from scapy.config import conf

conf.route_autoload = conf.route6_autoload = False  # every address is given here
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

ETH_P_ALL = 3
OWN_PORT = 4000
MESSAGE = b"No kernel wrote this.\n"
DEADLINE_MS = 5000
NUMBERS = 1 << 32  # sequence numbers wrap


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


class Host:
    """A host played by this program: its addresses, the server's, and an interface to use."""

    def __init__(self, interface, own, server, port, own_hardware):
        self.own, self.server, self.port = own, server, port
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.number = self.socket.fileno()
        show("socket(AF_PACKET, SOCK_RAW, 0)", self.number)
        self.socket.bind((interface, ETH_P_ALL))
        show(f"bind({self.number}, {(interface, ETH_P_ALL)})", 0)
        self.own_hardware = own_hardware or self.socket.getsockname()[4].hex(":")
        self.answers_for_itself = bool(own_hardware)
        self.version = IPv6 if ":" in server else IP
        self.server_hardware = self.ask().src

    def send(self, frame, why):
        """Send a frame as it is."""
        print(f"# {why}")
        data = bytes(frame)  # scapy fills in lengths and checksums
        show(f"send({self.number}, {data!r})", self.socket.send(data))

    def wait_for(self, is_wanted, why):
        """The next such frame. Meanwhile requests for our hardware address are answered."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        while poll.poll(DEADLINE_MS):
            data, where = self.socket.recvfrom(65535)
            frame = Ether(data)
            if self.answers_for_itself:
                self.answer(frame)
            if is_wanted(frame):
                print(f"# {why}")
                show(f"recvfrom({self.number}, {data!r}, 65535, {where})", len(data))
                return frame
        sys.exit(f"nothing came: {why}")

    def ask(self):
        """The frame that has the server's hardware address (RFC 826; RFC 4861, 7.2)."""
        if self.version is IP:
            to = "ff:ff:ff:ff:ff:ff"
            question = ARP(op=1, hwsrc=self.own_hardware, psrc=self.own, pdst=self.server)
        else:
            end = ipaddress.IPv6Address(self.server).packed[-3:]
            to = "33:33:ff:" + end.hex(":")
            group = ipaddress.IPv6Address(bytes.fromhex("ff0200000000000000000001ff") + end)
            question = (
                IPv6(src=self.own, dst=str(group), hlim=255)
                / ICMPv6ND_NS(tgt=self.server)
                / ICMPv6NDOptSrcLLAddr(lladdr=self.own_hardware)
            )
        self.send(Ether(src=self.own_hardware, dst=to) / question, f"who has {self.server}?")
        return self.wait_for(
            lambda frame: (
                (ARP in frame and frame[ARP].op == 2 and frame[ARP].psrc == self.server)
                or (ICMPv6ND_NA in frame and frame[ICMPv6ND_NA].tgt == self.server)
            ),
            f"{self.server} announces its hardware address",
        )

    def answer(self, frame):
        """Answer a request for our hardware address."""
        if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == self.own:
            reply = ARP(
                op=2, hwsrc=self.own_hardware, psrc=self.own,
                hwdst=frame.src, pdst=frame[ARP].psrc,
            )  # fmt: skip
        elif ICMPv6ND_NS in frame and frame[ICMPv6ND_NS].tgt == self.own:
            reply = (
                IPv6(src=self.own, dst=frame[IPv6].src, hlim=255)
                / ICMPv6ND_NA(tgt=self.own, R=0, S=1, O=1)
                / ICMPv6NDOptDstLLAddr(lladdr=self.own_hardware)
            )
        else:
            return
        self.send(Ether(src=self.own_hardware, dst=frame.src) / reply, f"we have {self.own}")

    def send_segment(self, flags, seq, ack=0, data=b""):
        """Send a TCP segment to the server."""
        segment = TCP(sport=OWN_PORT, dport=self.port, flags=flags, seq=seq, ack=ack, window=8192)
        frame = (
            Ether(src=self.own_hardware, dst=self.server_hardware)
            / self.version(src=self.own, dst=self.server)
            / segment
            / data
        )
        self.send(frame, f"{flags} seq={seq} ack={ack}, {len(data)} bytes")

    def wait_for_segment(self, source, destination, flags, why):
        """The next segment between these ports with all of these flags."""
        return self.wait_for(
            lambda frame: (
                TCP in frame
                and (frame[TCP].sport, frame[TCP].dport) == (source, destination)
                and set(flags) <= set(str(frame[TCP].flags))
            ),
            why,
        )[TCP]


def converse(host, seq, ack):
    """Confirm the handshake, say something, listen until the server has nothing more to say."""
    host.send_segment("A", seq, ack)
    host.send_segment("PA", seq, ack, MESSAGE)
    seq = (seq + len(MESSAGE)) % NUMBERS
    host.send_segment("FA", seq, ack)
    seq = (seq + 1) % NUMBERS
    has_ended = False
    while not has_ended:
        segment = host.wait_for_segment(host.port, OWN_PORT, "A", "from the server")
        data = segment[Raw].load if Raw in segment else b""
        if segment.seq == ack and (data or segment.flags.F):  # what is next, and no bare ACK
            has_ended = bool(segment.flags.F)
            ack = (ack + len(data) + has_ended) % NUMBERS
            host.send_segment("A", seq, ack)


def main(interface, own, server, port, own_hardware=None):
    host = Host(interface, own, server, int(port), own_hardware)
    first = random.getrandbits(32)
    host.send_segment("S", first)
    syn_ack = host.wait_for_segment(host.port, OWN_PORT, "SA", "the server agrees")
    if host.answers_for_itself:
        converse(host, (first + 1) % NUMBERS, (syn_ack.seq + 1) % NUMBERS)
    else:
        why = "our own kernel, uninvited, resets it"
        host.wait_for_segment(OWN_PORT, host.port, "R", why)
    host.socket.close()
    show(f"close({host.number})", 0)
    if "READY_FD" in os.environ:
        os.write(int(os.environ["READY_FD"]), b"done\n")


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(f"usage: {sys.argv[0]} INTERFACE OWN ADDRESS PORT [OWN_HARDWARE]")
    main(*sys.argv[1:])
