"""Recordings of the real extension, and what is left of a value when times, ids and .NET's own text are taken out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recordings"

_REPLACED = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<guid>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<hex>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"), "<time>"),
    (re.compile(r"http://127\.0\.0\.1:\d+/runtime/webhooks/durabletask"), "BASE"),
)
# The recordings hold long strings cut, with their length.
_CUT = re.compile(r"<cut: (\d+) characters in all>")
# The order of a .NET dictionary.
_KNOWN = re.compile(r"(The following are the known \w+ functions: )([^.]*)")
# The sorter keeps order between hosts that exchange entity messages: one host has nothing to keep there.
_VARYING = {"duration", "startTime", "sorter"}


def load(scenario: str) -> list[dict[str, Any]]:
    """Its exchanges, in the order of time."""
    exchanges: list[dict[str, Any]] = json.loads((FOLDER / f"{scenario}.json").read_text())["exchanges"]
    return exchanges


def normal(value: Any) -> Any:
    """`value` without what differs between any two runs."""
    if isinstance(value, str):
        return _normal_text(value)
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, dict):
        return {key: "<varies>" if key in _VARYING else normal(item) for key, item in value.items()}
    return value


def comparable(value: Any) -> str:
    """Text that shows differences in keys' order too."""
    return json.dumps(normal(value), indent=1, ensure_ascii=False)


def _normal_text(text: str) -> str:
    if '{"$type":"System.Exception' in text:
        text = text[: text.index('{"$type":"System.Exception')] + "<exception>"
    if ", StackTrace: " in text:
        text = text[: text.index(", StackTrace: ")] + ", StackTrace: <stack>"
    cut = _CUT.search(text)
    if cut is not None:
        return f"<{cut.group(1)} characters>"
    if len(text) > 50_000:
        return f"<{len(text)} characters>"
    text = _KNOWN.sub(lambda found: found[1] + ", ".join(sorted(found[2].split(", "))), text)
    for pattern, name in _REPLACED:
        text = pattern.sub(name, text)
    return text
