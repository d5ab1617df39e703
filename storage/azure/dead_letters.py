"""Dead letters in Cosmos DB, each in one bucket with the bucket's counters, found by status, code, drone or batch."""

from __future__ import annotations

import asyncio
import builtins
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from pipeline.ports import Conflict, DeadLetterFilter, LetterGroups, Page, StoreUnavailable, Totals
from pipeline.records import Claim, Outcome, Standing
from storage.azure import oversize
from storage.azure.batch_items import KIND
from storage.azure.blobs import Blobs
from storage.azure.counters import commit, total
from storage.azure.gather import gather_all
from storage.azure.ids import bucket_of, safe_id
from storage.azure.items import Item, Items, Operation, Refused, chunks
from storage.azure.letter_groups import FIELDS, grouped, matching
from storage.azure.letter_items import (
    KEY_FIELDS,
    claimed_messages,
    codes_of,
    folder,
    from_item,
    is_open,
    to_item,
    with_claim,
    with_correction,
    with_errors,
    with_status,
    without_claim,
)
from storage.azure.missing import create_missing
from storage.continuation import decode, encode, query_digest
from telemetry.model import Correction, DeadLetter, Error, Message
from telemetry.vocabulary import DISCARDED, LETTER_STATUSES, OPEN, REPLAYED, LetterStatus

_MAX_TRIES = 50
_COUNTER_OPERATIONS = 5  # room for the patches of 49 different codes in one transaction
_MAX_OF_BATCH = 1_000_000
Change = Callable[[Item], Item]


class CosmosDeadLetters:
    """``DeadLetterStore`` on Azure."""

    def __init__(self, items: Items, blobs: Blobs, batches: Items) -> None:
        self._items = items
        self._batches = batches
        self._blobs = blobs

    async def put(self, letters: Sequence[DeadLetter], batch_id: str) -> builtins.list[Outcome]:
        by_bucket: dict[str, dict[str, DeadLetter]] = {}
        firsts = []
        for letter in letters:
            of_bucket = by_bucket.setdefault(bucket_of(letter["id"]), {})
            firsts.append(letter["id"] not in of_bucket)
            of_bucket.setdefault(letter["id"], letter)
        there: dict[str, Outcome] = {}
        for found in await gather_all(
            self._put_of_bucket(bucket, builtins.list(some.values()), batch_id) for bucket, some in by_bucket.items()
        ):
            there |= found
        return [
            there.get(letter["id"], Outcome.STORED) if first else Outcome.DUPLICATE
            for letter, first in zip(letters, firsts, strict=True)
        ]

    async def _put_of_bucket(
        self, bucket: str, letters: builtins.list[DeadLetter], batch_id: str
    ) -> dict[str, Outcome]:
        """Writes what is missing, brings this batch's own up to date; what was found of those that were there."""
        by_item_id = {safe_id(letter["id"]): letter for letter in letters}
        creates: builtins.list[tuple[Operation, int]] = []
        for letter in letters:
            item, size = await self._small(to_item({**letter, "batchId": batch_id}))
            creates.append((("create", (item,)), size))
        there: dict[str, Item] = {}
        for chunk in chunks(creates, _COUNTER_OPERATIONS):
            wanted = [operation[1][0] for operation in chunk]
            there |= await create_missing(self._items, bucket, wanted, self._creating(bucket))
        outcomes = {}
        for item_id, item in there.items():
            letter = by_item_id[item_id]
            outcomes[letter["id"]] = Outcome.DUPLICATE
            if item["batchId"] == batch_id:
                now = await self._change(letter["id"], _brought_up_to_date(letter))
                outcomes[letter["id"]] = Outcome.STORED if now is not None and is_open(now) else Outcome.SETTLED
        return outcomes

    def _creating(self, bucket: str) -> Callable[[builtins.list[Item]], Awaitable[None]]:
        async def create(items: builtins.list[Item]) -> None:
            counts: Counter[str] = Counter()
            for item in items:
                counts[f"letters_{item['status']}"] += 1
                counts.update(f"code_{code}" for code in item["codes"])
            await commit(self._items, [("create", (item,)) for item in items], counts, bucket)

        return create

    async def get(self, letter_id: str) -> DeadLetter | None:
        item = await self._items.read(safe_id(letter_id), bucket_of(letter_id))
        return None if item is None else await self._whole(item)

    async def list(self, where: DeadLetterFilter, limit: int, continuation: str | None) -> Page[DeadLetter]:
        query = query_digest("dead letters", where.error_code, where.device_id, where.batch_id, where.status)
        after = decode(query, continuation, 1)
        conditions, parameters, path = matching(where, after[0] if after else "~")
        text = f"SELECT TOP {limit + 1} * FROM c WHERE {' AND '.join(conditions)} ORDER BY {path} DESC"
        found = await self._items.query(text, parameters, limit + 1)
        token = encode(query, found[limit - 1]["sort"]) if len(found) > limit else None
        return Page(await gather_all(self._whole(item) for item in found[:limit]), token)

    async def claim(self, wanted: Mapping[str, Sequence[Message] | None], at: str) -> dict[str, Claim]:
        found = await gather_all(self._claim(letter_id, messages, at) for letter_id, messages in wanted.items())
        return {letter_id: claim for letter_id, claim in zip(wanted, found, strict=True) if claim is not None}

    async def _claim(self, letter_id: str, messages: Sequence[Message] | None, at: str) -> Claim | None:
        def change(item: Item) -> Item:
            return item if messages is None or not is_open(item) else with_claim(item, messages, at)

        item = await self._change(letter_id, change)
        return None if item is None else await self._as_claim(item)

    async def correct(
        self, letter_id: str, messages: Sequence[Message], correction: Correction, at: str
    ) -> Claim | None:
        def change(item: Item) -> Item:
            return with_correction(with_claim(item, messages, at), correction) if is_open(item) else item

        item = await self._change(letter_id, change)
        return None if item is None else await self._as_claim(item)

    async def groups(self, where: DeadLetterFilter, most: int, limit: int) -> LetterGroups:
        conditions, parameters, path = matching(where, "~")
        text = f"SELECT TOP {most + 1} {FIELDS} FROM c WHERE {' AND '.join(conditions)} ORDER BY {path} DESC"
        return grouped(await self._items.query(text, parameters, most + 1), where.error_code, most, limit)

    async def claims(self, claimed_before: str, limit: int) -> builtins.list[Claim]:
        text = f"SELECT TOP {limit} * FROM c WHERE c.claimedAt < @before ORDER BY c.claimedAt"
        found = await self._items.query(text, {"@before": claimed_before}, limit)
        return await gather_all(self._as_claim(item) for item in found)

    async def _as_claim(self, item: Item) -> Claim:
        whole = await oversize.bring_back(self._blobs, dict(item))
        return Claim(from_item(whole), claimed_messages(whole))

    async def resolve(self, letter_id: str, status: LetterStatus, *, at: str, reason: str | None = None) -> DeadLetter:
        if status not in (REPLAYED, DISCARDED):
            raise ValueError(f"a dead letter is resolved as replayed or discarded, not as {status!r}")
        refused: builtins.list[Item] = []

        def change(item: Item) -> Item:
            refused.clear()
            if item["status"] == status:
                return item
            if item["status"] != OPEN or (status == DISCARDED and not is_open(item)):
                refused.append(item)
                return item
            return with_status(item, status, at, reason)

        return await self._answer(letter_id, await self._change(letter_id, change), refused)

    async def release(self, letter_ids: Sequence[str]) -> None:
        def change(item: Item) -> Item:
            return item if item["status"] == OPEN or item.get("claimedAt") is None else without_claim(item)

        await gather_all(self._change(letter_id, change) for letter_id in letter_ids)

    async def record_failed_replay(self, letter_id: str, errors: Sequence[Error], at: str) -> DeadLetter:
        refused: builtins.list[Item] = []

        def change(item: Item) -> Item:
            refused.clear()
            if not is_open(item):
                refused.append(item)
                return item
            if item["attemptedAt"] == at:  # the same call again
                return item
            return with_errors(item, errors, item["attempts"] + 1) | {"attemptedAt": at}

        return await self._answer(letter_id, await self._change(letter_id, change), refused)

    async def _answer(self, letter_id: str, item: Item | None, refused: builtins.list[Item]) -> DeadLetter:
        if item is None:
            raise KeyError(letter_id)
        letter = await self._whole(item)
        if refused:
            stands = "being replayed" if letter["status"] == OPEN else f"{letter['status']} already"
            raise Conflict(f"dead letter {letter_id} is {stands}", letter)
        return letter

    async def of_batch(self, batch_id: str) -> builtins.list[Standing]:
        found = await self._items.query(
            'SELECT c.letterId, c.status, c.messages, c.sequenceNumber, c["index"], c.enqueuedAt, c.corrected FROM c '
            "WHERE c.batchId = @batch",
            {"@batch": batch_id},
            _MAX_OF_BATCH,
            patient=True,
        )
        return [
            Standing(
                id=item["letterId"],
                status=item["status"],
                messages=item.get("messages", 1),
                sequence_number=item["sequenceNumber"],
                index=item["index"],
                enqueued_at=item["enqueuedAt"],
                corrected=item.get("corrected"),
            )
            for item in found
        ]

    async def totals(self) -> Totals:
        sums = await total(self._items)
        codes = {
            name.removeprefix("code_"): value for name, value in sums.items() if name.startswith("code_") and value
        }
        return Totals(
            dead_letters={status: sums[f"letters_{status}"] for status in LETTER_STATUSES}, dead_letter_codes=codes
        )

    async def purge(self, resolved_before: str, limit: int) -> int:
        purged, after = 0, ""
        while purged < limit:
            # Ended ones have a time there, open ones null, which is no smaller than any text.
            text = (
                f"SELECT TOP {limit - purged} * FROM c WHERE c.resolvedAt > @after AND c.resolvedAt < @before "
                "ORDER BY c.resolvedAt"
            )
            found = await self._items.query(text, {"@after": after, "@before": resolved_before}, limit - purged)
            if not found:
                break
            kept = await self._kept({item["batchId"] for item in found})
            gone = [item for item in found if item["batchId"] not in kept]
            await gather_all(self._purge_one(item) for item in gone)
            purged += len(gone)
            if len(gone) == len(found):
                break
            after = found[-1]["resolvedAt"]  # behind those that stay; what has the same time comes with the next run
        return purged

    async def _kept(self, batch_ids: Collection[str]) -> set[str]:
        """Those of the batches whose records are there: one that runs again asks for its letters."""
        ids = builtins.list(batch_ids)
        records = await gather_all(self._batches.read(safe_id(one), bucket_of(one)) for one in ids)
        return {one for one, record in zip(ids, records, strict=True) if record is not None and record["kind"] == KIND}

    async def _purge_one(self, item: Item) -> None:
        if oversize.FIELD in item:
            await self._blobs.delete_under(folder(item))
        await self._items.delete(item["id"], item["bucket"])

    async def _change(self, letter_id: str, change: Change) -> Item | None:
        """The letter's item after ``change``, which returns what it was given where nothing is to be done."""
        bucket = bucket_of(letter_id)
        for tries in range(_MAX_TRIES):
            there = await self._items.read_current(safe_id(letter_id), bucket)
            if there is None:
                return None
            whole = await oversize.bring_back(self._blobs, dict(there))
            new = change(whole)
            if new is whole:
                return there
            small, _ = await self._small(new)
            changes = Counter({f"letters_{new['status']}": 1}) + Counter(f"code_{code}" for code in codes_of(new))
            changes.subtract({f"letters_{whole['status']}": 1})
            changes.subtract(f"code_{code}" for code in codes_of(whole))
            replace = ("replace", (small["id"], small), {"if_match_etag": there["_etag"]})
            try:
                await commit(self._items, [replace], changes, bucket)
            except Refused:
                await asyncio.sleep(random.uniform(0, min(0.005 * 2**tries, 0.5)))
            else:
                return small
        raise StoreUnavailable(f"dead letter {letter_id} is being changed by too many at once")

    async def _small(self, item: Item) -> tuple[Item, int]:
        return await oversize.move_out(self._blobs, item, folder(item), KEY_FIELDS)

    async def _whole(self, item: Item) -> DeadLetter:
        return from_item(await oversize.bring_back(self._blobs, dict(item)))


def _brought_up_to_date(letter: DeadLetter) -> Change:
    def change(item: Item) -> Item:
        attempts = max(item["attempts"], letter["attempts"])
        new = with_errors(item, letter["errors"], attempts)
        same = (new["errorsJson"], attempts) == (item["errorsJson"], item["attempts"])
        return item if same or not is_open(item) else new

    return change
