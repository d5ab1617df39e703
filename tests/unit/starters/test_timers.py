"""What the timers hand on of the settings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from settings import read_settings
from starters import timers
from tests.support import registered


async def test_the_flights_have_most_of_the_time_between_two_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With eight seconds of every minute a large fleet's would never be up to date."""
    given: list[float] = []

    async def catch_up(seconds: float) -> bool:
        given.append(seconds)
        return True

    async def store() -> None:
        return None

    def keeper(*_: Any) -> Any:
        return SimpleNamespace(catch_up=catch_up)

    settings = read_settings({"FLIGHTS_SCHEDULE": "30 * * * * *"})
    monkeypatch.setattr(timers, "get_settings", lambda: settings)
    monkeypatch.setattr(timers, "get_store", store)
    monkeypatch.setattr(timers, "keeper_of", keeper)
    run: Any = registered.functions()["flight_keeper"].get_user_function()
    await run(None)
    assert given == [pytest.approx(48)]
