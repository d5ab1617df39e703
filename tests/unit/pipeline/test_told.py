"""What a process remembers of what the drones know."""

from __future__ import annotations

from typing import Any

from pipeline.told import Told
from telemetry.rules import Rules
from tests.support import states

RULES = Rules()


def state(device: str, second: int, **fields: Any) -> Any:
    moment = f"2026-01-02T03:04:{second:02d}"
    return states.state(device, enqueued_at=f"{moment}.500000Z", timestamp=f"{moment}Z", **fields)


class Entities:
    def __init__(self, **kept: Any) -> None:
        self.kept = kept
        self.asked: list[str] = []

    async def read(self, key: str) -> Any:
        self.asked.append(key)
        return self.kept.get(key)


async def look(told: Told, entities: Entities, *news: Any, remember: bool = True) -> list[str]:
    urgent, learned = await told.urgent({one["id"]: one for one in news}, entities.read, RULES)
    if remember:
        told.remember(learned)
    return [one["id"] for one in urgent]


async def test_each_drone_is_asked_for_once() -> None:
    told, entities = Told(), Entities(a=state("a", 1, battery=0.9))
    assert await look(told, entities, state("a", 2, battery=0.8), state("b", 2, battery=0.8)) == ["b"]
    assert await look(told, entities, state("a", 3, battery=0.7), state("b", 3, battery=0.7)) == []
    assert entities.asked == ["a", "b"]
    assert await look(told, entities, state("a", 4, battery=0.1)) == ["a"]
    assert await look(told, entities, state("a", 5, battery=0.1)) == []
    assert await look(told, entities, state("a", 6, battery=0.9)) == ["a"]


async def test_what_could_not_be_told_is_news_the_next_time_too() -> None:
    told, entities = Told(), Entities(a=state("a", 1, battery=0.9))
    for _ in range(2):
        assert await look(told, entities, state("a", 2, battery=0.1), remember=False) == ["a"]


async def test_a_stored_state_that_is_none_gives_way_at_once() -> None:
    told, entities = Told(), Entities(a={"id": "a", "nonsense": 1}, b=[1])
    assert await look(told, entities, state("a", 1, battery=0.9), state("b", 1, battery=0.9)) == ["a", "b"]


async def test_drones_not_heard_of_for_longest_are_forgotten() -> None:
    told, entities = Told(most=2), Entities()
    for device in ("a", "b", "a", "c"):
        await look(told, entities, state(device, 1, battery=0.9))
    assert entities.asked == ["a", "b", "c"]
    await look(told, entities, state("a", 2, battery=0.9), state("b", 2, battery=0.9))
    assert entities.asked == ["a", "b", "c", "b"]
