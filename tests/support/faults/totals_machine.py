"""What may happen to the totals, as a state machine for Hypothesis."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from tenacity import wait_none

import pipeline.dead_letters
from pipeline import intake
from pipeline.ports import Store
from settings import get_settings as settings_of_the_app
from tests.support.faults.totals import DEVICES, LOOSE, STRICT, World
from tests.support.pipeline import NO_REFERENCE_DATA

# Few devices, times and values, so that twins are many; 30,000 m is cured by looser rules, a battery of 2 by none.
MESSAGES = st.fixed_dictionaries(
    {
        "deviceId": st.sampled_from(DEVICES),
        "timestamp": st.sampled_from([f"2026-01-01T00:00:0{second}Z" for second in range(3)]),
        "position": st.fixed_dictionaries({"altitude": st.sampled_from([100, 30_000])}),
    },
    optional={"battery": st.sampled_from([0.5, 2])},
)
HIGH = [
    {"deviceId": "a", "timestamp": f"2026-01-01T00:01:00.{n:03d}Z", "position": {"altitude": 30_000}}
    for n in range(101)
]
BODIES = st.one_of(
    MESSAGES, st.lists(MESSAGES, max_size=4), st.just(HIGH), st.sampled_from([b"\xff", [], [HIGH[0], 7]])
)
PICK = st.integers(0, 1000)


async def _end_what_runs_beside() -> None:
    """As the end of a process does: samples of the totals are taken by a task that outlives whoever began it."""
    beside = asyncio.all_tasks() - {asyncio.current_task()}
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)


def picked(number: int) -> Callable[[list[Any]], Any]:
    return lambda items: items[number % len(items)]


class Totals(RuleBasedStateMachine):
    """``store`` opens an empty store for each example."""

    store: Callable[[], AbstractAsyncContextManager[Store]]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.left_open = AsyncExitStack()
        self.world = World(self.do(self.left_open.enter_async_context(self.store())))
        world = self.world
        dead_letters: Any = pipeline.dead_letters
        dead_letters.get_settings = lambda: SimpleNamespace(rules=world.rules)

    def do(self, work: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.do(self.world.rest())
        self.do(self.world.check())
        self.do(self.left_open.aclose())
        self.do(_end_what_runs_beside())
        self.loop.close()

    @initialize(bodies=st.lists(BODIES, min_size=1, max_size=4))
    def first(self, bodies: list[Any]) -> None:
        self.do(self.world.ingest(bodies))

    @rule(bodies=st.lists(BODIES, min_size=1, max_size=4))
    def ingest(self, bodies: list[Any]) -> None:
        self.do(self.world.ingest(bodies))

    @rule(start=PICK, number=st.integers(1, 5))
    def redeliver(self, start: int, number: int) -> None:
        self.do(self.world.redeliver(start % len(self.world.deliveries), number))

    @rule(steps=st.integers(1, 12))
    def run_a_little(self, steps: int) -> None:
        self.do(self.world.run(steps))

    @rule()
    def run(self) -> None:
        self.do(self.world.run())

    @rule(loose=st.booleans())
    def change_rules(self, loose: bool) -> None:
        self.world.rules = LOOSE if loose else STRICT

    @rule(number=PICK)
    def replay_batch(self, number: int) -> None:
        self.do(self.world.replay_batch(picked(number)))

    @rule(number=PICK)
    def replay_letter(self, number: int) -> None:
        self.do(self.world.replay_letter(picked(number)))

    @rule(number=PICK)
    def discard(self, number: int) -> None:
        self.do(self.world.discard(picked(number)))

    @rule()
    def forget(self) -> None:
        self.world.forget()

    @rule()
    def purge(self) -> None:
        self.do(self.world.purge())

    @rule()
    def sweep(self) -> None:
        self.do(self.world.sweep())

    @rule(after=st.integers(1, 25), when=st.sampled_from(["before", "after"]))
    def crash_soon(self, after: int, when: str) -> None:
        self.world.crash.left, self.world.crash.when = after, when

    @rule(number=PICK, other=PICK, loose=st.booleans())
    def all_at_once(self, number: int, other: int, loose: bool) -> None:
        async def at_once() -> None:
            world = self.world
            await world.run()
            world.rules = LOOSE if loose else STRICT
            await world.replay_batches()
            await asyncio.gather(
                world.pipeline.engine.run_side_by_side(3),
                world.replay_letters(),
                world.discard(picked(number)),
                world.replay_letter(picked(other)),
            )

        self.do(at_once())

    @rule()
    def rest(self) -> None:
        self.do(self.world.rest())
        self.do(self.world.check())


def look(machine: type[Totals], examples: int) -> None:
    """Run so many examples, or TOTALS_EXAMPLES of them."""
    number = int(os.environ.get("TOTALS_EXAMPLES", examples))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=number,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate] if number > examples else list(Phase),
        ),
    )


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting; the machine says what the settings are."""
    monkeypatch.setattr(intake._QUICK_RETRIES, "wait", wait_none())
    monkeypatch.setattr(pipeline.dead_letters, "get_settings", settings_of_the_app)
    monkeypatch.setattr(pipeline.dead_letters, "get_reference_data", lambda: NO_REFERENCE_DATA)
