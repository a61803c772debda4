"""The site at work: each page in Chromium, from disk, light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import axe_source, open_browser, why_no_browser
from house import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator, Page

SITE = ROOT / "site"
NOT_BUILT = "" if (SITE / "index.html").is_file() else "site/ is not there: make docs builds it"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(NOT_BUILT or why_no_browser()), reason=NOT_BUILT or why_no_browser()),
]
PARTS = 4
"""The pages are opened by so many tests, which run beside each other."""

SERIOUS = ("serious", "critical")
NARROW = 400


def pages() -> list[Path]:
    """The site's own pages: those of runs are tested in tests/report/html, sources are alike."""
    html = (path for path in SITE.rglob("*.html") if "runs" not in path.parts)
    found = sorted(path for path in html if path.name != "404.html")  # which only a server shows
    sources = [path for path in found if "source" in path.relative_to(SITE).parts]
    return [*(path for path in found if path not in sources), *sources[:2]]


class Opened:
    """A page of the browser's, in which one page of the site after the other is opened."""

    def __init__(self, browser: Browser, theme: str, width: int) -> None:
        self._context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
        )
        self.page: Page = self._context.new_page()
        self.faults: list[str] = []
        """What was said on the console, and what was asked for elsewhere than in the site."""
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        if not url.startswith((SITE.as_uri(), "data:", "blob:")):
            self.faults.append(f"asked for {url}")

    def open(self, path: Path, fragment: str = "") -> Page:
        self.page.goto(path.as_uri() + fragment)
        return self.page

    def close(self) -> None:
        self._context.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


def ladder_in(page: Page) -> FrameLocator:
    """The run's page within a page, which is loaded and drawn only once somebody scrolls there."""
    page.locator("iframe.run").scroll_into_view_if_needed()
    return page.frame_locator("iframe.run")


def serious(page: Page, axe: str) -> list[str]:
    """What axe-core finds in a page and calls serious; frames are pages of their own."""
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate(
        "axe.run(document, { iframes: false, preload: false, resultTypes: ['violations'] })"
    )
    return [
        f"{each['id']}: {node['target']}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", NARROW)])
def test_every_page_opens_without_a_complaint_and_can_be_read(
    browser: Browser, axe: str, theme: str, width: int, part: int
) -> None:
    opened = Opened(browser, theme, width)
    faults: dict[str, list[str]] = {}
    for path in pages()[part::PARTS]:
        page = opened.open(path)
        found = opened.faults[:]
        opened.faults.clear()
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append("wider than the window")
        if axe:
            found += serious(page, axe)
        if found:
            faults[str(path.relative_to(SITE))] = found
    opened.close()
    assert faults == {}
    assert axe, "axe-core is not to be had"


def test_the_search_finds_words_from_disk(browser: Browser) -> None:
    opened = Opened(browser, "light", 1280)
    page = opened.open(SITE / "index.html")
    page.locator("input[name=query]").fill("simultaneous open")
    first = page.locator(".md-search-result__item a").first
    first.wait_for()
    assert "simultaneous-open" in (first.get_attribute("href") or "")
    assert opened.faults == []
    opened.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_follows_the_system_pictures_and_ladders_too(
    browser: Browser, theme: str
) -> None:
    opened = Opened(browser, theme, 1280)
    page = opened.open(SITE / "lessons/tcp.html")
    frame = ladder_in(page)
    frame.locator(".canvas svg .arrow").first.wait_for(state="attached")
    lightness = "getComputedStyle(document.body).backgroundColor"
    inner = frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    outer = page.evaluate(lightness)
    assert (inner == "rgb(255, 255, 255)") is (outer == "rgb(255, 255, 255)") is (theme == "light")
    assert opened.faults == []
    opened.close()


def test_a_ladder_within_a_page_opens_at_what_answers_the_question(browser: Browser) -> None:
    opened = Opened(browser, "light", 1280)
    page = opened.open(SITE / "lessons/tcp.html")
    frame = ladder_in(page)
    assert frame.locator("#detail h3").inner_text().startswith("f3 SYN")
    frame.locator("button.text.chosen").wait_for()
    # Choosing an event within it does not move the page around it.
    before = page.evaluate("scrollY")
    frame.locator("#detail").get_by_role("button", name="next").click()
    assert not frame.locator("#detail h3").inner_text().startswith("f3 SYN")
    assert page.evaluate("scrollY") == before
    opened.close()


def test_solutions_are_folded_until_they_are_asked_for(browser: Browser) -> None:
    opened = Opened(browser, "light", 1280)
    page = opened.open(SITE / "lessons/nagle.html")
    answer = page.locator("details", has_text="Once you have predicted it").locator("p").first
    assert not answer.is_visible()
    page.get_by_text("Once you have predicted it").click()
    assert answer.is_visible()
    assert page.locator("details summary", has_text="Solution").count() >= 3
    opened.close()


WIDER = """selector => [...document.querySelectorAll(selector)]
    .filter(each => each.scrollWidth > each.clientWidth)
    .map(each => each.textContent.slice(0, 60))"""


def test_signatures_and_the_synopsis_fit_their_page(browser: Browser) -> None:
    opened = Opened(browser, "light", 1280)
    for path in (*sorted((SITE / "reference").glob("*.html")), SITE / "command.html"):
        assert opened.open(path).evaluate(WIDER, ".md-typeset pre > code") == [], path.name
    opened.close()


def test_a_short_word_of_code_is_in_one_line(browser: Browser) -> None:
    opened = Opened(browser, "light", NARROW)
    page = opened.open(SITE / "ad-hoc-runs.html")
    lines = page.locator("code", has_text="--no-wait").evaluate_all(
        "every => every.filter(each => each.textContent === '--no-wait')"
        "    .map(each => each.getClientRects().length)"
    )
    assert lines and set(lines) == {1}
    opened.close()


def test_a_ladder_of_many_hosts_is_as_large_as_one_of_two(browser: Browser) -> None:
    opened = Opened(browser, "light", 1280)
    page = opened.open(SITE / "causes-seen.html")
    sizes = page.locator('img[src*="pictures/"]').evaluate_all(
        "every => every.map(e => [e.naturalWidth, e.width / e.naturalWidth])"
    )
    assert {natural for natural, _ in sizes} > {1000}
    assert max(scale for _, scale in sizes) < 1.1 * min(scale for _, scale in sizes)
    opened.close()
