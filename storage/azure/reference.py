"""Zones and registry in Cosmos DB: one small container, all of it in two partitions.

Each version of the zones is an item that is created and never changed; the newest version is what the head item says,
which is replaced in the same transaction. A registration is an item with its own version; the head of the registry
changes with every one of them, so that other processes see by one point read whether there is anything new.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from pipeline.ports import Conflict, Page, RegistrationRecord, ZonesVersion
from storage.azure.ids import safe_id
from storage.azure.items import Item, Items, Operation, Refused, chunks
from storage.continuation import decode, encode, query_digest
from telemetry.registry import Registration

_ZONES = "zones"
_REGISTRY = "registry"
_HEAD = "~head"
_TRIES = 5


class CosmosReference:
    """``ReferenceStore`` on Azure."""

    def __init__(self, items: Items) -> None:
        self._items = items

    async def revision(self) -> str:
        heads = [await self._items.read(_HEAD, kind) for kind in (_ZONES, _REGISTRY)]
        return "" if not any(heads) else "|".join("0" if head is None else str(head["revision"]) for head in heads)

    async def zones(self, version: int | None = None) -> ZonesVersion | None:
        if version is None:
            head = await self._items.read_current(_HEAD, _ZONES)
            if head is None:
                return None
            version = int(head["revision"])
        item = await self._items.read(f"{version:012d}", _ZONES)
        return None if item is None else _version(item)

    async def put_zones(self, new: ZonesVersion) -> None:
        item = {
            "id": f"{new.version:012d}",
            "kind": _ZONES,
            "version": new.version,
            "at": new.at,
            "author": new.by,  # ``by`` is a word of the query language
            "document": orjson.dumps(new.document).decode(),
        }
        head = await self._items.read_current(_HEAD, _ZONES)
        newest = 0 if head is None else int(head["revision"])
        if new.version != newest + 1:
            raise Conflict(f"the zones have version {newest}")
        await self._change(_ZONES, head, [("create", (item,))])

    async def zone_versions(self, limit: int, continuation: str | None) -> Page[ZonesVersion]:
        query = query_digest("zones")
        after = decode(query, continuation, 1)
        found = await self._items.query(
            f"SELECT TOP {limit + 1} c.version, c.at, c.author FROM c "
            "WHERE c.version < @before ORDER BY c.version DESC",
            {"@before": int(after[0]) if after is not None else 1 << 40},
            limit + 1,
            partition=_ZONES,
        )
        token = encode(query, str(found[limit - 1]["version"])) if len(found) > limit else None
        page = [ZonesVersion(int(item["version"]), item["at"], item["author"], {}) for item in found[:limit]]
        return Page(page, token)

    async def registry(self) -> list[RegistrationRecord] | None:
        if await self._items.read_current(_HEAD, _REGISTRY) is None:
            return None
        found = await self._items.query(
            "SELECT c.document, c.version FROM c WHERE c.version > 0", {}, None, partition=_REGISTRY
        )
        records = [RegistrationRecord(orjson.loads(item["document"]), int(item["version"])) for item in found]
        return sorted(records, key=lambda record: str(record.registration["id"]))

    async def take_over(self, registrations: Sequence[Registration]) -> None:
        if await self._items.read_current(_HEAD, _REGISTRY) is not None:
            return
        writes: list[tuple[Operation, int]] = []
        for one in registrations:
            item = _registration(one, 1)
            writes.append((("upsert", (item,)), len(orjson.dumps(item))))
        # The head comes last: until it is there the file is in force, whatever stands here already.
        parts = chunks(writes, reserve=1) or [[]]
        for part in parts[:-1]:
            await self._items.transact(part, _REGISTRY)
        try:
            await self._items.transact([*parts[-1], ("create", (_head(_REGISTRY, 1),))], _REGISTRY)
        except Refused as refused:
            if refused.status != 409:
                raise

    async def put_registration(self, registration: Registration, expect: int | None) -> RegistrationRecord:
        item = _registration(registration, (expect or 0) + 1)
        await self._replace(registration["id"], expect, item)
        return RegistrationRecord(registration, int(item["version"]))

    async def delete_registration(self, device_id: str, expect: int) -> None:
        await self._replace(device_id, expect, None)

    async def _replace(self, device_id: str, expect: int | None, item: Item | None) -> None:
        """A change of another registration at the same time replaces the head too: then it is tried again."""
        for attempt in range(_TRIES):
            there = await self._items.read_current(safe_id(device_id), _REGISTRY)
            version = None if there is None else int(there["version"])
            if version != expect:
                raise Conflict(f"the registration of {device_id} has version {version}")
            if item is None:
                assert there is not None
                write: Operation = ("delete", (there["id"],), {"if_match_etag": there["_etag"]})
            elif there is None:
                write = ("create", (item,))
            else:
                write = ("replace", (item["id"], item), {"if_match_etag": there["_etag"]})
            try:
                await self._change(_REGISTRY, await self._items.read_current(_HEAD, _REGISTRY), [write])
                return
            except Conflict:
                if attempt == _TRIES - 1:
                    raise

    async def _change(self, kind: str, head: Item | None, writes: list[Operation]) -> None:
        if head is None:
            writes = [*writes, ("create", (_head(kind, 1),))]
        else:
            new = _head(kind, int(head["revision"]) + 1)
            writes = [*writes, ("replace", (_HEAD, new), {"if_match_etag": head["_etag"]})]
        try:
            await self._items.transact(writes, kind)
        except Refused as refused:
            raise Conflict(f"the {kind} were changed by somebody else meanwhile") from refused


def _head(kind: str, revision: int) -> Item:
    return {"id": _HEAD, "kind": kind, "revision": revision}


def _registration(registration: Registration, version: int) -> Item:
    return {
        "id": safe_id(registration["id"]),
        "kind": _REGISTRY,
        "version": version,
        "document": orjson.dumps(registration).decode(),
    }


def _version(item: Item) -> ZonesVersion:
    return ZonesVersion(int(item["version"]), item["at"], item["author"], orjson.loads(item["document"]))
