"""A page opened from disk in Chromium, and what it did meanwhile."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")


def why_no_browser() -> str:
    """Why no page can be opened here; "" if it can."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError as error:
        return str(error)
    if not any(map(shutil.which, NAMES)):
        return f"none of {', '.join(NAMES)} is installed"
    return ""


@contextmanager
def open_browser() -> Iterator[Browser]:
    """The browser that is there; root is allowed one without its sandbox alone."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, file: Path, *, theme: str = "light", width: int = 1280, fragment: str = ""
) -> Iterator[Page]:
    """The page. At the end it must not have complained, nor asked for anything but itself."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
    )
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: asked.append(request.url.partition("#")[0]))
    page.goto(file.as_uri() + fragment)
    try:
        yield page
        assert said == []
        assert set(asked) == {file.as_uri()}
    finally:
        context.close()


def axe_source() -> str:
    """axe-core as npm has it, kept for the next time; "" where npm or its registry is not there."""
    cache = Path(tempfile.gettempdir()) / "wirelab-axe-core"
    cache.mkdir(exist_ok=True)
    if not list(cache.glob("axe-core-*.tgz")):
        try:
            subprocess.run(
                ["npm", "pack", "--silent", "axe-core"],
                cwd=cache,
                check=True,
                capture_output=True,
                timeout=60,
            )
        except (OSError, subprocess.SubprocessError):
            return ""
    with tarfile.open(next(cache.glob("axe-core-*.tgz"))) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode("utf-8")
