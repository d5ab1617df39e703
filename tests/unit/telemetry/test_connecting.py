"""docs/connecting.md: each message as it arrives becomes the drone that is shown under it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from telemetry.merge import merge_messages
from telemetry.model import Delivery
from telemetry.rules import Rules
from telemetry.validation import validate_batch
from telemetry.view import drone_view

ENQUEUED = "2026-01-01T00:00:10.000000Z"
_PAIR = re.compile(r"<!-- arrives (\{.*?\}) -->\n```json\n(.*?)```\n```json\n(.*?)```", re.DOTALL)
_TEXT = (Path(__file__).resolve().parents[3] / "docs" / "connecting.md").read_text()
PAIRS = [tuple(json.loads(part) for part in pair) for pair in _PAIR.findall(_TEXT)]


@pytest.mark.parametrize(("context", "arrives", "shown"), PAIRS, ids=lambda value: str(value.get("id", ""))[:30])
def test_the_drone_looks_as_shown(context: dict[str, Any], arrives: Any, shown: dict[str, Any]) -> None:
    rules = Rules(device_id_source=context.get("source", "body"))
    kept: Any = {name: part for name, part in context.items() if name not in ("source", "contentType")}
    body = json.dumps(arrives).encode()
    delivery = Delivery("hub", "0", 1, "0", ENQUEUED, body, context.get("contentType"), None, kept or None)
    result = validate_batch([delivery], rules, "batch", ENQUEUED)
    assert result.dead_letters == []
    (state,) = merge_messages(result.messages).values()
    drone = drone_view(state, ENQUEUED, rules, None)
    for name, value in shown.items():
        found = drone[name]
        if isinstance(value, dict):
            found = {part: found[part] for part in value}
        assert found == value, name


def test_every_recipe_is_there() -> None:
    assert len(PAIRS) == _TEXT.count("<!-- arrives") >= 10
