"""What options take, read from their words: each raises argparse's error where it is wrong."""

from __future__ import annotations

import argparse

MOST_JOBS = 64
LONGEST_S = 86400
MOST_OF_ANYTHING = 100_000
MOST_FRAMES = 10**12
LEAST_SNAP_BYTES = 64  # the lab's own canaries are nearly as long, and have to be known
MOST_SNAP_BYTES = 262_144
MOST_RING_MIB = 1024


def capability(name: str) -> str:
    """Its whole name: other tools are content with less of it, in any case."""
    name = name.upper()
    return name if name.startswith("CAP_") else f"CAP_{name}"


def flow(text: str) -> str:
    """The flow's name without leading zeros."""
    protocol, _, number = text.partition(":")
    if text == "none":
        return text
    if protocol not in ("tcp", "udp") or not number.isascii() or not number.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} names no flow, as tcp:7, udp:3 and none do")
    return f"{protocol}:{number.lstrip('0') or '0'}"


def port(text: str) -> int:
    """From 1 to 65535."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 1 to 65535")
    return int(text)


def number_of_jobs(text: str) -> int:
    """From 1 to MOST_JOBS."""
    return _number(text, 1, MOST_JOBS)


def wire_rules(text: str) -> list[str]:
    """The rule; or of @FILE the rules in it, a line each, without lines that begin with #."""
    if not text.startswith("@"):
        return [text]
    from pathlib import Path

    try:
        lines = Path(text[1:]).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
        raise argparse.ArgumentTypeError(f"cannot read {text[1:]!r}: {why}") from None
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def whole_number(text: str) -> int:
    """From 1 to MOST_OF_ANYTHING."""
    return _number(text, 1, MOST_OF_ANYTHING)


def snap_bytes(text: str) -> int:
    """From LEAST_SNAP_BYTES to MOST_SNAP_BYTES."""
    return _number(text, LEAST_SNAP_BYTES, MOST_SNAP_BYTES)


def ring_bytes(text: str) -> int:
    """Of 1 to MOST_RING_MIB mebibytes."""
    return _number(text, 1, MOST_RING_MIB) << 20


def number_of_frames(text: str) -> int:
    """From 1 to MOST_FRAMES."""
    return _number(text, 1, MOST_FRAMES)


def _number(text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} to {most}")
    return int(text)


def seconds(text: str) -> float:
    """Of a deadline, up to LONGEST_S."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to {LONGEST_S}")
    return value
