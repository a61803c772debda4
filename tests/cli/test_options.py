"""The words of the command line, and what is said of those it does not know."""

from __future__ import annotations

from argparse import Namespace

import pytest

from lab.cli.options import COMMANDS, SHELLS, make_parser


def parsed(*words: str) -> Namespace:
    return make_parser(words).parse_args(words)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The last line of standard error; status 2, and nothing on standard output."""
    with pytest.raises(SystemExit) as ended:
        parsed(*words)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rnu", "tcp"), "'rnu' is none of list, run, "),
        (("rnu", "tcp"), "did you mean 'run'?"),
        (("scenario",), "did you mean 'scenarios'?"),
        (("run", "tcp", "--trace", "tracfs"), "did you mean 'tracefs'?"),
        (("run", "tcp", "--famly", "6"), "unknown: --famly 6; did you mean '--family'?"),
        (("run", "tcp", "--jsno=1"), "did you mean '--json'?"),
        (("compare", "--out-dir"), "did you mean '--out'?"),
        (("completion", "fsh"), "did you mean 'fish'?"),
    ],
)
def test_what_a_word_may_have_been_meant_to_be(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert said in refused(capsys, *words)


@pytest.mark.parametrize(
    "words", [("xyzzy",), ("run", "--family", "5"), ("list", "more"), ("doctor", "--qqq")]
)
def test_nothing_is_suggested_where_nothing_is_near(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    message = refused(capsys, *words)
    assert words[-1] in message
    assert "did you mean" not in message


def test_no_command_is_no_error() -> None:
    assert parsed().command is None


def test_every_command_has_its_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    make_parser(()).print_help()
    text = capsys.readouterr().out
    for name, (line, _) in COMMANDS.items():
        assert f"    {name}" in text
        assert line in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(name, "--help")
    assert ended.value.code == 0
    assert f"usage: wirelab {name}" in capsys.readouterr().out


def test_options_are_read() -> None:
    options = parsed("run", "tcp", "udp", "--family", "both", "--port", "80", "--deadline", "2.5")
    assert options.names == ["tcp", "udp"]
    assert (options.family, options.port, options.deadline) == ("both", 80, 2.5)
    assert (options.out, options.trace, options.json) == ("runs", "auto", False)
    assert parsed("scenarios").family == "both"
    assert [parsed("completion", shell).shell for shell in SHELLS] == list(SHELLS)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--port", value) for value in ("0", "65536", "½", "http")),
        *(("--deadline", value) for value in ("0", "-1", "nan", "86401")),
    ],
)
def test_a_value_out_of_range_is_refused(
    capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    assert f"{value!r} is no " in refused(capsys, "run", option, value)


@pytest.mark.parametrize("name", ["CAP_NET_ADMIN", "NET_ADMIN", "net_admin", "cap_net_admin"])
def test_a_capability_has_its_name_in_any_case_and_without_prefix(name: str) -> None:
    assert parsed("run", "tcp", "--cap", name, "--cap", "kill").cap == ["CAP_NET_ADMIN", "CAP_KILL"]


@pytest.mark.parametrize(
    ("typed", "name"), [("tcp:7", "tcp:7"), ("udp:007", "udp:7"), ("tcp:000", "tcp:0")]
)
def test_a_flow_is_named_by_protocol_and_number(typed: str, name: str) -> None:
    options = parsed("show", "x.pcap", "--flow", typed, "--flow", "none")
    assert options.flow == [name, "none"]


@pytest.mark.parametrize(
    "typed",
    ["", "tcp", "tcp:", "7", ":7", "tcp 7", "sctp:1", "tcp:-1", "tcp:1x", "tcp:²", "none:1"],
)
def test_what_names_no_flow_is_refused(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "show", "x.pcap", f"--flow={typed}")
    assert f"{typed!r} names no flow, as tcp:7, udp:3 and none do" in said
