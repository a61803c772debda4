"""Bytes of a frame → Packet: every header, from the link layer in."""
