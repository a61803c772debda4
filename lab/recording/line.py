"""Fields of one JSON object of a recording, checked as they are taken out."""

from __future__ import annotations

from typing import Any

Line = dict[str, Any]


def text_of(line: Line, name: str) -> str:
    """A field's text. Raises KeyError, TypeError."""
    value = line[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}, no text")
    return value


def texts_of(line: Line, name: str) -> tuple[str, ...]:
    """A field's texts. Raises KeyError, TypeError."""
    values = line[name]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{name} is {values!r}, no list of texts")
    return tuple(values)


def number_of(line: Line, name: str) -> int:
    """A field's integer of 64 bits. Raises KeyError, TypeError."""
    value = line[name]
    if type(value) is not int or abs(value) >= 1 << 63:
        raise TypeError(f"{name} is {value!r}, no 64-bit integer")
    return value


def number_or_none_of(line: Line, name: str) -> int | None:
    """A field's integer, or None where it is null. Raises KeyError, TypeError."""
    return None if line[name] is None else number_of(line, name)


def truth_of(line: Line, name: str) -> bool:
    """A field's truth value. Raises KeyError, TypeError."""
    value = line[name]
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, neither true nor false")
    return value
