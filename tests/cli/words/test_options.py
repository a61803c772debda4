"""The commands of the command line, their help, and what their options say."""

from __future__ import annotations

import re
from argparse import Namespace

import pytest
from house import ROOT

from lab.cli.words import course, recorded, running
from lab.cli.words.options import COMMANDS, SHELLS, make_parser


def parsed(*words: str) -> Namespace:
    return make_parser(words).parse_args(words)


def test_no_command_is_no_error() -> None:
    assert parsed().command is None


def test_every_command_has_its_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    make_parser(()).print_help()
    text = capsys.readouterr().out
    for name, line in COMMANDS.items():
        assert f"    {name}" in text
        assert line in text


def test_the_documentation_has_every_command() -> None:
    synopsis = (ROOT / "docs" / "command.md").read_text("utf-8")
    named = set(re.findall(r"^    wirelab ([a-z-]+)", synopsis, re.MULTILINE))
    assert named == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(name, "--help")
    assert ended.value.code == 0
    assert f"usage: wirelab {name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_in_one_file_alone(name: str) -> None:
    files = [each for each in (running, recorded, course) if name in each.OPTIONS]
    assert len(files) == (name not in ("claims", "doctor", "completion"))


def test_shells_are_known() -> None:
    assert [parsed("completion", shell).shell for shell in SHELLS] == list(SHELLS)


def test_what_commands_share_is_read() -> None:
    options = parsed("run", "tcp", "--cap", "net_admin", "--cap", "kill", "--wire", "a", "-q")
    assert options.cap == ["CAP_NET_ADMIN", "CAP_KILL"]
    assert (options.wire, options.sysctl, options.quiet, options.verbose) == (
        ["a"],
        [],
        True,
        False,
    )
    options = parsed("show", "x.pcap", "--flow", "udp:007", "--flow", "none")
    assert options.flow == ["udp:7", "none"]
