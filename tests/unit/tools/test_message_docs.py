"""docs/messages.md says what the code does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from telemetry.glossary import ALERTS, ERRORS, FLAGS
from telemetry.registry import Registry
from telemetry.vocabulary import ALERT_CODES, ERROR_CODES
from telemetry.vocabulary import FLAGS as ALL_FLAGS
from telemetry.zones import Zones
from tests.support.messages import validate
from tools import message_docs

TEXT = message_docs.PAGE.read_text(encoding="utf-8")
BLOCKS: list[Any] = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.S)]


def test_its_tables_are_those_of_the_code() -> None:
    assert message_docs.rendered(TEXT) == TEXT


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places for 'fields'"):
        message_docs.rendered(TEXT.replace("<!-- fields:", "<!-- other:"))


def test_each_word_has_a_meaning() -> None:
    assert set(ERRORS) == set(ERROR_CODES)
    assert list(FLAGS) == list(ALL_FLAGS)
    assert list(ALERTS) == list(ALERT_CODES)


def test_its_examples_are_accepted() -> None:
    message, zones, registry = BLOCKS
    (kept,) = validate(message).messages
    assert (kept["flags"], "extra" in kept) == ([], False)
    assert len(Zones.parse(zones).zones) == 1
    assert list(Registry.parse(registry).drones) == ["falcon-1"]
