from __future__ import annotations

from lab.shell.grammar import COMMANDS
from lab.shell.help import HELP


def test_help_speaks_of_every_command() -> None:
    first_words = {line.split()[0] for line in HELP.splitlines()}
    assert set(COMMANDS) - {"exit", "nodes", "net"} <= first_words
