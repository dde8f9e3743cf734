"""A real browser for tests of pages: Debian's Chromium, driven by Playwright's library."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = {"phone": 390, "tablet": 820, "desktop": 1280}
HEIGHT = 900


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window. Fails, and never skips, where there is none."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail(
            "no Chromium on PATH, so that no page can be looked at: ./run-tests installs it; "
            "by hand: apt-get install -y --no-install-recommends chromium"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Opened:
    """A page as a browser shows it.

    Args:
        page: To act on.
        requests: Every address that was asked for so far.
        complaints: What the browser's console said.
    """

    page: Page
    requests: list[str]
    complaints: list[str]


@contextmanager
def opened(browser: Browser, path: Path, *, width: int = 1280) -> Iterator[Opened]:
    """Opens a file in a window of its own.

    Args:
        browser: As started.
        path: The page.
        width: Of the window in pixels.
    """
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme="light",
        offline=True,
    )
    try:
        page = context.new_page()
        found = Opened(page, [], [])
        page.on("request", lambda request: found.requests.append(request.url))
        page.on("console", lambda message: found.complaints.append(message.text))
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.goto(path.as_uri())
        yield found
    finally:
        context.close()
