"""Debian's Chromium, without a display, a GPU or a word to anybody but the page under test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tools.local_host import wait_until
from web import build

OpenPage = Callable[..., Page]
AXE = build.WEB / "node_modules" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",  # the tests run as root in a container as often as not
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)


def executable() -> str | None:
    """The browser on PATH; None when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def unusable() -> str | None:
    """Why the page cannot be tested here, or None."""
    if executable() is None:
        return f"no browser: none of {', '.join(NAMES)} is on PATH"
    try:
        build.find_node()
    except build.NodeMissing as error:
        return str(error)
    if build.main([]) != 0:
        raise RuntimeError("the page does not build")
    return None


@contextmanager
def launched() -> Iterator[Browser]:
    """A running browser with a profile of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """Everything a page said or asked for that it should not have."""

    def __init__(self, context: BrowserContext) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.expected: tuple[str, ...] = ()  # texts of console errors that the test provokes
        context.on("console", self._console)
        context.on("weberror", lambda error: self.errors.append(f"uncaught: {error.error}"))
        context.on("request", self._request)

    def unexpected(self) -> list[str]:
        return [text for text in self.errors if not any(part in text for part in self.expected)]

    def foreign(self, origin: str) -> list[str]:
        """Requests to any other place than the page's own, inline data aside."""
        return [url for url in self.requests if not url.startswith((origin, "data:", "blob:"))]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)


def accessibility_problems(page: Page) -> list[str]:
    """What axe-core has against the page as it stands, one line for each rule: all levels, best practices too."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{violation['id']}: {violation['help']}: " + " | ".join(node["html"][:160] for node in violation["nodes"][:3])
        for violation in result["violations"]
    ]


def painted(page: Page, selector: str = "canvas.drone-canvas") -> int:
    """How many pixels of a canvas are not transparent."""
    return int(
        page.eval_on_selector(
            selector,
            """canvas => {
                // A copy: reading the page's own canvas again and again would make the browser warn.
                const copy = document.createElement("canvas");
                [copy.width, copy.height] = [canvas.width, canvas.height];
                const context = copy.getContext("2d", { willReadFrequently: true });
                context.drawImage(canvas, 0, 0);
                const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
                let count = 0;
                for (let at = 3; at < data.length; at += 4) if (data[at] > 40) count += 1;
                return count;
            }""",
        )
    )


def fingerprint(page: Page, selector: str = "canvas.drone-canvas") -> str:
    """Something that differs when the canvas shows something else."""
    return str(page.eval_on_selector(selector, "canvas => canvas.toDataURL()"))


def listen(page: Page, text: str) -> Callable[[], None]:
    """Before what makes the page say ``text`` for a moment; the result waits for it, also when it is over already."""
    page.evaluate(
        """text => {
            window.hasBeenSaid = false;
            const look = () => { window.hasBeenSaid ||= document.body.textContent.includes(text); };
            new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
        }""",
        text,
    )
    return lambda: wait_until(lambda: page.evaluate("window.hasBeenSaid"), 15, lambda: f"{text!r} has not been said")
