"""A page as PDF, printed by a browser that is there: Chromium or one of its kind."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.errors import UsageError

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
DEADLINE_S = 120


def print_page(page: str) -> bytes:
    """The page, printed without head or foot. Raises UsageError where no browser can print it."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise UsageError(
            "a PDF is printed by Chromium or Chrome, and none is installed: apt-get install "
            "chromium, or write the page by --html and print it"
        )
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(page, "utf-8")
        command = [browser, "--headless", "--disable-gpu", "--no-pdf-header-footer"]
        command += [f"--user-data-dir={folder}/profile", f"--print-to-pdf={target}"]
        if os.geteuid() == 0:
            # It refuses root otherwise; the page has no script and refers to nothing.
            command.append("--no-sandbox")
        try:
            done = subprocess.run(
                [*command, source.as_uri()],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=DEADLINE_S,
            )
        except subprocess.TimeoutExpired:
            raise UsageError(f"{browser} did not print the page within {DEADLINE_S} s") from None
        if not target.exists():
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise UsageError(f"{browser} did not print the page: {said}")
        return target.read_bytes()
