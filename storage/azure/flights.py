"""Flights in Cosmos DB: one item each and one head per drone, together in the drone's partition.

What has been stored since the last look is found by ``_ts``, the service's own time of an item's last write in whole
seconds: only seconds that are over, and have had time to be seen by every replica, are handed out, so each message is
handed out once.
"""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from pipeline.many import for_each
from pipeline.ports import Arrival, Arrivals, FlightChange, FlightFilter, FlightHead, Page
from storage.azure.items import Item, Items, Operation, Refused, chunks
from storage.azure.messages import CosmosMessages
from storage.continuation import decode, encode, query_digest
from telemetry.flights import Flight, device_of, needed

SETTLE_SECONDS = 5
AT_ONCE = 16
"""Drones whose heads are read or written at the same time."""
ARRIVALS_AT_ONCE = 100_000
"""Writes cost money here, and an instance has the memory."""
_HEAD = "~head"
_MARK = "~mark"
_FLIGHT_BYTES = 4_096


class CosmosFlights:
    """``FlightStore`` on Azure. A mark is the last second (since the epoch) whose messages were handed out."""

    arrivals_at_once = ARRIVALS_AT_ONCE

    def __init__(
        self,
        items: Items,
        messages: CosmosMessages,
        *,
        settle: float = SETTLE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._items = items
        self._messages = messages
        self._settle = settle
        self._clock = clock

    async def arrivals(self, mark: str, limit: int) -> Arrivals:
        after, until = int(mark or 0), int(self._clock() - self._settle) - 1
        if until <= after:
            return Arrivals([], mark, False, until)
        visible = until
        found = await self._messages.written_between(after, until, limit + 1)
        more = len(found) > limit
        if more:
            # The last second may be cut: it is left for the next time, unless there is no other.
            until = found[-1][0] - 1
            whole = [entry for entry in found if entry[0] <= until]
            if not whole:
                until = found[-1][0]
                whole = await self._messages.written_between(until - 1, until, None)
            found = whole
        return Arrivals([Arrival(second, needed(message)) for second, message in found], str(until), more, visible)

    async def mark(self) -> str:
        item = await self._items.read_current(_MARK, _MARK)
        return "" if item is None else str(item["mark"])

    async def set_mark(self, mark: str) -> None:
        await self._items.transact([("upsert", ({"id": _MARK, "deviceId": _MARK, "mark": mark},))], _MARK)

    async def heads(self, device_ids: Sequence[str]) -> builtins.list[FlightHead]:
        found = await for_each(device_ids, AT_ONCE, self._head)
        return [head for head in found if head is not None]

    async def _head(self, device_id: str) -> FlightHead | None:
        item = await self._items.read_current(_HEAD, device_id)
        if item is None:
            return None
        return FlightHead(device_id, orjson.loads(item["fold"]), bool(item["byMode"]), str(item["_etag"]))

    async def save(self, changes: Sequence[FlightChange]) -> builtins.list[str]:
        saved = await for_each(changes, AT_ONCE, self._save)
        return [change.head.device_id for change, done in zip(changes, saved, strict=True) if not done]

    async def _save(self, change: FlightChange) -> bool:
        head = change.head
        item = {
            "id": _HEAD,
            "deviceId": head.device_id,
            "fold": orjson.dumps(head.fold).decode(),
            "byMode": head.by_mode,
        }
        replaced: Operation = (
            ("create", (item,)) if head.version is None else ("replace", (_HEAD, item), {"if_match_etag": head.version})
        )
        there = await self._there(head.device_id, change.delete)
        operations: list[tuple[Operation, int]] = [(("delete", (flight,)), 100) for flight in there]
        operations += [(("upsert", (_to_item(flight),)), _FLIGHT_BYTES) for flight in change.put]
        # Where one transaction cannot hold them all the head comes last: until then they are worked out again.
        parts = chunks(operations, reserve=1) or [[]]
        try:
            for part in parts[:-1]:
                await self._items.transact(part, head.device_id)
            await self._items.transact([*parts[-1], replaced], head.device_id)
        except Refused:
            return False
        return True

    async def _there(self, device_id: str, flights: Sequence[str]) -> list[str]:
        """Deleting what is not there would undo the transaction; a call may be made twice."""
        if not flights:
            return []
        found = await self._items.query(
            "SELECT c.id FROM c WHERE ARRAY_CONTAINS(@ids, c.id)",
            {"@ids": list(flights)},
            len(flights),
            partition=device_id,
        )
        return [str(item["id"]) for item in found]

    async def between(self, device_id: str, time_from: str | None, time_to: str | None) -> list[Flight]:
        found = await self._items.query(
            "SELECT c.document FROM c WHERE c.lastAt >= @from AND c.sort <= @to ORDER BY c.sort ASC",
            {"@from": time_from or "", "@to": (time_to or "") + "~"},
            None,
            partition=device_id,
        )
        return [orjson.loads(item["document"]) for item in found]

    async def get(self, flight_id: str) -> Flight | None:
        device_id = device_of(flight_id)
        item = None if device_id is None else await self._items.read(flight_id, device_id)
        return None if item is None else orjson.loads(item["document"])

    async def list(self, where: FlightFilter, limit: int, continuation: str | None) -> Page[Flight]:
        query = query_digest("flights", where.device_id, where.time_from, where.time_to)
        after = decode(query, continuation, 1)
        end = after[0] if after is not None else (where.time_to or "~")
        found = await self._items.query(
            f"SELECT TOP {limit + 1} c.sort, c.document FROM c "
            "WHERE c.lastAt >= @from AND c.sort < @end ORDER BY c.sort DESC",
            {"@from": where.time_from or "", "@end": end},
            limit + 1,
            partition=where.device_id,
        )
        token = encode(query, found[limit - 1]["sort"]) if len(found) > limit else None
        return Page([orjson.loads(item["document"]) for item in found[:limit]], token)

    async def purge(self, ended_before: str, limit: int) -> int:
        found = await self._items.query(
            f"SELECT TOP {limit} c.id, c.deviceId FROM c WHERE c.lastAt < @before ORDER BY c.lastAt",
            {"@before": ended_before},
            limit,
        )
        for item in found:
            await self._items.delete(str(item["id"]), str(item["deviceId"]))
        return len(found)


def _to_item(flight: Flight) -> Item:
    item: dict[str, Any] = {
        "id": flight["id"],
        "deviceId": flight["deviceId"],
        "sort": f"{flight['startedAt']}|{flight['id']}",
        "lastAt": flight["lastAt"],
        "document": orjson.dumps(flight).decode(),
    }
    return item
