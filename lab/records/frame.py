"""Frames, where they were captured, and what shows that the capture was alive."""

from __future__ import annotations

import enum
from ipaddress import IPv4Interface, IPv6Interface
from typing import Literal

from lab.frozen import frozen

CANARY_TEXT = b"wirelab canary"
"""What every canary's payload begins with."""

CanaryBracket = Literal["opening", "closing"]


class Direction(enum.Enum):
    """Which way a frame passed its capture point (packet(7), sll_pkttype)."""

    OUT = "out"
    IN = "in"
    UNKNOWN = "unknown"


DIRECTIONS = (Direction.UNKNOWN, Direction.IN, Direction.OUT, Direction.UNKNOWN)
"""By bits 0 and 1 of pcapng's epb_flags."""


class LinkType(enum.IntEnum):
    """What a frame begins with: the LINKTYPE_ values this lab dissects.

    Source: https://www.tcpdump.org/linktypes.html
    """

    NULL = 0
    ETHERNET = 1
    IEEE802_5 = 6
    PPP = 9
    FDDI = 10
    PPP_HDLC = 50
    PPP_ETHER = 51
    ATM_RFC1483 = 100
    RAW = 101
    C_HDLC = 104
    IEEE802_11 = 105
    ATM_CLIP = 106
    FRELAY = 107
    LOOP = 108
    ENC = 109
    LINUX_SLL = 113
    IEEE802_11_PRISM = 119
    IP_OVER_FC = 122
    SUNATM = 123
    IEEE802_11_RADIOTAP = 127
    APPLE_IP_OVER_IEEE1394 = 138
    IEEE802_11_AVS = 163
    PPP_PPPD = 166
    PPI = 192
    PPP_WITH_DIR = 204
    C_HDLC_WITH_DIR = 205
    FRELAY_WITH_DIR = 206
    MPLS = 219
    IPV4 = 228
    IPV6 = 229
    NFLOG = 239
    IPOIB = 242
    PKTAP = 258
    LINUX_SLL2 = 276
    DSA_TAG_BRCM = 281
    DSA_TAG_BRCM_PREPEND = 282
    DSA_TAG_DSA = 284
    DSA_TAG_EDSA = 285


@frozen
class Frame:
    """One frame as one capture point saw it."""

    time_ns: int
    """The kernel's stamp (SO_TIMESTAMPNS), or the file's."""
    point: str
    """Name of the capture point: "client/eth0"; in a foreign file the interface's."""
    direction: Direction
    data: bytes
    """The captured bytes, from the link-layer header on, VLAN tag included."""
    wire_bytes: int
    """Length on the wire; more than len(data) where the capture was cut short."""
    link_type: LinkType = LinkType.ETHERNET


class SharedBytes:
    """Keeps once the bytes of frames that are seen twice, as they left and as they arrived.

    In memory, and where frames are pickled: most of a recording's room is their bytes.
    """

    __slots__ = ("_seen_once",)

    def __init__(self) -> None:
        self._seen_once: dict[bytes, bytes] = {}

    def same(self, data: bytes) -> bytes:
        """These bytes: the object that came before, where one did that is not shared yet."""
        known = self._seen_once.pop(data, None)
        if known is None:
            self._seen_once[data] = data
            return data
        return known


@frozen
class CapturePoint:
    """Where frames were captured, and how well."""

    name: str
    """ "host/interface" """
    host: str
    interface: str
    link: str
    """Points with the same link name see the same frames: two veth ends, or one `lo`."""
    frames: int
    """Frames the kernel counted for this point, canaries included (PACKET_STATISTICS)."""
    dropped: int
    """Frames the kernel dropped for lack of buffer (PACKET_STATISTICS)."""


@frozen
class Canary:
    """A frame the lab itself sent to prove that the capture was alive."""

    bracket: CanaryBracket
    point: str
    """The capture point whose interface sent it."""
    payload: bytes
    """What follows the Ethernet header; unique to this canary."""
    step: str = ""
    """The scenario's step that it brackets."""


@frozen
class InterfaceSeen:
    """An interface as an ordinary program inside the namespace sees it."""

    host: str
    name: str
    addresses: tuple[IPv4Interface | IPv6Interface, ...]
    mtu_bytes: int | None = None
    """None in older recordings."""
