"""Alerts in Cosmos DB: one item each, in the partition of its drone, with the batches' notes about that drone.

Beside one that is not cleared stands an item named after its code, written and deleted in the same transaction: so a
drone never has two of one code at once. A pending alert has no ``sort``, hence no listing finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from pipeline.ports import AlertFilter, AlertNote, Page, StoreUnavailable
from storage.azure.gather import gather_all
from storage.azure.ids import digest
from storage.azure.items import Item, Items, Operation, Refused
from storage.continuation import decode, encode, query_digest
from telemetry.episodes import CLEARED, PENDING, Episode, device_of, is_settled

_TRIES = 10


class CosmosAlerts:
    """``AlertStore`` on Azure."""

    def __init__(self, items: Items) -> None:
        self._items = items

    async def note(self, notes: Sequence[AlertNote]) -> None:
        await gather_all(
            self._items.transact([("upsert", (_noted(note),))], note.device_id)
            for note in {(one.device_id, one.key): one for one in notes}.values()
        )

    async def notes(self, limit: int) -> list[AlertNote]:
        found = await self._items.query(
            f"SELECT TOP {limit} c.deviceId, c.key, c.notedAt, c.patch FROM c WHERE c.notedAt > '' ORDER BY c.notedAt",
            {},
            limit,
        )
        return [
            AlertNote(item["deviceId"], item["key"], item["notedAt"], orjson.loads(item["patch"])) for item in found
        ]

    async def forget(self, notes: Sequence[AlertNote]) -> None:
        await gather_all(self._forget(note) for note in notes)

    async def _forget(self, note: AlertNote) -> None:
        # One that was replaced meanwhile stays.
        there = await self._items.read_current(_note_id(note), note.device_id)
        if there is not None and there["notedAt"] == note.at:
            try:
                options = {"if_match_etag": there["_etag"]}
                await self._items.transact([("delete", (there["id"],), options)], note.device_id)
            except Refused:
                return

    async def unsettled(self) -> list[Episode]:
        found = await self._items.query("SELECT c.document FROM c WHERE c.unsettled = true", {}, None)
        return sorted((_episode(item) for item in found), key=lambda episode: episode["raisedAt"])

    async def begin(self, episode: Episode) -> bool:
        operations: list[Operation] = [("create", (_to_item(episode),))]
        if episode["status"] != CLEARED:
            operations.append(("create", (_open_item(episode),)))
        try:
            await self._items.transact(operations, episode["deviceId"])
        except Refused:
            # A call whose answer was lost finds what it wrote: that it is there is what was wanted.
            there = await self._read(episode["id"], episode["deviceId"])
            return there is not None and _episode(there) == episode
        return True

    async def drop(self, alert_id: str) -> None:
        device_id = device_of(alert_id)
        for _ in range(_TRIES if device_id is not None else 0):
            there = await self._read(alert_id, str(device_id))
            if there is None or there["status"] != PENDING:
                return
            operations: list[Operation] = [
                ("delete", (alert_id,), {"if_match_etag": there["_etag"]}),
                ("delete", (_open_item(_episode(there))["id"],)),
            ]
            try:
                await self._items.transact(operations, str(device_id))
                return
            except Refused:
                continue

    async def get(self, alert_id: str) -> Episode | None:
        device_id = device_of(alert_id)
        item = None if device_id is None else await self._items.read(alert_id, device_id)
        return None if item is None else _episode(item)

    async def change(self, alert_id: str, change: Callable[[Episode], Episode | None]) -> Episode | None:
        device_id = device_of(alert_id)
        if device_id is None:
            return None
        for _ in range(_TRIES):
            there = await self._read(alert_id, device_id)
            if there is None:
                return None
            known = _episode(there)
            changed = change(known)
            if changed is None:
                return known
            options = {"if_match_etag": there["_etag"]}
            operations: list[Operation] = [("replace", (alert_id, _to_item(changed)), options)]
            if changed["status"] == CLEARED and known["status"] != CLEARED:
                operations.append(("delete", (_open_item(known)["id"],)))
            try:
                await self._items.transact(operations, device_id)
                return changed
            except Refused:
                continue
        raise StoreUnavailable(f"alert {alert_id}: others change it all the time")

    async def _read(self, alert_id: str, device_id: str) -> Item | None:
        return await self._items.read_current(alert_id, device_id)

    async def list(self, where: AlertFilter, limit: int, continuation: str | None) -> Page[Episode]:
        query = query_digest(
            "alerts", where.status, where.acknowledged, where.code, where.device_id, where.raised_from, where.raised_to
        )
        after = decode(query, continuation, 1)
        conditions = ["c.sort >= @from", "c.sort < @end"]
        parameters: dict[str, Any] = {
            "@from": where.raised_from or "",
            "@end": after[0] if after is not None else (where.raised_to or "~"),
        }
        for name, value in (("status", where.status), ("acknowledged", where.acknowledged), ("code", where.code)):
            if value is not None:
                conditions.append(f"c.{name} = @{name}")
                parameters[f"@{name}"] = value
        found = await self._items.query(
            f"SELECT TOP {limit + 1} c.sort, c.document FROM c WHERE {' AND '.join(conditions)} ORDER BY c.sort DESC",
            parameters,
            limit + 1,
            partition=where.device_id,
        )
        token = encode(query, found[limit - 1]["sort"]) if len(found) > limit else None
        return Page([_episode(item) for item in found[:limit]], token)

    async def purge(self, cleared_before: str, limit: int) -> int:
        counts = []
        for path in ("clearedAt", "notedAt"):
            found = await self._items.query(
                f"SELECT TOP {limit} c.id, c.deviceId FROM c WHERE c.{path} > '' AND c.{path} < @before "
                f"ORDER BY c.{path}",
                {"@before": cleared_before},
                limit,
            )
            await gather_all(self._items.delete(str(item["id"]), str(item["deviceId"])) for item in found)
            counts.append(len(found))
        return counts[0]


def _to_item(episode: Episode) -> Item:
    item: Item = {
        "id": episode["id"],
        "deviceId": episode["deviceId"],
        "code": episode["code"],
        "status": episode["status"],
        "acknowledged": episode["acknowledgedAt"] is not None,
        "document": orjson.dumps(episode).decode(),
    }
    if episode["status"] != PENDING:
        item["sort"] = f"{episode['raisedAt']}|{episode['id']}"
    if episode["clearedAt"] is not None:
        item["clearedAt"] = episode["clearedAt"]
    if not is_settled(episode):
        item["unsettled"] = True
    return item


def _open_item(episode: Episode) -> Item:
    return {"id": f"~open~{episode['code']}", "deviceId": episode["deviceId"], "alertId": episode["id"]}


def _noted(note: AlertNote) -> Item:
    return {
        "id": _note_id(note),
        "deviceId": note.device_id,
        "key": note.key,
        "notedAt": note.at,
        "patch": orjson.dumps(note.patch).decode(),
    }


def _note_id(note: AlertNote) -> str:
    return f"~note~{digest(note.key)}"


def _episode(item: Item) -> Episode:
    episode: Episode = orjson.loads(item["document"])
    return episode
