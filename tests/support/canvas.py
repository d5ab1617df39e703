"""What a test can see of a canvas: where something of one of the style sheet's colours is drawn, and a map's scale."""

from __future__ import annotations

from playwright.sync_api import Page

# A copy is read: reading the page's own canvas again and again would make the browser warn.
_PIXELS = """
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(variable);
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    const found = [];
    for (const canvas of document.querySelectorAll(selector)) {
        const copy = document.createElement("canvas");
        [copy.width, copy.height] = [canvas.width, canvas.height];
        const context = copy.getContext("2d", { willReadFrequently: true });
        context.drawImage(canvas, 0, 0);
        const { data } = context.getImageData(0, 0, copy.width, copy.height);
        for (let at = 0; at < data.length; at += 4) {
            if (data[at] !== r || data[at + 1] !== g || data[at + 2] !== b || data[at + 3] !== 255) continue;
            found.push([(at / 4) % copy.width, Math.floor(at / 4 / copy.width)]);
        }
    }
"""


def box_of_colour(page: Page, variable: str, selector: str = "canvas.drone-canvas") -> list[int]:
    """Left, top, right, bottom, in pixels of the canvas; empty when nothing is drawn in that colour."""
    box: list[int] = page.evaluate(
        f"""([variable, selector]) => {{
            {_PIXELS}
            const box = [Infinity, Infinity, -Infinity, -Infinity];
            for (const [x, y] of found) {{
                box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y);
                box[2] = Math.max(box[2], x); box[3] = Math.max(box[3], y);
            }}
            return found.length ? box : [];
        }}""",
        [variable, selector],
    )
    return box


def northeast_of_colour(page: Page, variable: str, selector: str) -> tuple[int, int]:
    """The pixel in that colour that is farthest to the top right."""
    x, y = page.evaluate(
        f"""([variable, selector]) => {{
            {_PIXELS}
            return found.reduce((best, [x, y]) => (x - y > best[0] - best[1] ? [x, y] : best), [0, 1e9]);
        }}""",
        [variable, selector],
    )
    return int(x), int(y)


def kilometres(page: Page) -> float:
    """What the map's scale says its bar is long."""
    number, unit = page.locator(".map-scale-inner").inner_text().split()
    return float(number) / (1 if unit == "km" else 1000)
