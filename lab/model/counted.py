"""Counts in words."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """ "1 read", "2 reads", "0 bytes"; of a noun whose plural ends in "s"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
