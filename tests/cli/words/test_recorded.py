"""The options of what looks at something recorded."""

from __future__ import annotations

import pytest

from lab.cli.words.options import make_parser


def test_flows_are_chosen_by_name_and_number() -> None:
    words = ("show", "x.pcap", "--flow", "udp:007", "--flow", "none")
    assert make_parser(words).parse_args(words).flow == ["udp:7", "none"]


@pytest.mark.parametrize(
    "words", [("diff", "one"), ("report",), ("record-test",), ("check",), ("show",)]
)
def test_what_is_to_be_looked_at_is_asked_for(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        make_parser(words).parse_args(words)
    assert ended.value.code == 2
    assert "required" in capsys.readouterr().err
