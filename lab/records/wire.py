"""What a link's wire did to frames."""

from __future__ import annotations

from lab.frozen import frozen


@frozen
class WireRule:
    """A rule of a link's wire in a step (docs/wire.md)."""

    step: str
    text: str
    """As it was written: "client>server drop SYN 1"."""
    action: str
    """Its action's word: "drop"."""
    link: str
    """The link's name, as a capture point has it."""
    matched: int
    """How many frames it was about, or how often it took the link down or up."""
    strikes: int
    """How many strikes of it were recorded."""


@frozen
class WireStrike:
    """What one rule of a wire did to one frame, or to a link."""

    time_ns: int
    rule: int
    """Its place among the recording's wire rules, from 0."""
    point: str
    """The capture point that the frame had left by; of a link, that of an end."""
    checksum: int
    """CRC-32 of the frame as it came to the wire; 0 of a link."""
    occurrence: int
    """How many frames with these bytes had left by that point in the step before."""
    copy: int
    """0 for the frame itself, else the number of its copy."""
    is_end: bool
    """Whether it went no further."""
    copies: int
    """How many copies were made of it."""
    delay_ns: int
    """How long it was held, where that was known at once."""
    changed: bytes
    """The whole frame as it went on; empty where it went on as it was, or not at all."""
    step: str = ""
