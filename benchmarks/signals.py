"""What cannot wait for the end of a signal window: the demo fleet's flights, batch by batch, in simulated time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import simulator
from benchmarks.report import Row
from pipeline.told import Told
from simulator.faults import Faults
from simulator.fleet import Fleet
from telemetry.enrichment import enrich
from telemetry.merge import merge_messages
from telemetry.model import Delivery
from telemetry.registry import Registry
from telemetry.rules import Rules
from telemetry.times import from_microseconds
from telemetry.validation import validate_batch
from telemetry.zones import Zones

DRONES, SECONDS, WINDOW = 50, 1_800, 10
EPOCH = 1_800_000_000


def measure(*, quick: bool) -> list[Row]:
    seconds = SECONDS // 6 if quick else SECONDS
    urgent = asyncio.run(urgent_signals(DRONES, seconds))
    messages = DRONES * seconds
    what = f"{DRONES} drones x 1 message/s, {seconds:,} s, batches of a second"
    return [
        Row("signals", f"{what}: at once, a message", urgent / messages, "signals"),
        Row(
            "signals",
            f"{what}, windows of {WINDOW} s: all, a message",
            urgent / messages + 1 / WINDOW,
            "signals",
            0.12,
            at_least=False,
        ),
    ]


async def urgent_signals(drones: int, seconds: int) -> int:
    """How many signals went out at once, one batch a second, beginning with a fleet that nobody has seen."""
    demo = Path(simulator.__file__).parent
    registry = Registry.parse((demo / "drones.json").read_bytes())
    zones, rules, told = Zones.parse((demo / "zones.geojson").read_bytes()), Rules(), Told()
    fleet = Fleet(drones, 1, seed=1, kind="json", key_frame_gap=10, faults=Faults())
    urgent = number = 0
    for second in range(seconds):
        deliveries: list[Delivery] = []
        for _ in range(drones):
            moment = EPOCH + second + len(deliveries) / drones
            for event in fleet.take_turn(moment):
                number += 1
                at = from_microseconds(round(moment * 1e6) + 20_000)
                deliveries.append(Delivery("telemetry", "0", number, str(number), at, event.body, "application/json"))
        messages = validate_batch(deliveries, rules, "batch", deliveries[-1].enqueued_at).messages
        enrich(messages, registry, zones, rules)
        at_once, learned = await told.urgent(merge_messages(messages), _nothing_is_stored, rules)
        told.remember(learned)
        urgent += len(at_once)
    return urgent


async def _nothing_is_stored(_: str) -> Any:
    return None
