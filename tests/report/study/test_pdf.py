"""PDFs, printed by the browser that is there."""

from __future__ import annotations

import shutil

import pytest
import recorded as r

from lab.errors import UsageError
from lab.report.study.pdf import BROWSERS, print_page
from lab.report.study.worksheet_page import worksheet_page
from lab.run import judged
from lab.study.worksheet import make_worksheet


@pytest.mark.browser
def test_a_worksheet_is_printed_on_few_pages() -> None:
    if not any(map(shutil.which, BROWSERS)):
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    run = judged(str(r.FOLDER / "traced-tcp4"))
    printed = print_page(
        worksheet_page(
            run.heading, run.lesson, [make_worksheet(run.timelines[0], run.ladders[0], 1)]
        )
    )
    assert printed.startswith(b"%PDF-")
    assert 1 <= printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") <= 3


def test_without_a_browser_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="or write the page by --html and print it"):
        print_page("<p>x</p>")
