"""What programs wrote to SSLKEYLOGFILE: the secrets that capture files are decrypted with.

Source: RFC 9850, The SSLKEYLOGFILE Format for TLS; NSS Key Log Format for RSA.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lab.frozen import frozen
from lab.model.counted import counted
from lab.records import KeyLog

_LINE = re.compile(
    r"(?:[A-Z][A-Z0-9_]{1,63} [0-9A-Fa-f]{64}|RSA [0-9A-Fa-f]{16}) (?:[0-9A-Fa-f]{2}){16,128}"
)


@frozen
class KeyLogLines:
    """What a text holds that should be a key log."""

    secrets: tuple[str, ...]
    """A label, what the connection is found by (its ClientHello's random), and the secret."""
    other_lines: int
    """How many lines are neither that, nor a comment, nor empty."""


def key_log_lines(text: str) -> KeyLogLines:
    """The lines of one program's key log, whatever it holds; each once, in their order."""
    # Not splitlines(): U+2028 and others end no line of a key log.
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    secrets = dict.fromkeys(line for line in lines if _LINE.fullmatch(line))
    others = sum(bool(line) and line[0] != "#" and line not in secrets for line in lines)
    return KeyLogLines(tuple(secrets), others)


def secrets_for_wireshark(key_logs: Sequence[KeyLog]) -> tuple[str, ...]:
    """The secrets as texts for a capture file, each secret once.

    A text for each program that has a secret that those before it have not: both ends of a
    connection write the same.
    """
    known: set[str] = set()
    texts = []
    for key_log in key_logs:
        found = [line for line in key_log_lines(key_log.text).secrets if line not in known]
        known.update(found)
        if found:
            texts.append("".join(f"{line}\n" for line in found))
    return tuple(texts)


def about_secrets(key_logs: Sequence[KeyLog]) -> tuple[str, ...]:
    """What whoever passes the capture files on has to know, a sentence each; none, nothing."""
    having: dict[str, None] = {}
    remarks = []
    for key_log in key_logs:
        found = key_log_lines(key_log.text)
        if found.secrets:
            having[key_log.program] = None
        if found.other_lines:
            lines = counted(found.other_lines, "line")
            remarks.append(f"{key_log.program} wrote {lines} to SSLKEYLOGFILE that are no secrets")
        if key_log.beyond:
            beyond = counted(key_log.beyond, "byte")
            remarks.append(
                f"of what {key_log.program} wrote to SSLKEYLOGFILE {beyond} are not kept"
            )
    if not having:
        return tuple(remarks)
    *others, last = having
    names = f"{', '.join(others)} and {last}" if others else last
    return (
        f"the recording and the capture files hold TLS secrets of {names}: "
        "whoever has them can read what was encrypted (--no-secrets leaves them out)",
        *remarks,
    )
