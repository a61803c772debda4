"""What a sweep's measures are called by, and in which unit they are shown."""

from __future__ import annotations

_SHOWN = {
    "goodput_bps": ("goodput, kbit/s", 1e-3),
    "lasted_s": ("lasted, ms", 1e3),
    "handshake_s": ("handshake, ms", 1e3),
    "took_s": ("the lab took, s", 1.0),
    "retransmissions": ("sent again", 1.0),
    "lost": ("frames lost", 1.0),
    "frames": ("frames", 1.0),
    "wire_bytes": ("bytes of frames", 1.0),
    "payload_bytes": ("payload bytes", 1.0),
}


def word_of(measure: str) -> str:
    """A measure's column in words, with its unit."""
    return _SHOWN[measure][0]


def in_units(measure: str, value: float) -> float:
    """A measure in the unit that `word_of` says."""
    return value * _SHOWN[measure][1]
