"""Deletes what is kept no longer: messages, finished batches, resolved dead letters, alerts, ended histories.

Never something unfinished: the store's purges take completed batches and resolved dead letters only, and histories are
those of completed batches. A run ends after a while whatever is left; the next goes on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

from observability import log
from pipeline.alerts.keeping import purge_alert_histories
from pipeline.clock import ago
from pipeline.durable import DurableClient
from pipeline.histories import Histories
from pipeline.ports import Store
from settings import Retention

KIND_SECONDS = 10.0
_HOUR = 3600.0
_ENOUGH = 2**63
"""More than one call deletes: it is made once, and looks at the clock itself."""


async def purge(
    store: Store,
    client: DurableClient,
    retention: Retention,
    hub: str,
    *,
    histories: Histories | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, int]:
    """One run; answers how many of each kind it deleted. What fails is logged and tried again by the next run."""
    limit = retention.limit
    walks = histories or Histories()

    def messages() -> Awaitable[int]:
        return store.messages.purge(ago(retention.messages_hours * _HOUR), limit)

    def batches() -> Awaitable[int]:
        return store.ledger.purge(ago(retention.batches_hours * _HOUR), limit)

    def dead_letters() -> Awaitable[int]:
        return store.dead_letters.purge(ago(retention.dead_letters_hours * _HOUR), limit)

    def flights() -> Awaitable[int]:
        return store.flights.purge(ago(retention.flights_hours * _HOUR), limit)

    def alerts() -> Awaitable[int]:
        return store.alerts.purge(ago(retention.alerts_hours * _HOUR), limit)

    def forgotten() -> Awaitable[int]:
        return store.ledger.forget(ago(retention.purged_hours * _HOUR), limit)

    def ended() -> Awaitable[int]:
        until = clock() + KIND_SECONDS
        return walks.purge(store, client, retention, hub, lambda: clock() < until)

    def of_alerts() -> Awaitable[int]:
        return purge_alert_histories(client, retention, walks.walk_of)

    deleted = {}
    # Histories before the batches that tell of them.
    deleted["histories"], _ = await _repeat("histories", ended, _ENOUGH, clock)
    # Batches first: what a batch that runs again is told by must not go before its bytes.
    deleted["batches"], all_gone = await _repeat("batches", batches, limit, clock)
    deleted["deadLetters"] = (await _repeat("deadLetters", dead_letters, limit, clock))[0] if all_gone else 0
    deleted["messages"], _ = await _repeat("messages", messages, limit, clock)
    deleted["flights"], _ = await _repeat("flights", flights, limit, clock)
    deleted["alerts"], _ = await _repeat("alerts", alerts, limit, clock)
    deleted["histories"] += (await _repeat("histories of alerts", of_alerts, 1, clock))[0]
    await _repeat("forgotten", forgotten, limit, clock)
    if any(deleted.values()):
        log(logging.INFO, "purged", **deleted)
    return deleted


async def _repeat(
    kind: str, step: Callable[[], Awaitable[int]], full: int, clock: Callable[[], float]
) -> tuple[int, bool]:
    """Repeat while a whole portion was there and there is time; every kind has a time of its own. How many, and whether
    that was all."""
    until = clock() + KIND_SECONDS
    total = 0
    while True:
        try:
            number = await step()
        except Exception as error:
            log(logging.WARNING, "purge failed; the next run goes on", kind=kind, error=str(error))
            return total, False
        total += number
        if number < full:
            return total, True
        if clock() >= until:
            return total, False
