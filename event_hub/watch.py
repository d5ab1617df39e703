"""Whether everything that the hub holds has come to the store; a loud line for what has not."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from observability import log
from pipeline.coverage import HubPartition, MissingEvents, Watch
from pipeline.ports import Store
from settings import get_settings

_watch = Watch()
_told: set[tuple[str, int]] = set()


async def missing_events(store: Store, partitions: Sequence[HubPartition]) -> list[MissingEvents]:
    """By partition, of what the hub holds. Raises ``StoreUnavailable``."""
    hub = get_settings().event_hub_name
    coverage = await store.ledger.coverage()
    for partition in partitions:
        for first, last in coverage.expired(hub, partition.id, partition.oldest):
            text = "events were lost: the hub's retention deleted them before they came"
            log(logging.ERROR, text, partition=partition.id, first=first, last=last, events=last - first + 1)
            await store.ledger.cover(hub, partition.id, first, last)  # told once
    found = _watch.look(coverage, hub, partitions)
    for one in found:
        key = (one.partition, one.ranges[0][0])
        if key not in _told:
            _told.add(key)
            log(logging.ERROR, one.text, partition=one.partition, events=one.events)
    return found
