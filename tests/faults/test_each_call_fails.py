"""Every call to the store and to the durable client fails in turn, before and after its effect, once and for long.

Whatever failed: when what operators have (redelivery, retries, the sweeper, replay) has run its course, the final state
is exactly that of a run without a fault.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tenacity import wait_none

import settings
from activities import staging
from pipeline import intake
from pipeline.attempts import replay_batch
from pipeline.dead_letters import replay_dead_letter
from pipeline.ports import Conflict, StoreUnavailable
from pipeline.records import Batch, BatchStatus
from pipeline.sweep import Sweeper
from telemetry.merge import registers
from telemetry.model import Delivery
from tests.support.faults.proxies import NthFails, PlannedStore, planned_client
from tests.support.pipeline import (
    Pipeline,
    all_batches,
    all_letters,
    all_messages,
    delivery,
    make_pipeline,
    message,
    open_sqlite,
)

SWEEPING = replace(settings.read_settings({}).sweeping, stalled_seconds=-1)
LONG = 6
"""More than an activity's retries, and than the starter's: the batch fails, the partition is held."""

PARTS = 3
"""The tests are cut in parts that several processes can share."""

KINDS = {
    "ledger.receive",
    "ledger.begin",
    "ledger.raw",
    "ledger.stage",
    "ledger.staged",
    "ledger.complete",
    "ledger.open_attempt",
    "ledger.recount",
    "messages.put",
    "dead_letters.put",
    "dead_letters.of_batch",
    "dead_letters.resolve",
    "client.start_new",
    "client.signal_entity",
}

KINDS_OF_A_WINDOW = {"held.list", "held.release"}
WINDOWS = pytest.mark.parametrize("window", [0, 0.05], ids=["at once", "window"])

FIRST = [
    delivery(1, message("a", 1, battery=0.5)),
    delivery(
        2, [message("b", 2, battery=0.9), message("b", 3, battery=7), message("a", 4, position={"altitude": 3e4})]
    ),
    delivery(3, message("a", 1, battery=0.5)),
    delivery(4, b"\xff no frame"),
]
OVERLAPPING = [*FIRST[2:], delivery(5, message("c", 5, heading=90)), delivery(6, {"deviceId": "c", "battery": 0.1})]


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A person's replay runs under the settings of today, which let drones fly higher than those of the batches did."""
    monkeypatch.setenv("ALTITUDE_RANGE_METRES", "-1000,50000")
    settings.get_settings.cache_clear()
    monkeypatch.setattr(intake._QUICK_RETRIES, "wait", wait_none())
    # Nothing is remembered between the steps, so that reading what was staged is a call that fails in its turn too.
    monkeypatch.setattr(staging, "_CAPACITY", 0)
    yield
    monkeypatch.undo()
    settings.get_settings.cache_clear()


async def until_it_works(act: Callable[[], Awaitable[Any]]) -> None:
    """What a partition, a timer or a stubborn person does. A 409 says that what was asked for is under way."""
    for _ in range(20):
        try:
            await act()
            return
        except Conflict:
            return
        except (StoreUnavailable, aiohttp.ClientError):
            continue
    raise AssertionError("it never worked")


async def bring_to_completion(pipeline: Pipeline, deliveries: list[Delivery]) -> None:
    await until_it_works(lambda: pipeline.receive(deliveries))
    batch_id = intake.new_batch(deliveries).id

    async def ended() -> Batch:
        batch = await pipeline.store.inner.ledger.get(batch_id)  # type: ignore[attr-defined]
        assert batch is not None
        return batch

    for _ in range(20):
        await pipeline.engine.run()
        batch = await ended()
        if batch.status is BatchStatus.COMPLETED:
            return
        if batch.status is BatchStatus.FAILED:
            assert batch.stage
            assert "planned" in (batch.error or "")
            await until_it_works(lambda: replay_batch(pipeline.store, pipeline.durable, batch_id))
        else:
            await until_it_works(lambda: Sweeper().sweep(pipeline.store, pipeline.durable, SWEEPING))
    raise AssertionError(f"{batch_id} was never completed: {batch}")


async def run_scenario(folder: Path, plan: NthFails, *, broken: bool = False, window: float = 0.0) -> Any:
    """Two batches that overlap, a replayed letter, a discarded one, and a replayed batch. The final state of it all.

    ``broken``: the first attempt at each batch fails in its first step whatever is tried.
    """
    inner = await open_sqlite(folder)
    store: Any = PlannedStore(inner, plan)
    pipeline = make_pipeline(store, signal_window=window)
    pipeline.client = planned_client(pipeline.engine.client, plan)
    if broken:
        store_messages = pipeline.engine.activities["store_messages"]

        async def breaking(reference: Any) -> Any:
            if reference["instanceId"].endswith("~1"):
                raise OSError("planned: a bug")
            return await store_messages(reference)

        pipeline.engine.activities["store_messages"] = breaking
    await bring_to_completion(pipeline, FIRST)
    await bring_to_completion(pipeline, OVERLAPPING)

    letters = {letter["errors"][0]["code"]: letter["id"] for letter in await all_letters(inner)}
    high, wild = letters["altitude_out_of_range"], letters["battery_out_of_range"]
    await until_it_works(lambda: replay_dead_letter(store, pipeline.durable, high))
    at = "2026-01-01T00:00:00.000000Z"
    await until_it_works(lambda: store.dead_letters.resolve(wild, "discarded", at=at, reason="known"))

    first = intake.new_batch(FIRST).id
    await until_it_works(lambda: replay_batch(store, pipeline.durable, first))
    await bring_to_completion(pipeline, FIRST)
    while (await inner.held.totals()).batches:  # a flush has failed, or was not started
        await until_it_works(pipeline.sweep_held)
        await pipeline.engine.run()
    state = await final_state(pipeline, inner)
    await inner.close()
    return state


async def final_state(pipeline: Pipeline, inner: Any) -> Any:
    """All that is kept, but for the times at which and the attempts in which it came to be."""
    totals, letter_totals = await inner.ledger.totals(), await inner.dead_letters.totals()
    when = ("createdAt", "resolvedAt", "attempts")
    letters = [{k: v for k, v in letter.items() if k not in when} for letter in await all_letters(inner)]
    return {
        "batches": sorted((b.id, b.status, b.counts, b.stage, b.error) for b in await all_batches(inner)),
        "messages": await all_messages(inner, ["a", "b", "c"]),
        "letters": sorted(letters, key=lambda letter: str(letter["id"])),
        "totals": (totals, letter_totals),
        "drones": pipeline.engine.entities,
    }


async def test_without_a_fault_the_state_is_the_expected_one(tmp_path: Path) -> None:
    state = await run_scenario(tmp_path, NthFails(-1))
    counts = [(c.messages, c.stored, c.duplicates, c.rejected) for _, _, c, _, _ in state["batches"]]
    assert counts == [(6, 3, 1, 2), (4, 2, 2, 0)]
    assert {letter["status"] for letter in state["letters"]} == {"open", "replayed", "discarded"}
    assert registers(json.loads(state["drones"]["a"]))["altitude"][0] == 3e4
    assert (state["totals"][0].messages, state["totals"][0].stored) == (10, 5)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("when", ["before", "after"])
@WINDOWS
async def test_each_call_fails_once(tmp_path: Path, window: float, when: str, part: int) -> None:
    calls, expected = await without_a_fault(tmp_path, window)
    for number, name in list(enumerate(calls))[part::PARTS]:
        state = await run_scenario(tmp_path / f"{number}", NthFails(number, when), window=window)
        assert state == expected, f"call {number}, {name}, failed {when} its effect"


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("when", ["before", "after"])
@WINDOWS
async def test_each_kind_of_call_fails_for_long(tmp_path: Path, window: float, when: str, part: int) -> None:
    """The first and the last call of each kind, for longer than anything is tried again by itself."""
    calls, expected = await without_a_fault(tmp_path, window)
    numbers = {calls.index(name) for name in calls} | {len(calls) - 1 - calls[::-1].index(name) for name in calls}
    for number in sorted(numbers)[part::PARTS]:
        state = await run_scenario(tmp_path / f"{number}", NthFails(number, when, LONG), window=window)
        assert state == expected, f"call {number}, {calls[number]}, failed {LONG} times {when} its effect"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_each_call_on_the_way_of_a_failing_batch_fails_once(tmp_path: Path, when: str) -> None:
    _, expected = await without_a_fault(tmp_path)
    probe = NthFails(-1)
    assert await run_scenario(tmp_path / "broken", probe, broken=True) == expected
    on_its_way = probe.calls[: probe.calls.index("ledger.complete")]
    assert {"ledger.fail", "ledger.get", "ledger.open_attempt"} <= set(on_its_way)
    for number, name in enumerate(on_its_way):
        state = await run_scenario(tmp_path / f"{number}", NthFails(number, when), broken=True)
        assert state == expected, f"call {number}, {name}, failed {when} its effect"


async def without_a_fault(folder: Path, window: float = 0.0) -> tuple[list[str], Any]:
    probe = NthFails(-1)
    expected = await run_scenario(folder / "without", probe, window=window)
    assert len(probe.calls) > 60
    assert set(probe.calls) >= (KINDS | KINDS_OF_A_WINDOW if window else KINDS)
    return probe.calls, expected
