"""The picture of report.html in README, of a recorded run: `make picture`.

Arguments: the run's name among the recordings, and the PNG file to write.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from browser import open_browser, opened
from scenes import recorded_page

HEIGHT = 860


def main(name: str, target: str) -> None:
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        file = Path(folder) / "report.html"
        file.write_text(recorded_page(name), "utf-8")
        with opened(browser, file, fragment="#conversation/f6") as page:
            page.set_viewport_size({"width": 1280, "height": HEIGHT})
            page.evaluate("document.querySelector('.split').scrollIntoView()")
            page.evaluate("scrollBy(0, page.ladder.topOf(page.view.chosen) - 330)")
            page.locator(".fields").get_by_role("button", name="sequence number").click()
            page.wait_for_function("page.ladder.drawn !== null")
            page.locator("#detail").evaluate("pane => { pane.scrollTop = 0; }")
            page.screenshot(path=target)


if __name__ == "__main__":
    main(*sys.argv[1:])
