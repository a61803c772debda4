"""Values that a field may have, where that is more than one."""

from __future__ import annotations

from collections.abc import Callable

from lab.frozen import frozen


@frozen
class Where:
    """Any value that a test is true of."""

    text: str
    """ "at most 3": as a failure shows it."""
    test: Callable[[object], bool]

    def __str__(self) -> str:
        return self.text


def at_most(number: int) -> Where:
    """This number or less."""
    return Where(f"at most {number}", lambda value: isinstance(value, int) and value <= number)


def at_least(number: int) -> Where:
    """This number or more."""
    return Where(f"at least {number}", lambda value: isinstance(value, int) and value >= number)


def contains(part: bytes | str) -> Where:
    """Bytes with these among them; text is taken as UTF-8."""
    wanted = as_bytes(part)
    return Where(f"contains {wanted!r}", lambda value: isinstance(value, bytes) and wanted in value)


def starts_with(part: bytes | str) -> Where:
    """Bytes that begin with these; text is taken as UTF-8."""
    wanted = as_bytes(part)
    return Where(
        f"starts with {wanted!r}",
        lambda value: isinstance(value, bytes) and value.startswith(wanted),
    )


def as_bytes(value: bytes | str) -> bytes:
    """The bytes; of text, its UTF-8."""
    return value.encode() if isinstance(value, str) else value


def is_as_expected(expected: object, actual: object) -> bool:
    """Whether a value is what a pattern has: the same, one of several, or what a test allows."""
    if isinstance(expected, Where):
        return expected.test(actual)
    if isinstance(expected, range | set | frozenset | tuple | list):
        return actual in expected
    if isinstance(actual, bytes) and isinstance(expected, str):
        return actual == expected.encode()
    return actual == expected


def shown(value: object, most: int = 60) -> str:
    """The value on one line, cut where it is long."""
    if isinstance(value, range):
        return f"{value.start} to {value.stop - 1}"
    if isinstance(value, set | frozenset | tuple | list):
        return "one of " + ", ".join(sorted(shown(each) for each in value))
    text = str(value) if isinstance(value, Where | int | str) else repr(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."
