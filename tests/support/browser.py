"""mitmweb in a real browser: what people see of flows there."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, sync_playwright

SIZE = (1280, 800)


class Mitmweb:
    """Its page, opened with its token."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def flows(self) -> Locator:
        return self.page.locator(".flow-table tr.has-request")

    def show(self, path: str, tab: str, view: str = "auto") -> str:
        """Open the last flow with this in its path, at a tab, in a view; returns the view's text."""
        self.flows.filter(has_text=path).last.click()
        detail = self.page.locator(".flow-detail")
        detail.locator(".nav-tabs").get_by_text(tab, exact=True).click()
        detail.get_by_text("View:").click()
        self.page.locator(".dropdown-menu").get_by_text(view, exact=True).click()
        heading = detail.locator(".controls")
        if view != "auto":
            heading.get_by_text(view.capitalize(), exact=True).wait_for()
        return detail.locator(".contentview pre").inner_text()

    def picture(self, file: Path) -> None:
        """The view that is open now, from its top, as a PNG."""
        self.page.locator(".contentview").evaluate("view => view.scrollIntoView()")
        self.page.mouse.move(0, 0)
        self.page.screenshot(path=str(file))


@contextmanager
def mitmweb(url: str) -> Iterator[Mitmweb]:
    """A headless Chromium at this address, which has the token in it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        assert not os.environ.get("CI"), "Chromium is not installed, and CI has to have it"
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        # as root, and without shared memory, a container's browser has no sandbox to be in
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        page.set_default_timeout(20_000)
        page.goto(url)
        yield Mitmweb(page)
        browser.close()
