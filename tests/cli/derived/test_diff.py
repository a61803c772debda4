from __future__ import annotations

from pathlib import Path

import pytest
from scenes import RECORDINGS, Parsed

from lab.cli.main import main


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(("diff", *words))
    return int(ended.value.code or 0)


def test_a_run_and_itself_do_not_differ(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*[str(RECORDINGS / "tcp4")] * 2) == 0
    assert "Nothing differs but times." in capsys.readouterr().out


def test_what_differs_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(RECORDINGS / "tcp4"), str(RECORDINGS / "tcp6")) == 1
    said = capsys.readouterr().out
    assert "- client → server: ARP who has 198.51.100.2?" in said
    assert "+ client → server: ND" in said


def test_a_page_is_written(tmp_path: Path) -> None:
    target = tmp_path / "x.html"
    assert run(str(RECORDINGS / "tcp4"), str(RECORDINGS / "tcp6"), "--html", str(target)) == 1
    parsed = Parsed(target.read_text("utf-8"))
    assert "conversation: frames" in parsed.text
    assert not any(tag == "script" for tag, _ in parsed.elements)


def test_runs_of_two_scenarios_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(RECORDINGS / "tcp4"), str(RECORDINGS / "udp4")) == 2
    assert "a run of tcp and" in capsys.readouterr().err
