"""A store that the code of the first version wrote (raw batches ``DTB1``, states with stamps of two parts, messages
and dead letters as they were then) is read, gone on with and replayed by today's."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.attempts import replay_batch
from pipeline.dead_letters import replay_dead_letter
from pipeline.records import BatchStatus, Counts
from reference_data import ReferenceData
from storage.sqlite import SqliteStore
from telemetry.envelope import unpack
from telemetry.merge import merge, registers
from telemetry.registry import Registry
from telemetry.view import drone_view, history_item
from tests.support.messages import NOW, RULES
from tests.support.pipeline import Pipeline, all_batches, all_letters, all_messages, make_pipeline

HERE = Path(__file__).parent / "first_version"
DRONES = ("drone-0", "drone-7", "drone-8")
FIRST, SECOND, FAILED = (
    "telemetry~0~1~5~20260301T120001500000Z",
    "telemetry~0~6~8~20260301T120006500000Z",
    "telemetry~0~9~10~20260301T120009500000Z",
)
COUNTS = {FIRST: Counts(7, 5, 0, 2), SECOND: Counts(3, 1, 1, 1)}


def states() -> dict[str, Any]:
    """As the entities kept them, and signals under way carry them."""
    found: dict[str, Any] = json.loads((HERE / "states.json").read_text())
    return found


@pytest.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    (tmp_path / "store.db").write_bytes(gzip.decompress((HERE / "store.db.gz").read_bytes()))
    opened = SqliteStore(tmp_path)
    await opened.open()
    made = make_pipeline(opened)
    registry = Registry.parse([{"id": "drone-7", "home": {"latitude": 47.4, "longitude": -122.2}}])
    made.known = ReferenceData(registry, None)
    for drone, state in states().items():
        made.engine.entities[drone] = json.dumps(state)
    yield made
    await opened.close()


async def test_all_of_it_is_read(pipeline: Pipeline) -> None:
    batches = {batch.id: batch for batch in await all_batches(pipeline.store)}
    assert {name: batch.counts for name, batch in batches.items()} == {**COUNTS, FAILED: None}
    assert batches[FAILED].status is BatchStatus.FAILED
    deliveries = unpack(await pipeline.store.ledger.raw(FIRST) or b"")
    assert [(one.sequence_number, one.content_type, one.context) for one in deliveries] == [
        (1, "application/json", None),
        (2, None, None),
        (3, "application/x-protobuf", None),
        (4, None, None),
        (5, None, None),
    ]
    messages = await all_messages(pipeline.store, DRONES)
    assert {drone: [m["sequenceNumber"] for m in found] for drone, found in messages.items()} == {
        "drone-0": [3],
        "drone-7": [1, 2, 5, 7],
        "drone-8": [2],
    }
    assert history_item(messages["drone-7"][0])["extra"] == {"firmware": "1.2"}
    letters = await all_letters(pipeline.store)
    assert sorted(error["code"] for letter in letters for error in letter["errors"]) == [
        "altitude_out_of_range",
        "battery_out_of_range",
        "malformed_json",
    ]
    view = drone_view(states()["drone-7"], NOW, RULES, None)
    assert (view["battery"], view["heading"], view["position"]["altitude"]) == (0.5, 10.0, 57.0)


@pytest.mark.parametrize("batch", [FIRST, SECOND])
async def test_running_a_batch_again_finds_what_it_had_stored(pipeline: Pipeline, batch: str) -> None:
    before = await all_messages(pipeline.store, DRONES)
    await replay_batch(pipeline.store, pipeline.durable, batch)
    await pipeline.engine.run()
    again = await pipeline.store.ledger.get(batch)
    assert again is not None
    assert (again.status, again.counts) == (BatchStatus.COMPLETED, COUNTS[batch])
    assert await all_messages(pipeline.store, DRONES) == before
    assert len(await all_letters(pipeline.store)) == 3


async def test_the_failed_batch_completes_and_its_drones_go_on_from_their_old_states(pipeline: Pipeline) -> None:
    await replay_batch(pipeline.store, pipeline.durable, FAILED)
    await pipeline.engine.run()
    batch = await pipeline.store.ledger.get(FAILED)
    assert batch is not None
    assert batch.counts == Counts(2, 2, 0, 0)
    kept = {drone: json.loads(state or "") for drone, state in pipeline.engine.entities.items()}
    assert "layers" in kept["drone-7"]
    known = registers(kept["drone-7"])
    assert known["gyrometer"] == (True, "2026-03-01T12:00:09.000000Z")
    assert known["battery"] == (0.5, "2026-03-01T12:00:02.000000Z")
    assert registers(kept["drone-0"]) == registers(states()["drone-0"])


async def test_a_dead_letter_is_replayed_under_todays_settings(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    import settings

    monkeypatch.setenv("ALTITUDE_RANGE_METRES", "-1000,50000")
    settings.get_settings.cache_clear()
    (letter,) = [one for one in await all_letters(pipeline.store) if one["errors"][0]["code"].startswith("altitude")]
    resolved = await replay_dead_letter(pipeline.store, pipeline.durable, letter["id"])
    settings.get_settings.cache_clear()
    assert resolved["status"] == "replayed"
    await pipeline.engine.run()
    state = json.loads(pipeline.engine.entities["drone-7"] or "")
    assert registers(state)["altitude"][0] == 57.0  # of a later message
    batch = await pipeline.store.ledger.get(SECOND)
    assert batch is not None
    assert batch.counts == replace(COUNTS[SECOND], stored=2, rejected=0)


def test_old_states_merge_with_each_other_and_again() -> None:
    for state in states().values():
        merged = merge(None, state)
        assert json.dumps(merge(merged, state)) == json.dumps(merged) == json.dumps(merge(state, state))


async def test_what_it_had_received_counts_as_come(pipeline: Pipeline) -> None:
    """Also what lies before its batches, and partitions of which it has none: they may have been purged."""
    coverage = await pipeline.store.ledger.coverage()
    assert coverage.adopted
    assert coverage.missing("telemetry", "0", 0, 12) == [(11, 12)]
    assert coverage.missing("telemetry", "1", 0, 5) == []
