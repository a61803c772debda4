"""The numbers of the pcapng format: types of blocks, codes of options.

Source: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

SECTION_HEADER = 0x0A0D_0D0A
INTERFACE_DESCRIPTION = 1
PACKET = 2
"""Obsolete; the predecessor of the Enhanced Packet Block."""
SIMPLE_PACKET = 3
NAME_RESOLUTION = 4
ENHANCED_PACKET = 6
DECRYPTION_SECRETS = 10

TLS_KEY_LOG = 0x544C_534B
"""Of a Decryption Secrets Block: the type of its secrets."""

END_OF_NAMES = 0
IPV4_NAMES = 1
IPV6_NAMES = 2
"""Of a Name Resolution Block's records: their types."""

END_OF_OPTIONS = 0
COMMENT = 1
SHB_USER_APPLICATION = 4
IF_NAME = 2
IF_TIMESTAMP_RESOLUTION = 9
IF_TIMESTAMP_OFFSET = 14
PACKET_FLAGS = 2

FRAMING_BYTES = 12
"""Of every block: its type, its length, and that again at its end."""
