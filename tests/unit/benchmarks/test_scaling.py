"""The calculator's arithmetic on numbers that can be checked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.scaling import BATCH_EVENTS, WINDOW_SECONDS, Fleet, needs

ROOT = Path(__file__).resolve().parents[3]


def test_a_small_fleet_by_hand() -> None:
    small = needs(Fleet(drones=1_000, rate=1, window=0.25))
    assert (small.messages, small.throughput_units, small.partitions) == (1_000, 1, 4)
    assert small.messages_per_batch == pytest.approx(62.5)  # 1,000/s over 4 partitions in 0.25 s
    assert small.batches == pytest.approx(16)
    assert small.signals == pytest.approx(1_000)  # nobody sends twice in a window
    assert small.activities == pytest.approx(80)


def test_a_window_longer_than_the_interval_saves_signals() -> None:
    wide = needs(Fleet(drones=1_000, rate=1, window=10, batch=10_000))
    assert wide.signals == pytest.approx(100)  # each drone once in ten seconds
    assert wide.hosts == 2


def test_large_messages_need_units_for_their_bytes() -> None:
    assert needs(Fleet(drones=1_000, rate=1, size=10_000)).throughput_units == 10


def test_what_binds_first_is_named() -> None:
    assert needs(Fleet(drones=10, rate=1)).binds == []
    assert "control queues" in needs(Fleet(drones=1_000_000, rate=1)).binds[0]


def test_cost_is_the_sum_of_named_parts() -> None:
    cost = needs(Fleet(drones=1_000, rate=1)).cost
    assert cost["Event Hubs"] == pytest.approx(0.03 * 730 + 1_000 * 730 * 3_600 / 1e6 * 0.028)
    assert set(cost) == {"Event Hubs", "Cosmos DB", "Storage transactions", "Functions"}


def test_it_calculates_with_what_host_json_says() -> None:
    trigger = json.loads((ROOT / "host.json").read_text())["extensions"]["eventHubs"]
    assert (trigger["maxEventBatchSize"], 0.2) == (BATCH_EVENTS, WINDOW_SECONDS)
    assert trigger["maxWaitTime"] == "00:00:00.200"
    assert Fleet(drones=1, rate=1) == Fleet(drones=1, rate=1, window=0.2, batch=trigger["maxEventBatchSize"])
