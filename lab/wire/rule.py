"""A rule of a wire, as plain values: on which way, which frames, and what is done to them."""

from __future__ import annotations

import enum

from lab.frozen import frozen


class Sense(enum.Enum):
    """Which of a link's two ways a rule is about, as it names the link's ends."""

    FORWARD = ">"
    """From the first to the second."""
    BOTH = "-"


@frozen
class LinkWay:
    """What a rule says of the link: two hosts, or two of their interfaces, and which way.

    Before the topology is known a "-" may be part of a host's name: `text` is taken apart then.
    """

    text: str
    """ "client>server", "client-switch", "client/eth0>server/eth0"."""

    @property
    def sense(self) -> Sense:
        """Which way."""
        return Sense.FORWARD if ">" in self.text else Sense.BOTH


@frozen
class Drop:
    """It goes no further."""

    name = "drop"


@frozen
class Duplicate:
    """So many copies follow it at once."""

    copies: int = 1
    name = "duplicate"


@frozen
class Delay:
    """It goes on later: by `delay_ns`, and by a random part of `jitter_ns` more."""

    delay_ns: int
    jitter_ns: int = 0
    seed: int = 1

    @property
    def name(self) -> str:
        """By the word that it was written with."""
        return "delay" if self.delay_ns else "jitter"


@frozen
class Swap:
    """It waits until the next frame that matches has passed."""

    name = "swap"


@frozen
class Corrupt:
    """The bits of `mask` are flipped in one byte; no checksum is put right."""

    offset: int
    """From the frame's first byte, 0; below 0 from its end: -1 is the last byte."""
    mask: int = 0xFF
    name = "corrupt"


@frozen
class Rewrite:
    """Header fields get other values, and checksums fit again unless it is `raw`."""

    fields: tuple[tuple[str, str], ...]
    raw: bool = False
    name = "rewrite"


@frozen
class Truncate:
    """The frame ends after so many bytes."""

    length: int
    name = "truncate"


@frozen
class Rate:
    """Frames leave one after another at so many bits a second; so many may wait for that."""

    bits_per_second: int
    queue: int | None = None
    """None: all of them."""
    name = "rate"


@frozen
class Loss:
    """It is dropped with this probability. A seed draws the same lots each time."""

    percent: float
    seed: int = 1
    name = "loss"


@frozen
class Down:
    """From a moment on everything is dropped."""

    name = "down"


@frozen
class Up:
    """From a moment on nothing is dropped for a `down` of the same way any more."""

    name = "up"


@frozen
class Hold:
    """It waits until somebody decides on it (lab.wire.held). There is no word for it in a rule."""

    neighbours: bool = False
    """Whether ARP, neighbour discovery and listener reports wait as well."""
    name = "hold"


Action = (
    Drop | Duplicate | Delay | Swap | Corrupt | Rewrite | Truncate | Rate | Loss | Down | Up | Hold
)


class Term(enum.Enum):
    """What a frame can be asked. Those of TCP are as in RFC 9293, 3.1."""

    ARP = "arp"
    IPV4 = "ip"
    IPV6 = "ip6"
    ICMP = "icmp"
    """Of either version."""
    TCP = "tcp"
    UDP = "udp"
    FRAGMENT = "fragment"
    SYN = "SYN"
    """A SYN without ACK."""
    SYN_ACK = "SYN-ACK"
    FIN = "FIN"
    RST = "RST"
    PSH = "PSH"
    DATA = "data"
    """A TCP segment or UDP datagram with payload."""
    ACK = "ack"
    """A segment with an ACK and nothing else: no payload, SYN, FIN or RST."""
    RETRANSMISSION = "retransmission"
    """A segment that begins before what its sender has sent."""
    WINDOW_UPDATE = "window-update"
    """A segment that opens a window of 0, which its sender had announced before."""
    PORT = "port"
    SOURCE_PORT = "sport"
    DESTINATION_PORT = "dport"
    LENGTH = "length"
    """Bytes of the frame, from its Ethernet header on."""
    BPF = "bpf"
    """An expression as in pcap-filter(7)."""


@frozen
class Match:
    """A term, with its value where it has one."""

    term: Term
    number: int = 0
    """A port or a length."""
    compare: str = "="
    """ "=", "<" or ">"."""
    expression: str = ""
    """Of BPF."""


@frozen
class Which:
    """Which of the frames that match, counted from 1 in each step."""

    first: int = 1
    last: int | None = None
    """None: all that follow."""
    every: int = 1

    def has(self, number: int) -> bool:
        """Whether the `number`th is one of them."""
        if self.every > 1:
            return number % self.every == 0
        return number >= self.first and (self.last is None or number <= self.last)


@frozen
class Moment:
    """When a link goes down or up: at a time, or once a frame has passed."""

    at_ns: int = 0
    """After the step's beginning."""
    after: bool = False
    """Whether it is the frame that the rule's conditions and `which` name, instead."""


@frozen
class Rule:
    """One rule."""

    text: str
    """As it was written."""
    way: LinkWay
    action: Action
    conditions: tuple[Match, ...] = ()
    """All of them must be true of a frame."""
    which: Which = Which()
    moment: Moment | None = None
    """Of Down and Up alone."""
