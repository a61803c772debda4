"""What is said of words that the command line does not know."""

from __future__ import annotations

import pytest

from lab.cli.words.options import make_parser


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The last line of standard error; status 2, and nothing on standard output."""
    with pytest.raises(SystemExit) as ended:
        make_parser(words).parse_args(words)
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
        (("run", "tcp", "--trace", "ptrac"), "did you mean 'ptrace'?"),
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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "--port", "0"), "argument --port: '0' is no port from 1 to 65535"),
        (("show", "x.pcap", "--flow=tcp"), "argument --flow: 'tcp' names no flow"),
    ],
)
def test_a_value_that_is_refused_is_said_with_its_option(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert said in refused(capsys, *words)
