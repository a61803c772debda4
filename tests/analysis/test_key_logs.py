from __future__ import annotations

import pytest

from lab.analysis.key_logs import about_secrets, key_log_lines, secrets_for_wireshark
from lab.records import KeyLog

RANDOM = "0123456789abcdef" * 4
OURS = f"CLIENT_TRAFFIC_SECRET_0 {RANDOM} {'ab' * 32}"
THEIRS = f"SERVER_TRAFFIC_SECRET_0 {RANDOM} {'CD' * 48}"
OLDER = f"CLIENT_RANDOM {RANDOM} {'01' * 48}"
RSA = f"RSA 0123456789abcdef {'01' * 48}"


@pytest.mark.parametrize("line", [OURS, THEIRS, OLDER, RSA])
def test_a_line_is_a_secret(line: str) -> None:
    found = key_log_lines(f"# a comment\n\n{line}\r\n{line}\n")
    assert (found.secrets, found.other_lines) == ((line,), 0)


@pytest.mark.parametrize(
    "line",
    [
        OURS[:-1],
        OURS + "\0",
        f" {OURS}",
        OURS.replace(" ", "  ", 1),
        f"CLIENT_RANDOM {RANDOM[:-2]} {'01' * 48}",
        f"CLIENT_RANDOM {RANDOM} {'01' * 129}",
        f"<script> {RANDOM} {'01' * 48}",
        "\u2028" + OURS,
        "\0" * 1000,
        "\\xff\udcff",
    ],
)
def test_a_line_is_none(line: str) -> None:
    found = key_log_lines(f"{line}\n{OLDER}")
    assert (found.secrets, found.other_lines) == ((OLDER,), 1)


def test_what_both_ends_wrote_is_there_once() -> None:
    logs = (
        KeyLog("server", f"# a comment\n{OURS}\n{THEIRS}\n"),
        KeyLog("client", f"{OURS}\n{THEIRS}\n{OLDER}\n"),
        KeyLog("other", "nonsense"),
    )
    assert secrets_for_wireshark(logs) == (f"{OURS}\n{THEIRS}\n", f"{OLDER}\n")
    assert secrets_for_wireshark(()) == ()


def test_whose_secrets_are_there_is_said_and_what_is_not() -> None:
    assert about_secrets((KeyLog("client", "# a comment\n"),)) == ()
    assert about_secrets((KeyLog("client", "x\ny\n", 3),)) == (
        "client wrote 2 lines to SSLKEYLOGFILE that are no secrets",
        "of what client wrote to SSLKEYLOGFILE 3 bytes are not kept",
    )
    (said,) = about_secrets((KeyLog("client", OURS), KeyLog("a", THEIRS), KeyLog("client", OLDER)))
    assert said.startswith("the recording and the capture files hold TLS secrets of client and a:")
