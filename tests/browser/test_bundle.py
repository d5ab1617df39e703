"""How much of the page a browser has to fetch before it shows anything: stated in web/README.md, and bounded here."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.support.chromium import unusable
from web import build

FIRST_KIB = 270
"""What is fetched at first, compressed as the app sends it: script, style sheet and the one font that is preloaded."""
LATER_KIB = 130
"""The largest script that is fetched when somebody wants what is in it, compressed."""


@pytest.fixture(scope="module")
def assets() -> Path:
    reason = unusable()
    if reason is not None:
        pytest.skip(reason)
    return build.DIST / "assets"


def sent(path: Path) -> int:
    body = path.read_bytes()
    return len(body) if path.suffix == ".woff2" else len(gzip.compress(body, mtime=0))


def at_first(assets: Path) -> set[str]:
    """Names of what index.html names, and of what those scripts import at once."""
    index = (build.DIST / "index.html").read_text()
    wanted = [name for name in re.findall(r'"/assets/([^"]+)"', index) if not name.endswith(".svg")]
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found.add(name)
        if name.endswith(".js"):
            # import("…") is for later; from "…" and import "…" are not.
            wanted += re.findall(r'(?:from|import)\s*"\./([^"]+\.js)"', (assets / name).read_text())
    return found


def test_what_is_fetched_at_first_is_bounded_and_stated(assets: Path) -> None:
    names = at_first(assets)
    kinds = sorted(Path(name).suffix for name in names)
    assert kinds.count(".css") == 1
    assert kinds.count(".woff2") == 1
    size = sum(sent(assets / name) for name in names) / 1024
    assert size <= FIRST_KIB, f"{size:.0f} KiB: {sorted(names)}"
    # A bound far above the truth bounds nothing.
    assert size >= 0.7 * FIRST_KIB, f"{size:.0f} KiB: lower the bound"
    readme = (build.WEB / "README.md").read_text()
    assert f"at most {FIRST_KIB} KiB" in readme
    assert f"at most {LATER_KIB} KiB" in readme


def test_no_script_that_is_fetched_later_is_large(assets: Path) -> None:
    later = {path.name for path in assets.glob("*.js")} - at_first(assets)
    sizes = {name: sent(assets / name) / 1024 for name in later}
    assert all(size <= LATER_KIB for size in sizes.values()), sizes


def test_nothing_in_the_page_names_a_foreign_host_to_load_from(assets: Path) -> None:
    index = (build.DIST / "index.html").read_text()
    assert re.findall(r'(?:src|href)="(?!/)[^"]*"', index) == []
    for path in assets.glob("*.css"):
        assert re.findall(r"url\((?!\"?(?:\./|/assets/|data:))[^)]*\)", path.read_text()) == []
