"""The options of what a course is taught and graded with."""

from __future__ import annotations

import pytest

from lab.cli.words.options import make_parser


def test_a_sheet_is_graded_with_what_is_handed_in() -> None:
    words = ("grade", "tcp_echo", "a.py", "b.py", "-j", "2", "--out", "here")
    options = make_parser(words).parse_args(words)
    assert (options.sheet, options.submissions) == ("tcp_echo", ["a.py", "b.py"])
    assert (options.jobs, options.out) == (2, "here")


@pytest.mark.parametrize("jobs", ["0", "-1", "two"])
def test_a_number_of_jobs_is_one(jobs: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("grade", "tcp_echo", "a.py", "-j", jobs)
    with pytest.raises(SystemExit) as ended:
        make_parser(words).parse_args(words)
    assert ended.value.code == 2
    assert "-j" in capsys.readouterr().err
