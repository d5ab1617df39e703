from __future__ import annotations

import importlib
from functools import lru_cache

import pytest

_HISTORY_EVENT = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")
_parsed_once = lru_cache(maxsize=100_000)(_HISTORY_EVENT.__dict__["dt_parse"])


@pytest.fixture(autouse=True)
def each_time_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK parses the times of the whole history anew at each step: half of what these tests would cost."""
    monkeypatch.setattr(_HISTORY_EVENT, "dt_parse", _parsed_once)
