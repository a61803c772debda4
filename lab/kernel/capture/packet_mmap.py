"""What the kernel says of a frame in any ring of a packet socket: its direction, its VLAN tag.

Source: packet(7), Documentation/networking/packet_mmap.rst, linux/if_packet.h.
"""

from __future__ import annotations

import struct

PACKET_OUTGOING = 4
TP_STATUS_USER = 0x1
TP_STATUS_VLAN_VALID = 0x10
TP_STATUS_VLAN_TPID_VALID = 0x40
ETHERNET_HEADER_BYTES = 14
VLAN_TAG_BYTES = 4
DEFAULT_TPID = 0x8100  # IEEE 802.1Q, where the kernel names none


def with_tag(data: bytes, status: int, tci: int, tpid: int) -> bytes:
    """A frame with the VLAN tag where it was, which the kernel takes out (tp_status)."""
    kind = tpid if status & TP_STATUS_VLAN_TPID_VALID else DEFAULT_TPID
    return data[:12] + struct.pack("!HH", kind, tci) + data[12:]
