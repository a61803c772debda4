"""Text from packets, programs and files, made fit to be shown."""

from __future__ import annotations


def visible(text: str) -> str:
    r"""The text without control characters and what turns the direction of others around.

    Those are shown by their numbers: "\x00", "\u202e". Markup is not escaped.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _number(ord(c)) for c in text)


def visible_lines(text: str) -> str:
    """The same of a text in lines, whose ends stay."""
    return "".join(c if c == "\n" else visible(c) for c in text)


def _number(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible_bytes(data: bytes, most: int) -> str:
    """Bytes as Python shows them, without the b: 'Hello. '; "..." behind `most` of them."""
    return f"{data[:most]!r}"[1:] + ("..." if len(data) > most else "")


def cut(text: str, columns: int) -> str:
    """The text in at most that many characters; "…" where it is cut."""
    return text if len(text) <= columns else text[: max(columns - 1, 0)] + "…"
