"""Alerts and notes for tests, with everything that does not matter filled in."""

from __future__ import annotations

from typing import Any

from pipeline.ports import AlertNote
from telemetry.episodes import Episode, acknowledged, activated, begun, cleared, told
from telemetry.merge import from_message
from tests.support.records import at, message


def pending(second: int = 0, device: str = "d", code: Any = "low_battery", value: Any = 0.1) -> Episode:
    return begun(device, code, at(second), at(second + 1), value, {"latitude": 47.5, "longitude": 8.5})


def active(second: int = 0, device: str = "d", code: Any = "low_battery", **changes: Any) -> Episode:
    raised = activated(pending(second, device, code), at(second + 3))
    assert raised is not None
    known: Any = {**raised, **changes}
    episode: Episode = known
    return episode


def ended(second: int = 0, device: str = "d", code: Any = "low_battery", *, settled: bool = True) -> Episode:
    """Cleared 20 seconds after it was raised, and told unless said otherwise."""
    episode: Episode | None = cleared(active(second, device, code), at(second + 20))
    assert episode is not None
    for kind in ("raised", "cleared") if settled else ():
        episode = told(episode, kind, [], at(second + 20)) or episode
    return episode


def seen(episode: Episode, second: int) -> Episode:
    """Acknowledged."""
    known = acknowledged(episode, at(second), "Ann", "on it")
    assert known is not None
    return known


def note(device: str = "d", key: str = "b1", second: int = 0, **fields: Any) -> AlertNote:
    return AlertNote(device, key, at(second), from_message(message("m", device, second=second, **fields)))
