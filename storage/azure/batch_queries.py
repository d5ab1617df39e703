"""What is asked of the batches: lists, totals, what waits and what was purged, each a range of one index of its own."""

from __future__ import annotations

import builtins
import heapq

from pipeline.ports import BatchFilter, Page, Totals
from pipeline.records import Batch, BatchStatus, Purged
from storage.azure.batch_items import from_item, in_flight_since, purged_sort
from storage.azure.counters import total
from storage.azure.gather import gather_all
from storage.azure.items import Item, Items
from storage.continuation import decode, encode, query_digest

_MOST_PURGED = 1000
_MOST_WAITING = 10_000
"""Batches of one status whose events are added up for the totals: beyond it the number is a lower bound."""


class BatchQueries:
    """The part of ``BatchLedger`` that changes nothing."""

    def __init__(self, items: Items) -> None:
        self._items = items

    async def list(self, where: BatchFilter, limit: int, continuation: str | None) -> Page[Batch]:
        statuses = sorted(status.value for status in where.statuses)
        query = query_digest("batches", statuses, where.partition, where.received_from, where.received_to)
        after = decode(query, continuation, 1)
        before = after[0] if after else where.received_to
        # One query a status, each a single range of one index, and a merge; all statuses are one range by themselves.
        pages = await gather_all(
            self._newest(status, where, before, limit + 1) for status in (statuses if statuses else [None])
        )
        found = builtins.list(heapq.merge(*pages, key=lambda item: str(item["sort"]), reverse=True))[: limit + 1]
        token = encode(query, found[limit - 1]["sort"]) if len(found) > limit else None
        return Page([from_item(item).batch for item in found[:limit]], token)

    async def _newest(
        self, status: str | None, where: BatchFilter, before: str | None, limit: int
    ) -> builtins.list[Item]:
        path, prefix = ("c.sort", "") if status is None else ("c.statusSort", f"{status}|")
        conditions = [f"{path} >= @from", f"{path} < @to"]
        # "~" is larger than any time.
        parameters = {"@from": prefix + (where.received_from or ""), "@to": prefix + (before or "~")}
        if where.partition is not None:
            conditions.append("c.partition = @partition")
            parameters["@partition"] = where.partition
        text = f"SELECT TOP {limit} * FROM c WHERE {' AND '.join(conditions)} ORDER BY {path} DESC"
        return await self._items.query(text, parameters, limit)

    async def stalled(self, updated_before: str, limit: int, *, after: Batch | None = None) -> builtins.list[Batch]:
        text = (
            f"SELECT TOP {limit} * FROM c WHERE c.inFlightSince > @after AND c.inFlightSince < @before "
            "ORDER BY c.inFlightSince"
        )
        parameters = {"@before": updated_before, "@after": "" if after is None else in_flight_since(after)}
        return [from_item(item).batch for item in await self._items.query(text, parameters, limit)]

    async def totals(self) -> Totals:
        sums = await total(self._items)
        waiting = await gather_all(
            self._waiting(status.value) for status in BatchStatus if status is not BatchStatus.COMPLETED
        )
        return Totals(
            events=sums["events"],
            messages=sums["messages"],
            stored=sums["stored"],
            duplicates=sums["duplicates"],
            rejected=sums["rejected"],
            batches={status.value: sums[f"batches_{status.value}"] for status in BatchStatus},
            unprocessed=sum(events for events, _ in waiting),
            oldest_unprocessed_at=min((oldest for _, oldest in waiting if oldest is not None), default=None),
        )

    async def _waiting(self, status: str) -> tuple[int, str | None]:
        """Events of the batches in this status (of the oldest so many), and when the oldest was received."""
        found = await self._items.query(
            f"SELECT TOP {_MOST_WAITING} c.events, c.receivedAt FROM c "
            "WHERE c.statusSort >= @first AND c.statusSort < @end ORDER BY c.statusSort ASC",
            {"@first": f"{status}|", "@end": f"{status}|~"},
            _MOST_WAITING,
        )
        return sum(item["events"] for item in found), found[0]["receivedAt"] if found else None

    async def completed_between(self, after: str, before: str, limit: int | None) -> builtins.list[Batch]:
        top = "" if limit is None else f"TOP {limit} "
        found = await self._items.query(
            f"SELECT {top}* FROM c WHERE c.completedAt > @after AND c.completedAt < @before ORDER BY c.completedAt",
            {"@after": after, "@before": before},
            limit,
            patient=True,
        )
        return [from_item(item).batch for item in found]

    async def purged(self, hub: str, partition: str, first: int, last: int) -> builtins.list[Purged]:
        found = await self._items.query(
            "SELECT * FROM c WHERE c.purgedSort >= @from AND c.purgedSort < @to AND c.firstSequenceNumber <= @last",
            {"@from": purged_sort(hub, partition, first), "@to": f"{hub}|{partition}|~", "@last": last},
            _MOST_PURGED,
            patient=True,
        )
        return [Purged(item["firstSequenceNumber"], item["lastSequenceNumber"], item["receivedAt"]) for item in found]
